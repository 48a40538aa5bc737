import BSSBackend
import BSSCore

/// A matrix as BLAS reads it: row-major with a row stride, possibly stored turned.
private struct Matrix {
    let view: ArrayView
    let isTransposed: Bool
    let leading: Int

    /// The last two axes as a BLAS operand, or nil if neither runs without gaps.
    init?(_ view: ArrayView) {
        let r = view.shape.rank
        let rows = view.shape[r - 2]
        let columns = view.shape[r - 1]
        let rowStep = view.strides[r - 2]
        let columnStep = view.strides[r - 1]
        self.view = view
        if rows == 0 || columns == 0 {  // nothing is read
            isTransposed = false
            leading = max(columns, 1)
        } else if (columnStep == 1 || columns == 1) && (rows == 1 || rowStep >= max(columns, 1)) {
            isTransposed = false
            leading = rows == 1 ? max(columns, 1) : rowStep
        } else if (rowStep == 1 || rows == 1) && (columns == 1 || columnStep >= max(rows, 1)) {
            isTransposed = true
            leading = columns == 1 ? max(rows, 1) : columnStep
        } else {
            return nil
        }
    }
}

extension Matrix {
    /// Of rows without gaps.
    init(dense view: ArrayView) throws {
        guard let matrix = Matrix(view) else {
            throw BSSError("matmul", "rows of \(view.shape) have gaps, strides \(view.strides)")
        }
        self = matrix
    }
}

extension Tensor {
    private static func innerSizesDiffer(_ a: Tensor, _ b: Tensor) -> BSSError {
        BSSError(
            "matmul", "inner sizes differ, \(a.shape) × \(b.shape)",
            hint: "the last size of the first must equal the second-last of the second")
    }

    /// Of integers, exact, wrapping as their sums do: one outer product a position of the inner axis.
    private static func integerProduct(_ a: Tensor, _ b: Tensor) throws -> Tensor {
        guard a.shape.last == (b.rank == 1 ? b.shape[0] : b.shape[b.rank - 2]) else { throw innerSizesDiffer(a, b) }
        if a.rank == 1 {
            return try integerProduct(a.reshaped([1, a.shape[0]]), b).squeezed(b.rank == 1 ? 0 : -2)
        }
        if b.rank == 1 { return try integerProduct(a, b.reshaped([b.shape[0], 1])).squeezed(-1) }
        let (x, y) = (try a.converted(to: .int64), try b.converted(to: .int64))
        let inner = a.shape[a.rank - 1]
        func part(_ k: Int) throws -> Tensor {
            try x.sliced(-1, from: k, to: k + 1).multiplied(by: y.sliced(-2, from: k, to: k + 1))
        }
        // Sums of nothing: 0 in the right shape.
        guard inner > 0 else {
            return try x.sum([-1], keepsAxes: true).multiplied(by: y.sum([-2], keepsAxes: true))
        }
        return try (1..<inner).reduce(part(0)) { try $0.adding(part($1)) }
    }

    /// y = a b with NumPy's matmul rules: vectors are promoted, leading axes broadcast.
    ///
    /// a: [.., M, K], b: [.., K, N] → [.., M, N]. da = g bᵀ, db = aᵀ g, summed over broadcast axes.
    public func matmul(_ other: Tensor) throws -> Tensor {
        let a = self
        let b = other
        guard a.rank >= 1, b.rank >= 1 else {
            throw BSSError("matmul", "needs vectors or matrices, got shapes \(a.shape) and \(b.shape)")
        }
        if a.dtype != b.dtype || !a.dtype.isFloat {
            let target = DType.promoted(a.dtype, b.dtype).computing
            guard target.isFloat else { return try Tensor.integerProduct(a, b) }
            return try a.converted(to: target).matmul(b.converted(to: target))
        }
        if a.rank == 1 || b.rank == 1, a.shape.last != (b.rank == 1 ? b.shape[0] : b.shape[b.rank - 2]) {
            throw Tensor.innerSizesDiffer(a, b)
        }
        if a.rank == 1 { return try a.reshaped([1, a.shape[0]]).matmul(b).squeezed(b.rank == 1 ? 0 : -2) }
        if b.rank == 1 { return try a.matmul(b.reshaped([b.shape[0], 1])).squeezed(-1) }
        let m = a.shape[a.rank - 2]
        let k = a.shape[a.rank - 1]
        let n = b.shape[b.rank - 1]
        guard b.shape[b.rank - 2] == k else { throw Tensor.innerSizesDiffer(a, b) }
        if b.rank == 2, a.rank > 2 {
            // One product instead of many: leading axes join the rows.
            var shape = a.shape
            shape[a.rank - 1] = n
            return try a.reshaped([a.shape.array.dropLast().reduce(1, *), k]).matmul(b).reshaped(shape)
        }
        let out = try Tensor.product(a.view, b.view, m, n, k)
        guard Autograd.isRecording, a.node != nil || b.node != nil else { return Tensor(out) }
        let needsA = a.node != nil
        let needsB = b.node != nil
        let x = Tensor(a.view)
        let y = Tensor(b.view)
        return Tensor(
            out,
            node: Node("matmul", [a.node, b.node], saves: (needsA ? [b.view] : []) + (needsB ? [a.view] : [])) { g in
                [
                    needsA ? try g.matmul(y.transposed(-1, -2)).summed(to: x.shape) : nil,
                    needsB ? try x.transposed(-1, -2).matmul(g).summed(to: y.shape) : nil,
                ]
            })
    }

