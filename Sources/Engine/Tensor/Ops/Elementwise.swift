import BSSBackend
import BSSCore

// One function of one tensor, or of two that broadcast. Derivative beside forward.

extension ArrayView {
    /// Strides for a result that follows this layout: kept if the elements lie dense in some axis order
    /// (channels-last images stay channels-last), else row-major.
    var resultStrides: Shape {
        if isContiguous { return shape.contiguousStrides }
        let axes = shape.indices.filter { shape[$0] > 1 }.sorted { strides[$0] > strides[$1] }
        var step = 1
        for axis in axes.reversed() {
            if strides[axis] != step { return shape.contiguousStrides }
            step *= shape[axis]
        }
        return strides
    }
}

extension Tensor {
    /// Memory for an elementwise result that follows this tensor's layout.
    func allocateLike(_ dtype: DType? = nil) throws -> ArrayView {
        var out = try Tensor.allocate(shape, dtype ?? self.dtype, on: backend)
        out.strides = view.resultStrides
        return out
    }

    /// y = f(x; p0, p1)
    ///
    /// dx = g · f'(x), with PyTorch's conventions at kinks (bss_ops.h).
    public func unary(_ op: UnaryOp, _ p0: Double = 0, _ p1: Double = 0) throws -> Tensor {
        guard op.takes.contains(dtype) else {
            return try converted(to: op == .logicalNot ? .bool : .float32).unary(op, p0, p1)
        }
        if dtype == .int64, !op.keepsIntegers(p0, p1) { return try converted(to: .float32).unary(op, p0, p1) }
        let out = try allocateLike(op.yieldsBool ? .bool : nil)
        try backend.unary(op, view, p0, p1, out: out)
        if op.yieldsBool { return Tensor(out) }
        let x = op.derivativeReadsOutput ? out : view
        return recorded("unary", out, self, saves: op.derivativeReadsNothing ? [] : [x]) { g in
            let dx = try g.allocateLike()
            try g.backend.unaryBackward(op, grad: g.view, x: x, p0, p1, out: dx)
            return [Tensor(dx)]
        }
    }

    public func negated() throws -> Tensor { try unary(.neg) }
    public func exp() throws -> Tensor { try unary(.exp) }
    public func log() throws -> Tensor { try unary(.log) }
    public func sqrt() throws -> Tensor { try unary(.sqrt) }
    public func square() throws -> Tensor { try unary(.square) }
    public func abs() throws -> Tensor { try unary(.abs) }
    public func relu() throws -> Tensor { try unary(.relu) }
    public func tanh() throws -> Tensor { try unary(.tanh) }
    public func sigmoid() throws -> Tensor { try unary(.sigmoid) }
    public func power(_ exponent: Double) throws -> Tensor { try unary(.powScalar, exponent) }
    public func adding(_ scalar: Double) throws -> Tensor { try unary(.addScalar, scalar) }
    public func multiplied(by scalar: Double) throws -> Tensor { try unary(.mulScalar, scalar) }
    public func clamped(_ low: Double = -.infinity, _ high: Double = .infinity) throws -> Tensor {
        try unary(.clamp, low, high)
    }

    /// y = x; dx = factor · g. The value passes unchanged, what flows back through it is scaled (Li et al., ICCV 2023).
    public func scalingGradient(by factor: Double) -> Tensor {
        recorded("scale_gradient", view, self) { [try $0.multiplied(by: factor)] }
    }

    // MARK: Two tensors

    public func adding(_ other: Tensor) throws -> Tensor { try Tensor.binary(.add, self, other) }
    public func subtracting(_ other: Tensor) throws -> Tensor { try Tensor.binary(.sub, self, other) }
    public func multiplied(by other: Tensor) throws -> Tensor { try Tensor.binary(.mul, self, other) }
    public func divided(by other: Tensor) throws -> Tensor { try Tensor.binary(.div, self, other) }
    public func maximum(_ other: Tensor) throws -> Tensor { try Tensor.binary(.maximum, self, other) }
    public func minimum(_ other: Tensor) throws -> Tensor { try Tensor.binary(.minimum, self, other) }
    public func power(_ other: Tensor) throws -> Tensor { try Tensor.binary(.pow, self, other) }

