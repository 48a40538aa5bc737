import BSSBackend
import BSSCore

extension Tensor {
    /// Bits of the given axes; nil means all.
    func axisMask(_ axes: [Int]?, _ operation: String) throws -> UInt32 {
        guard let axes else { return rank == 0 ? 0 : (1 << UInt32(rank)) - 1 }
        var mask: UInt32 = 0
        for axis in axes {
            let bit: UInt32 = 1 << UInt32(try shape.axis(axis, operation: operation))
            guard mask & bit == 0 else { throw BSSError(operation, "an axis of \(shape) is named twice") }
            mask |= bit
        }
        return mask
    }

    /// The reduction with the reduced axes gone; not recorded.
    func reduced(_ op: ReduceOp, axes mask: UInt32) throws -> Tensor {
        if dtype.isHalf { return try computing.reduced(op, axes: mask) }
        var kept = Shape()
        var removed = 1
        for axis in 0..<rank {
            if mask >> UInt32(axis) & 1 == 0 { kept.append(shape[axis]) } else { removed *= shape[axis] }
        }
        let needsOne = op == .max || op == .min || op == .argmax || op == .argmin
        if needsOne, removed == 0 { throw BSSError("\(op)", "the reduced axes of shape \(shape) are empty") }
        let out = try Tensor.allocate(kept, op.result(of: dtype), on: backend)
        try backend.reduce(op, view, axes: mask, out: out)
        return Tensor(out)
    }

    /// Puts size-1 axes back where `mask` took them away.
    private func keeping(_ mask: UInt32, of original: Shape) throws -> Tensor {
        var shape = original
        for axis in 0..<original.rank where mask >> UInt32(axis) & 1 == 1 { shape[axis] = 1 }
        return try reshaped(shape)
    }

    /// y = sum over `axes` (nil: all). dx = g broadcast.
    public func sum(_ axes: [Int]? = nil, keepsAxes: Bool = false) throws -> Tensor {
        if dtype.isHalf { return try computing.sum(axes, keepsAxes: keepsAxes) }
        let mask = try axisMask(axes, "sum")
        if mask == 0 { return self }
        let y = try reduced(.sum, axes: mask)
        let original = shape
        let result = recorded("sum", y.view, self) { g in
            [Tensor(try g.keeping(mask, of: original).view.broadcast(to: original))]
        }
        return keepsAxes ? try result.keeping(mask, of: original) : result
    }

    /// Σ over the tensors of Σ x², in double, as a scalar f64; outside the graph. Tensors are contiguous.
    public static func sumOfSquares(_ tensors: [Tensor]) throws -> Tensor {
        let backend = tensors.first?.backend ?? Devices.current
        let out = try allocate(Shape(), .float64, on: backend)
        try backend.sumOfSquares(tensors.map(\.view), out: out)
        return Tensor(out)
    }

    /// y = Σ_t scale_t · (sum of all elements of x_t): a loss of several terms as one operation. dx_t = g · scale_t,
    /// broadcast.
    public static func weightedSum(_ terms: [(x: Tensor, scale: Double)]) throws -> Tensor {
        guard let first = terms.first?.x else { throw BSSError("weighted_sum", "needs at least one term") }
        let total = try allocate(Shape(), first.dtype, on: first.backend)
        try first.backend.fill(total, 0)
        for (x, scale) in terms {
            guard x.dtype == first.dtype, x.dtype.isFloat else {
                throw BSSError("weighted_sum", "terms are \(first.dtype.name) and \(x.dtype.name)")
            }
            let sum = try x.rank == 0 ? x : x.reduced(.sum, axes: x.axisMask(nil, "weighted_sum"))
            try total.storage.backend.accumulate(scale, sum.view, into: total)
        }
        let shapes = terms.map { ($0.x.shape, $0.scale) }
        return recorded("weighted_sum", total, terms.map(\.x)) { g in
            try shapes.map { Tensor(try g.multiplied(by: $1).view.broadcast(to: $0)) }
        }
    }

