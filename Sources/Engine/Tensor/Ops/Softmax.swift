import BSSBackend
import BSSCore

extension Tensor {
    /// softmax: p = exp(x - max) / sum; log: x - logsumexp(x); along an axis.
    ///
    /// dx = p (g - Σ g p), or g - exp(y) Σ g for the logarithm.
    public func softmax(axis: Int, log: Bool = false) throws -> Tensor {
        let name = log ? "log_softmax" : "softmax"
        guard dtype.isFloat else { return try converted(to: .float32).softmax(axis: axis, log: log) }
        if rank == 0 { return try reshaped([1]).softmax(axis: 0, log: log).reshaped([]) }
        let axis = try shape.axis(axis, operation: name)
        if axis != rank - 1 { return try transposed(axis, -1).softmax(axis: -1, log: log).transposed(axis, -1) }
        let x = try contiguous()
        let out = try Tensor.allocate(shape, dtype, on: backend)
        try backend.softmax(x.view, log: log, out: out)
        return x.recorded("softmax", out, x, saves: [out]) { g in
            let dx = try Tensor.allocate(g.shape, g.dtype, on: g.backend)
            try g.backend.softmaxBackward(grad: g.contiguous().view, y: out, log: log, out: dx)
            return [Tensor(dx)]
        }
    }

    /// log Σ exp(x) over `axes`.
    public func logSumExp(_ axes: [Int]? = nil, keepsAxes: Bool = false) throws -> Tensor {
        guard dtype.isFloat else { return try converted(to: .float32).logSumExp(axes, keepsAxes: keepsAxes) }
        let mask = try axisMask(axes, "logsumexp")
        let kept = shape.indices.filter { mask >> UInt32($0) & 1 == 0 }
        let gone = shape.indices.filter { mask >> UInt32($0) & 1 == 1 }
        var result = Shape(unchecked: kept.map { shape[$0] })
        let count = gone.map { shape[$0] }.reduce(1, *)
        let rows = try permuted(kept + gone).reshaped([result.elementCount, count]).contiguous()
        let out = try Tensor.allocate([rows.shape[0]], dtype, on: backend)
        try backend.logSumExp(rows.view, out: out)
        let x = rows.detached
        let y = Tensor(out)
        let flat = rows.recorded("logsumexp", out, rows, saves: [rows.view, out]) { g in
            [try x.subtracting(y.unsqueezed(1)).exp().multiplied(by: g.unsqueezed(1))]
        }
        if keepsAxes {
            result = shape
            for axis in gone { result[axis] = 1 }
        }
        return try flat.reshaped(result)
    }
}