    private static func product(_ a: ArrayView, _ b: ArrayView, _ m: Int, _ n: Int, _ k: Int) throws -> ArrayView {
        func batchShape(_ view: ArrayView) -> Shape { Shape(unchecked: view.shape.array.dropLast(2)) }
        let batch = try Shape.broadcast(batchShape(a), batchShape(b), operation: "matmul")
        var shape = batch
        shape.append(m)
        shape.append(n)
        let out = try allocate(shape, a.dtype, on: a.backend)
        let count = batch.elementCount
        if out.elementCount == 0 { return out }
        let left = try operand(a, batch)
        let right = try operand(b, batch)
        try a.backend.gemm(
            transposeA: left.matrix.isTransposed, transposeB: right.matrix.isTransposed, m: m, n: n, k: k, alpha: 1,
            a: left.matrix.view,
            lda: left.matrix.leading, strideA: left.step, b: right.matrix.view, ldb: right.matrix.leading,
            strideB: right.step, beta: 0,
            out: out, ldc: max(n, 1), strideC: m * n, batch: count)
        return out
    }

    /// The operand with one stride from matrix to matrix over the whole batch; copied where its layout has none.
    private static func operand(_ view: ArrayView, _ batch: Shape) throws -> (matrix: Matrix, step: Int) {
        if let matrix = Matrix(view), let step = uniformStep(view, batch) { return (matrix, step) }
        var full = batch
        full.append(view.shape[view.shape.rank - 2])
        full.append(view.shape[view.shape.rank - 1])
        let copy = try allocate(full, view.dtype, on: view.backend)
        try view.backend.copy(view.broadcast(to: full), out: copy)
        return (try Matrix(dense: copy), full[full.rank - 2] * full[full.rank - 1])
    }

    private static func uniformStep(_ view: ArrayView, _ batch: Shape) -> Int? {
        var full = batch
        full.append(view.shape[view.shape.rank - 2])
        full.append(view.shape[view.shape.rank - 1])
        let wide = view.broadcast(to: full)
        var step: Int?
        var span = 1
        for axis in stride(from: batch.rank - 1, through: 0, by: -1) where batch[axis] > 1 {
            if let known = step {
                if wide.strides[axis] != known * span { return nil }
            } else {
                step = wide.strides[axis]
            }
            span *= batch[axis]
        }
        return step ?? 0
    }