    /// y = a op b, broadcast. Different dtypes are promoted; i64 / i64 divides as f32 (true division, as PyTorch).
    ///
    /// Gradients are summed back over broadcast axes; at ties maximum and minimum share it equally.
    public static func binary(_ op: BinaryOp, _ a: Tensor, _ b: Tensor) throws -> Tensor {
        if a.dtype != b.dtype || a.dtype == .bool || a.dtype.isHalf || (op == .div && a.dtype == .int64) {
            var target = DType.promoted(a.dtype, b.dtype).computing
            if target == .bool { target = .int64 }
            if op == .div, !target.isFloat { target = .float32 }
            return try binary(op, a.converted(to: target), b.converted(to: target))
        }
        let shape = try Shape.broadcast(a.shape, b.shape, operation: "\(op)")
        let va = a.view.broadcast(to: shape)
        let vb = b.view.broadcast(to: shape)
        var out = try allocate(shape, a.dtype, on: a.backend)
        out.strides = a.shape == shape ? a.view.resultStrides : b.shape == shape ? b.view.resultStrides : out.strides
        try a.backend.binary(op, va, vb, out: out)
        guard Autograd.isRecording, a.node != nil || b.node != nil else { return Tensor(out) }
        let needsA = a.node != nil
        let needsB = b.node != nil
        let x = Tensor(a.view)
        let y = Tensor(b.view)
        return Tensor(
            out,
            node: Node("binary", [a.node, b.node], saves: saves(op, a.view, b.view, out, needsA, needsB)) { g in
                let (da, db) = try pull(op, g, x, y, Tensor(out), needsA, needsB)
                return [try da?.summed(to: x.shape), try db?.summed(to: y.shape)]
            })
    }

    /// What `pull` reads.
    private static func saves(
        _ op: BinaryOp, _ a: ArrayView, _ b: ArrayView, _ y: ArrayView, _ needsA: Bool, _ needsB: Bool
    ) -> [ArrayView] {
        switch op {
        case .add, .sub, .floorDivide: return []
        case .mul: return (needsA ? [b] : []) + (needsB ? [a] : [])
        case .div: return needsB ? [b, y] : [b]
        case .maximum, .minimum, .pow: return [a, b, y]
        case .remainder: return needsB ? [a, b] : []
        }
    }

    private static func pull(
        _ op: BinaryOp, _ g: Tensor, _ a: Tensor, _ b: Tensor, _ y: Tensor, _ needsA: Bool, _ needsB: Bool
    ) throws -> (Tensor?, Tensor?) {
        switch op {
        case .add: return (g, g)
        case .sub: return (g, needsB ? try g.negated() : nil)
        case .mul: return (needsA ? try g.multiplied(by: b) : nil, needsB ? try g.multiplied(by: a) : nil)
        case .div:
            let da = try g.divided(by: b)
            return (da, needsB ? try da.multiplied(by: y).negated() : nil)
        case .remainder:
            return (g, needsB ? try g.multiplied(by: binary(.floorDivide, a, b)).negated() : nil)
        case .floorDivide:
            let none = try zeros(g.shape, g.dtype, on: g.backend)
            return (none, none)
        case .maximum, .minimum:
            // Where equal, half to each side.
            let less = try compare(op == .maximum ? .less : .greater, a, b).converted(to: g.dtype)
            let equal = try compare(.equal, a, b).converted(to: g.dtype)
            let shareB = try less.adding(equal.multiplied(by: 0.5))
            return (try g.multiplied(by: shareB.unary(.mulScalar, -1).adding(1)), try g.multiplied(by: shareB))
        case .pow:
            // d a^b / da = b a^(b-1), 0 where b = 0; d a^b / db = a^b ln a, 0 where a = 0 and b >= 0.
            var da: Tensor?
            var db: Tensor?
            if needsA {
                let slope = try b.multiplied(by: a.power(b.adding(-1)))
                da = try g.multiplied(by: select(compare(.equal, b, scalar(0, b.dtype)), scalar(0, b.dtype), slope))
            }
            if needsB {
                let isZero = try logical(
                    .and, compare(.equal, a, scalar(0, a.dtype)), compare(.greaterEqual, b, scalar(0, a.dtype)))
                db = try g.multiplied(by: select(isZero, scalar(0, a.dtype), y.multiplied(by: a.log())))
            }
            return (da, db)
        }
    }

