import BSSBackend
import CBSSKernels

// Views as kernels take them: pointers to their C form, for as long as the kernel runs.

typealias KernelView = UnsafePointer<bss_view>

func views(_ a: ArrayView, _ kernel: (KernelView) -> Int32) -> Int32 { withUnsafePointer(to: a.c, kernel) }

func views(_ a: ArrayView, _ b: ArrayView, _ kernel: (KernelView, KernelView) -> Int32) -> Int32 {
    views(a) { a in views(b) { kernel(a, $0) } }
}

func views(
    _ a: ArrayView, _ b: ArrayView, _ c: ArrayView, _ kernel: (KernelView, KernelView, KernelView) -> Int32
) -> Int32 {
    views(a, b) { a, b in views(c) { kernel(a, b, $0) } }
}

func views(
    _ a: ArrayView, _ b: ArrayView, _ c: ArrayView, _ d: ArrayView,
    _ kernel: (KernelView, KernelView, KernelView, KernelView) -> Int32
) -> Int32 {
    views(a, b, c) { a, b, c in views(d) { kernel(a, b, c, $0) } }
}