    /// y = epilogue(x w + b); x: [.., I], w: [I, O] (or a turned [O, I] view), b: [O] → [.., O].
    ///
    /// dx = g wᵀ, dw = xᵀ g, db = sum of g over rows; with a ReLU epilogue g is first cut to where y > 0.
    public static func linear(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, epilogue: Epilogue = .none
    ) throws -> Tensor {
        guard weight.rank == 2, x.rank >= 1, x.shape.last == weight.shape[0] else {
            throw BSSError(
                "linear", "input \(x.shape) does not fit weight \(weight.shape)",
                hint: "the input's last size must be the weight's first")
        }
        let inputs = weight.shape[0]
        let outputs = weight.shape[1]
        if let bias, bias.shape != [outputs] {
            throw BSSError("linear", "bias has shape \(bias.shape), needs [\(outputs)]")
        }
        guard x.dtype == weight.dtype, x.dtype.isFloat, bias.map({ $0.dtype == x.dtype }) ?? true else {
            throw BSSError(
                "linear", "input is \(x.dtype.name), weight \(weight.dtype.name)", hint: "convert one with :to()")
        }
        if x.rank != 2 {
            var shape = x.shape
            shape[x.rank - 1] = outputs
            return try linear(
                x.reshaped([x.shape.array.dropLast().reduce(1, *), inputs]), weight, bias, epilogue: epilogue
            )
            .reshaped(shape)
        }
        let rows = x.shape[0]
        let out = try allocate([rows, outputs], x.dtype, on: x.backend)
        let a = try Matrix(x.view) ?? Matrix(dense: x.contiguous().view)
        let b = try Matrix(weight.view) ?? Matrix(dense: weight.contiguous().view)
        try x.backend.gemmBias(
            transposeA: a.isTransposed, transposeB: b.isTransposed, m: rows, n: outputs, k: inputs, a: a.view,
            lda: a.leading, b: b.view,
            ldb: b.leading, bias: bias?.contiguous().view, epilogue: epilogue, out: out, ldc: max(outputs, 1))
        guard Autograd.isRecording, x.node != nil || weight.node != nil || bias?.node != nil else { return Tensor(out) }
        let layer = LinearBack(
            x: a, weight: b, y: epilogue == .relu ? out : nil, needsX: x.node != nil, needsWeight: weight.node != nil,
            needsBias: bias?.node != nil)
        return Tensor(out, node: Node("linear", [x.node, weight.node, bias?.node], saves: layer.saves, layer.pull))
    }
}

/// What the way back through a linear layer needs.
private final class LinearBack {
    private let x: Matrix, weight: Matrix
    /// The result, where a ReLU cut it.
    private let y: ArrayView?
    private let needsX: Bool, needsWeight: Bool, needsBias: Bool

    init(x: Matrix, weight: Matrix, y: ArrayView?, needsX: Bool, needsWeight: Bool, needsBias: Bool) {
        (self.x, self.weight, self.y) = (x, weight, y)
        (self.needsX, self.needsWeight, self.needsBias) = (needsX, needsWeight, needsBias)
    }

    var saves: [ArrayView] {
        (needsWeight ? [x.view] : []) + (needsX ? [weight.view] : []) + (y.map { [$0] } ?? [])
    }

    func pull(_ upstream: Tensor) throws -> [Tensor?] {
        let backend = upstream.backend
        let dtype = upstream.dtype
        let rows = upstream.shape[0]
        let outputs = upstream.shape[1]
        let inputs = x.view.shape[1]
        // Rows without gaps, if not one after the other: the gradient of a concatenation is a window of a wider array.
        let strides = upstream.view.strides
        let isRows = (strides[1] == 1 || outputs == 1) && (strides[0] >= outputs || rows <= 1) && strides[0] > 0
        var g = isRows ? upstream.view : try upstream.contiguous().view
        let cut = try y.map { _ in try Tensor.allocate([rows, outputs], dtype, on: backend) }
        let db = needsBias ? try Tensor.allocate([outputs], dtype, on: backend) : nil
        if cut != nil || db != nil { try backend.linearBackward(grad: g, y: y, out: cut, biasOut: db) }
        if let cut { g = cut }
        let ldg = max(rows > 1 ? g.strides[0] : outputs, 1)
        var dx: ArrayView?
        var dw: ArrayView?
        if needsX {
            let out = try Tensor.allocate([rows, inputs], dtype, on: backend)
            try backend.gemm(
                transposeA: false, transposeB: !weight.isTransposed, m: rows, n: inputs, k: outputs, alpha: 1, a: g,
                lda: ldg, strideA: 0, b: weight.view,
                ldb: weight.leading, strideB: 0, beta: 0, out: out, ldc: max(inputs, 1), strideC: 0, batch: 1)
            dx = out
        }
        if needsWeight {
            let out = try Tensor.allocate([inputs, outputs], dtype, on: backend)
            try backend.gemm(
                transposeA: !x.isTransposed, transposeB: false, m: inputs, n: outputs, k: rows, alpha: 1, a: x.view,
                lda: x.leading, strideA: 0, b: g,
                ldb: ldg, strideB: 0, beta: 0, out: out, ldc: max(outputs, 1), strideC: 0, batch: 1)
            dw = out
        }
        return [dx.map { Tensor($0) }, dw.map { Tensor($0) }, db.map { Tensor($0) }]
    }
}