    /// Element-wise comparison, broadcast; bool result. Integers beside floats are compared as f64, which holds them to
    /// 2⁵³.
    public static func compare(_ op: CompareOp, _ a: Tensor, _ b: Tensor) throws -> Tensor {
        let isMixed = a.dtype != b.dtype && (a.dtype == .int64 || b.dtype == .int64)
        let target =
            isMixed && (a.dtype.isReal || b.dtype.isReal) ? .float64 : DType.promoted(a.dtype, b.dtype).computing
        let shape = try Shape.broadcast(a.shape, b.shape, operation: "\(op)")
        let out = try allocate(shape, .bool, on: a.backend)
        let x = try a.detached.converted(to: target)
        let y = try b.detached.converted(to: target)
        try a.backend.compare(op, x.view.broadcast(to: shape), y.view.broadcast(to: shape), out: out)
        return Tensor(out)
    }

    public static func logical(_ op: LogicalOp, _ a: Tensor, _ b: Tensor) throws -> Tensor {
        let shape = try Shape.broadcast(a.shape, b.shape, operation: "\(op)")
        let out = try allocate(shape, .bool, on: a.backend)
        let x = try a.detached.converted(to: .bool)
        let y = try b.detached.converted(to: .bool)
        try a.backend.logical(op, x.view.broadcast(to: shape), y.view.broadcast(to: shape), out: out)
        return Tensor(out)
    }

    /// y = condition ? a : b, all three broadcast.
    public static func select(_ condition: Tensor, _ a: Tensor, _ b: Tensor) throws -> Tensor {
        if a.dtype != b.dtype {
            let target = DType.promoted(a.dtype, b.dtype)
            return try select(condition, a.converted(to: target), b.converted(to: target))
        }
        let shape = try Shape.broadcast(
            Shape.broadcast(a.shape, b.shape, operation: "where"), condition.shape, operation: "where")
        let mask = try condition.detached.converted(to: .bool)
        let out = try allocate(shape, a.dtype, on: a.backend)
        try a.backend.select(
            mask.view.broadcast(to: shape), a.view.broadcast(to: shape), b.view.broadcast(to: shape), out: out)
        let shapeA = a.shape
        let shapeB = b.shape
        return recorded("where", out, [a, b], saves: [mask.view]) { g in
            let zero = try scalar(0, g.dtype, on: g.backend)
            return [try select(mask, g, zero).summed(to: shapeA), try select(mask, zero, g).summed(to: shapeB)]
        }
    }

    /// `value` where the mask is true (the mask broadcasts to this tensor).
    public func masked(_ mask: Tensor, with value: Double) throws -> Tensor {
        try Tensor.select(mask, Tensor.scalar(value, dtype, on: backend), self)
    }

    /// y = a + value · b · c, broadcast.
    public static func addcmul(_ a: Tensor, _ b: Tensor, _ c: Tensor, value: Double) throws -> Tensor {
        try a.adding(b.multiplied(by: c).multiplied(by: value))
    }

    /// The gradient of a broadcast: summed over stretched axes back to `target`.
    func summed(to target: Shape) throws -> Tensor {
        if shape == target { return self }
        let lead = rank - target.rank
        var axes: UInt32 = 0
        for axis in 0..<rank where axis < lead || (target[axis - lead] == 1 && shape[axis] != 1) {
            axes |= 1 << UInt32(axis)
        }
        if axes == 0 { return try reshaped(target) }
        return try reduced(.sum, axes: axes).reshaped(target)
    }
}

// Operators throw; one `try` covers a whole expression.
public func + (a: Tensor, b: Tensor) throws -> Tensor { try a.adding(b) }
public func - (a: Tensor, b: Tensor) throws -> Tensor { try a.subtracting(b) }
public func * (a: Tensor, b: Tensor) throws -> Tensor { try a.multiplied(by: b) }
public func / (a: Tensor, b: Tensor) throws -> Tensor { try a.divided(by: b) }
public func * (a: Double, b: Tensor) throws -> Tensor { try b.multiplied(by: a) }
public func + (a: Tensor, b: Double) throws -> Tensor { try a.adding(b) }