    /// y = sum / count
    public func mean(_ axes: [Int]? = nil, keepsAxes: Bool = false) throws -> Tensor {
        if !dtype.isFloat { return try converted(to: .float32).mean(axes, keepsAxes: keepsAxes) }
        let total = try sum(axes, keepsAxes: keepsAxes)
        let count = Double(elementCount) / Double(max(total.elementCount, 1))
        return try total.multiplied(by: 1 / count)
    }

    /// Largest (or smallest) over `axes`; the gradient is shared equally by all elements that attain it.
    public func extremum(_ op: ReduceOp, _ axes: [Int]? = nil, keepsAxes: Bool = false) throws -> Tensor {
        if dtype.isHalf { return try computing.extremum(op, axes, keepsAxes: keepsAxes) }
        let mask = try axisMask(axes, op == .max ? "amax" : "amin")
        if mask == 0 { return self }
        let y = try reduced(op, axes: mask)
        let x = detached
        let original = shape
        let result = recorded(op == .max ? "amax" : "amin", y.view, self, saves: [x.view, y.view]) { g in
            let hits = try Tensor.compare(.equal, x, y.keeping(mask, of: original)).converted(to: g.dtype)
            let count = try hits.reduced(.sum, axes: mask)
            return [try hits.multiplied(by: g.divided(by: count).keeping(mask, of: original))]
        }
        return keepsAxes ? try result.keeping(mask, of: original) : result
    }

    /// Position of the largest (smallest) element along an axis, or in the flattened tensor; the first wins.
    public func argExtremum(_ op: ReduceOp, _ axis: Int?, keepsAxis: Bool = false) throws -> Tensor {
        if dtype.isHalf { return try computing.argExtremum(op, axis, keepsAxis: keepsAxis) }
        let mask = try axisMask(axis.map { [$0] }, "\(op)")
        if rank == 0 { return try Tensor.zeros(shape, .int64, on: backend) }
        let y = try reduced(op, axes: mask)
        return keepsAxis ? try y.keeping(mask, of: shape) : y
    }

    /// Value and position of the largest (smallest) along an axis; the gradient goes to that position alone.
    public func extremumWithIndex(
        _ op: ReduceOp, axis: Int, keepsAxis: Bool = false
    ) throws -> (values: Tensor, indices: Tensor) {
        if dtype.isHalf { return try computing.extremumWithIndex(op, axis: axis, keepsAxis: keepsAxis) }
        let axis = try shape.axis(axis, operation: "\(op)")
        let indices = try argExtremum(op == .max ? .argmax : .argmin, axis, keepsAxis: true)
        let values = try gather(axis, indices)
        return keepsAxis ? (values, indices) : (try values.squeezed(axis), try indices.squeezed(axis))
    }

    /// y = product over `axes`. dx_i = g · product of the others, exact also where elements are zero.
    public func product(_ axes: [Int]? = nil, keepsAxes: Bool = false) throws -> Tensor {
        if dtype.isHalf { return try computing.product(axes, keepsAxes: keepsAxes) }
        let mask = try axisMask(axes, "prod")
        if mask == 0 { return self }
        let y = try reduced(.prod, axes: mask)
        let x = detached
        let original = shape
        let result = recorded("prod", y.view, self, saves: [x.view]) { g in
            // Reduced axes to the end and flattened: others_i = (x_1 … x_{i-1}) (x_{i+1} … x_n).
            let order =
                original.indices.filter { mask >> UInt32($0) & 1 == 0 }
                + original.indices.filter { mask >> UInt32($0) & 1 == 1 }
            let turned = try x.permuted(order)
            let n = turned.elementCount / max(y.elementCount, 1)
            let rows = try turned.reshaped([y.elementCount, n])
            let one = try Tensor.ones([y.elementCount, 1], x.dtype, on: x.backend)
            var left = [one]
            var right = [one]
            for i in stride(from: 1, to: n, by: 1) {
                left.append(try left[i - 1].multiplied(by: rows.sliced(1, from: i - 1, to: i)))
                right.append(try right[i - 1].multiplied(by: rows.sliced(1, from: n - i, to: n - i + 1)))
            }
            let others = try Tensor.concatenated(left, axis: 1).multiplied(
                by: Tensor.concatenated(right.reversed(), axis: 1))
            let flat = try others.multiplied(by: g.reshaped([y.elementCount, 1]))
            var inverse = order
            for (position, axis) in order.enumerated() { inverse[axis] = position }
            return [try flat.reshaped(turned.shape).permuted(inverse)]
        }
        return keepsAxes ? try result.keeping(mask, of: original) : result
    }

