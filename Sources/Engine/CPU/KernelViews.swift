import CBSSKernels

// Views as kernels take them: pointers to their C form, for as long as the kernel runs.

typealias KernelView = UnsafePointer<bss_view>

func views(_ a: bss_view, _ kernel: (KernelView) -> Int32) -> Int32 { withUnsafePointer(to: a, kernel) }

func views(_ a: bss_view, _ b: bss_view, _ kernel: (KernelView, KernelView) -> Int32) -> Int32 {
    views(a) { a in views(b) { kernel(a, $0) } }
}

func views(
    _ a: bss_view, _ b: bss_view, _ c: bss_view, _ kernel: (KernelView, KernelView, KernelView) -> Int32
) -> Int32 {
    views(a, b) { a, b in views(c) { kernel(a, b, $0) } }
}

func views(
    _ a: bss_view, _ b: bss_view, _ c: bss_view, _ d: bss_view,
    _ kernel: (KernelView, KernelView, KernelView, KernelView) -> Int32
) -> Int32 {
    views(a, b, c) { a, b, c in views(d) { kernel(a, b, c, $0) } }
}
