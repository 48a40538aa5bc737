import BSSBackend
import BSSCore
import CBSSCUDA

// Elementwise ops: the rows of bss_ops.h, as the kernels of unary, arithmetic, integer, logic and move.

extension ListedOp {
    /// The row's first name, which its kernels bear: "GELU_TANH".
    var row: String { name.uppercased() }
}

extension CUDABackend {
    public func unary(_ op: UnaryOp, _ x: ArrayView, _ p0: Double, _ p1: Double, out: ArrayView) throws {
        let call = try KernelCall("unary", x, op.takes)
        let from = try call.strided(x), to = try call.strided(out, op.yieldsBool ? .bool : nil, like: x.shape)
        let (walk, count) = (bss_walk(from, to), out.elementCount)
        try runKept(
            op.name, writes: count, start(op, call.dtype, walk, elements(count), from.address, to.address, p0, p1))
    }

    private func start(
        _ op: UnaryOp, _ dtype: DType, _ walk: bss_walk, _ grid: Grid, _ x: UnsafeMutableRawPointer,
        _ out: UnsafeMutableRawPointer, _ p0: Double, _ p1: Double
    ) throws -> Int32 {
        let name = "unary_\(op.row)"
        switch dtype {
        case _ where op.yieldsBool:
            return try launch(Kernel(name, dtype == .bool ? "logic" : "arithmetic", dtype), grid, walk, x, out)
        case .int64: return try launch(Kernel("unary", "integer", dtype), grid, walk, Int(op.rawValue), x, out, p0, p1)
        default: return try launch(Kernel(name, "unary", dtype, row: op.row), grid, walk, x, out, p0, p1)
        }
    }

    public func unaryBackward(
        _ op: UnaryOp, grad: ArrayView, x: ArrayView, _ p0: Double, _ p1: Double, out: ArrayView
    ) throws {
        let call = try KernelCall("unary backward", grad)
        let (g, v) = (try call.strided(grad, like: out.shape), try call.strided(x, like: out.shape))
        let to = try call.strided(out)
        let kernel = Kernel("unary_backward_\(op.row)", "unary", call.dtype, row: op.row)
        try runKept(
            op.name + " backward", writes: out.elementCount,
            launch(kernel, elements(out.elementCount), bss_walk(g, v, to), g.address, v.address, to.address, p0, p1))
    }

    public func binary(_ op: BinaryOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("binary", a, .numbers)
        let (u, v) = (try call.strided(a, like: out.shape), try call.strided(b, like: out.shape))
        let (to, grid) = (try call.strided(out), elements(out.elementCount))
        let walk = bss_walk(u, v, to)
        try runKept(
            op.name, writes: out.elementCount,
            call.dtype == .int64
                ? launch(
                    Kernel("binary", "integer", .int64), grid, walk, Int(op.rawValue), u.address, v.address, to.address)
                : launch(
                    Kernel("binary_\(op.row)", "arithmetic", call.dtype), grid, walk, u.address, v.address, to.address))
    }

    public func compare(_ op: CompareOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("compare", a, .computed)
        try pairs("compare", Kernel("compare_\(op.row)", "move", call.dtype), call, a, b, call.strided(out, .bool))
    }

    public func logical(_ op: LogicalOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("logical", a, .bool)
        try pairs("logical", Kernel("logical_\(op.row)", "logic", .bool), call, a, b, call.strided(out))
    }

    private func pairs(
        _ name: String, _ kernel: Kernel, _ call: KernelCall, _ a: ArrayView, _ b: ArrayView, _ out: ArrayView
    ) throws {
        let (u, v) = (try call.strided(a, like: out.shape), try call.strided(b, like: out.shape))
        let grid = elements(out.elementCount)
        try runKept(
            name, writes: out.elementCount,
            launch(kernel, grid, bss_walk(u, v, out), u.address, v.address, out.address))
    }