    /// y = sum (x - mean)² / max(n - correction, 0): NaN where there are too few elements.
    public func variance(_ axes: [Int]? = nil, correction: Double = 1, keepsAxes: Bool = false) throws -> Tensor {
        if !dtype.isFloat {
            return try converted(to: .float32).variance(axes, correction: correction, keepsAxes: keepsAxes)
        }
        let centered = try subtracting(mean(axes, keepsAxes: true))
        let total = try centered.square().sum(axes, keepsAxes: keepsAxes)
        let count = Double(elementCount) / Double(max(total.elementCount, 1))
        return try total.multiplied(by: 1 / Swift.max(count - correction, 0))
    }

    /// The root of the variance; where it is 0 its gradient is 0.
    public func standardDeviation(
        _ axes: [Int]? = nil, correction: Double = 1, keepsAxes: Bool = false
    ) throws -> Tensor {
        let variance = try variance(axes, correction: correction, keepsAxes: keepsAxes)
        let y = try variance.detached.sqrt()
        return variance.recorded("std", y.view, variance, saves: [y.view]) { g in
            let slope = try g.allocateLike()
            try g.backend.unaryBackward(.sqrt, grad: g.view, x: y.view, 0, 0, out: slope)
            let zero = try Tensor.scalar(0, y.dtype, on: y.backend)
            return [try Tensor.select(Tensor.compare(.equal, y, zero), zero, Tensor(slope))]
        }
    }

    /// y = (Σ |x|^p)^(1/p); p = ±infinity gives the largest or smallest |x|, p = 0 counts what is not 0.
    ///
    /// dx = g sgn(x) |x|^(p-1) y^(1-p), 0 where x or y is 0; for p = 0 it is 0 everywhere. Conventions of PyTorch.
    public func norm(p: Double = 2, _ axes: [Int]? = nil, keepsAxes: Bool = false) throws -> Tensor {
        guard dtype.isFloat else { return try converted(to: .float32).norm(p: p, axes, keepsAxes: keepsAxes) }
        if p.isInfinite { return try abs().extremum(p > 0 ? .max : .min, axes, keepsAxes: keepsAxes) }
        if p == 1 { return try abs().sum(axes, keepsAxes: keepsAxes) }
        let mask = try axisMask(axes, "norm")
        let x = detached
        let zero = try Tensor.scalar(0, dtype, on: backend)
        let original = shape
        let y: Tensor
        switch p {
        case 0: y = try Tensor.compare(.notEqual, x, zero).converted(to: dtype).reduced(.sum, axes: mask)
        case 2: y = try reduced(.sumSquares, axes: mask).sqrt()
        default: y = try x.abs().power(p).reduced(.sum, axes: mask).power(1 / p)
        }
        let result = recorded("norm", y.view, self, saves: [x.view, y.view]) { g in
            if p == 0 { return [try Tensor.zeros(original, g.dtype, on: g.backend)] }
            let isZero = try Tensor.compare(.equal, y, zero)
            if p == 2 {
                let scale = try Tensor.select(isZero, zero, g.divided(by: y))
                return [try x.multiplied(by: scale.keeping(mask, of: original))]
            }
            let scale = try Tensor.select(isZero, zero, g.multiplied(by: y.power(1 - p)))
            let slope = try x.unary(.sign).multiplied(by: x.abs().power(p - 1))
            let own = try Tensor.select(Tensor.compare(.equal, x, zero), zero, slope)
            return [try own.multiplied(by: scale.keeping(mask, of: original))]
        }
        return keepsAxes ? try result.keeping(mask, of: original) : result
    }
}