    public func select(_ condition: ArrayView, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("where", a, .any)
        let c = try call.strided(condition, .bool, like: out.shape)
        let (u, v) = (try call.strided(a, like: out.shape), try call.strided(b, like: out.shape))
        let to = try call.strided(out)
        try runKept(
            "where", writes: out.elementCount,
            launch(
                Kernel("select", "move", call.dtype), elements(out.elementCount), bss_walk(c, u, v, to), c.address,
                u.address, v.address, to.address))
    }

    public func copy(_ x: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("copy", x, .any)
        let (from, to) = (try call.strided(x, like: out.shape), try call.strided(out, out.dtype))
        try runKept(
            "copy", writes: out.elementCount,
            launch(
                Kernel("copy_to_\(out.dtype.name)", "move", call.dtype), elements(out.elementCount), bss_walk(from, to),
                from.address, to.address))
    }

    public func fill(_ out: ArrayView, _ value: Double) throws {
        let to = try KernelCall("fill", out, .any).strided(out)
        let (kernel, grid, walk) = (Kernel("fill", "move", out.dtype), elements(out.elementCount), bss_walk(to))
        try runKept("fill", writes: out.elementCount, filled(kernel, grid, walk, to.address, value))
    }

    private func filled(
        _ kernel: Kernel, _ grid: Grid, _ walk: bss_walk, _ out: UnsafeMutableRawPointer, _ value: Double
    ) throws -> Int32 {
        switch kernel.program.dtype {
        case .float32: return try launch(kernel, grid, walk, out, Float(value))
        case .float64: return try launch(kernel, grid, walk, out, value)
        case .int64: return try launch(kernel, grid, walk, out, Int(saturating: value))
        case .bool: return try launch(kernel, grid, walk, out, UInt8(value != 0 ? 1 : 0))
        case .float16: return try launch(kernel, grid, walk, out, value.float16Bits)
        case .bfloat16: return try launch(kernel, grid, walk, out, value.bfloat16Bits)
        }
    }

    public func fill(_ out: ArrayView, integer value: Int) throws {
        let to = try KernelCall("fill", out, .int64).strided(out)
        try runKept(
            "fill", writes: out.elementCount,
            launch(Kernel("fill", "move", .int64), elements(out.elementCount), bss_walk(to), to.address, value))
    }

    public func accumulate(_ alpha: Double, _ x: ArrayView, into out: ArrayView) throws {
        let call = try KernelCall("accumulate", out, .numbers)
        let (from, to) = (try call.strided(x, like: out.shape), try call.strided(out))
        let kernel = Kernel("accumulate", call.dtype == .int64 ? "integer" : "arithmetic", call.dtype)
        let grid = elements(out.elementCount)
        try runKept(
            "accumulate", writes: out.elementCount,
            launch(kernel, grid, bss_walk(from, to), alpha, from.address, to.address))
    }

    public func multiplyAdd(_ alpha: Double, _ a: ArrayView, _ b: ArrayView, _ c: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("addcmul", out)
        let (u, v) = (try call.strided(a, like: out.shape), try call.strided(b, like: out.shape))
        let (w, to) = (try call.strided(c, like: out.shape), try call.strided(out))
        try runKept(
            "multiply add", writes: out.elementCount,
            launch(
                Kernel("multiply_add", "arithmetic", call.dtype), elements(out.elementCount), bss_walk(u, v, w, to),
                alpha, u.address, v.address, w.address, to.address))
    }
}

extension Double {
    /// As the CPU converts it: through float32, ties to even.
    var float16Bits: UInt16 { Float16(Float(self)).bitPattern }
    var bfloat16Bits: UInt16 {
        let bits = Float(self).bitPattern
        return UInt16(truncatingIfNeeded: isNaN ? bits >> 16 | 0x40 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16)
    }
}

extension Int {
    /// NaN: 0; beyond the range: its end.
    init(saturating value: Double) {
        if value.isNaN {
            self = 0
        } else {
            self = Int(exactly: value.rounded(.towardZero)) ?? (value > 0 ? .max : .min)
        }
    }
}
