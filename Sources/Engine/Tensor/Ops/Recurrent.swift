import BSSBackend
import BSSCore

/// LSTM (Hochreiter and Schmidhuber, 1997, with forget gate) or GRU (Cho et al., EMNLP 2014), as PyTorch computes them.
public enum RecurrentCell: String, CaseIterable, Sendable {
    case lstm, gru

    /// Blocks of H rows in its weights: i, f, g, o or r, z, n.
    public var gates: Int { self == .lstm ? 4 : 3 }
}

/// Weights of one layer in one direction, G gates: input [G·H, I], hidden [G·H, H], biases [G·H] or nil.
public struct RecurrentWeights {
    public var input, hidden: Tensor
    public var inputBias, hiddenBias: Tensor?

    public init(input: Tensor, hidden: Tensor, inputBias: Tensor? = nil, hiddenBias: Tensor? = nil) {
        self.input = input
        self.hidden = hidden
        self.inputBias = inputBias
        self.hiddenBias = hiddenBias
    }
}

extension Tensor {
    /// A stack of recurrent layers over x [N, T, I], zero or given initial state.
    ///
    ///     LSTM: c' = f c + i g, h' = o tanh(c');   GRU: h' = (1 - z) n + z h, n = tanh(W x + b + r (V h + d))
    ///
    /// `weights` lists layer 0, layer 1, …; with `isBidirectional` forward then backward of each layer. `lengths` (N
    /// values, 1 … T): steps beyond a sequence's length give 0 and leave its state alone. State: [layers · directions,
    /// N, H]. `between` is applied to the output of every layer but the last (dropout).
    /// - Returns: output [N, T, directions · H], last hidden state, last cell state (LSTM only).
    public func recurrent(
        _ cell: RecurrentCell, _ weights: [RecurrentWeights], isBidirectional: Bool = false, lengths: [Int]? = nil,
        hidden: Tensor? = nil, cellState: Tensor? = nil, between: ((Tensor) throws -> Tensor)? = nil
    ) throws -> (output: Tensor, hidden: Tensor, cellState: Tensor?) {
        let name = cell.rawValue
        let directions = isBidirectional ? 2 : 1
        guard rank == 3, shape[1] >= 1 else {
            throw BSSError(name, "needs shape [N, T, I] with at least one step, got \(shape)")
        }
        guard !weights.isEmpty, weights.count % directions == 0 else {
            throw BSSError(name, "\(weights.count) sets of weights for \(directions) directions")
        }
        let batch = shape[0]
        let steps = shape[1]
        let size = weights[0].hidden.shape.last
        if let lengths, lengths.count != batch || lengths.contains(where: { $0 < 1 || $0 > steps }) {
            throw BSSError(
                name,
                "lengths need \(batch) values from 1 to \(steps), "
                    + "got \(lengths.prefix(8))\(lengths.count > 8 ? "…" : "")")
        }
        for (role, state) in [("hidden", hidden), ("cell", cellState)] {
            guard let state, state.shape != [weights.count, batch, size] else { continue }
            throw BSSError(
                name, "initial \(role) state has shape \(state.shape), needs [\(weights.count), \(batch), \(size)]")
        }
        let window = try RecurrentWindow(lengths: lengths, batch: batch, steps: steps, on: backend)
        var x = try transposed(0, 1).contiguous()  // [T, N, I]: a step is one block of memory
        var lastHidden: [Tensor] = []
        var lastCell: [Tensor] = []
        for layer in 0..<(weights.count / directions) {
            if layer > 0, let between { x = try between(x) }
            var outputs: [Tensor] = []
            for direction in 0..<directions {
                let index = layer * directions + direction
                let w = weights[index]
                try Tensor.checkRecurrent(name, x, w, cell.gates * size, size)
                let h0 = try hidden?.element(at: index)
                let c0 = try cellState?.element(at: index) ?? Tensor.zeros([batch, size], dtype, on: backend)
                let source = try direction == 0 ? x : window.reversed(x)
                let (h, c) = try Tensor.recurrentLayer(cell, source, w, h0, c0)
                lastHidden.append(try window.last(h))
                if let c { lastCell.append(try window.last(c)) }
                outputs.append(try window.cleared(direction == 0 ? h : window.reversed(h)))
            }
            x = try Tensor.concatenated(outputs, axis: 2)
        }
        return (
            try x.transposed(0, 1), try Tensor.stacked(lastHidden, axis: 0),
            lastCell.isEmpty ? nil : try Tensor.stacked(lastCell, axis: 0)
        )
    }

    private static func checkRecurrent(
        _ name: String, _ x: Tensor, _ w: RecurrentWeights, _ rows: Int, _ size: Int
    ) throws {
        guard w.input.shape == [rows, x.shape[2]] else {
            throw BSSError(
                name,
                "input weight has shape \(w.input.shape), "
                    + "input with \(x.shape[2]) features needs [\(rows), \(x.shape[2])]")
        }
        guard w.hidden.shape == [rows, size] else {
            throw BSSError(name, "hidden weight has shape \(w.hidden.shape), needs [\(rows), \(size)]")
        }
        var floats = [("input", x), ("input weight", w.input), ("hidden weight", w.hidden)]
        for case let bias? in [w.inputBias, w.hiddenBias] {
            guard bias.shape == [rows] else { throw BSSError(name, "bias has shape \(bias.shape), needs [\(rows)]") }
            floats.append(("bias", bias))
        }
        try x.checkFloats(name, floats)
    }

    /// All steps of one layer in one direction: x [T, N, I] → h [T, N, H] (and c for LSTM).
    private static func recurrentLayer(
        _ cell: RecurrentCell, _ x: Tensor, _ w: RecurrentWeights, _ h0: Tensor?, _ c0: Tensor
    ) throws -> (Tensor, Tensor?) {
        switch cell {
        case .lstm:
            // Both biases meet before the gates: one sum serves.
            var bias = w.inputBias
            if let inner = w.hiddenBias { bias = try bias.map { try $0 + inner } ?? inner }
            let state = try lstmLayer(linear(x, w.input.transposed(0, 1), bias), h0, c0, w.hidden)
            return (try state.element(at: 0), try state.element(at: 1))
        case .gru:
            let start = try h0 ?? Tensor.zeros(c0.shape, c0.dtype, on: c0.backend)
            return (try gruLayer(linear(x, w.input.transposed(0, 1), w.inputBias), start, w.hidden, w.hiddenBias), nil)
        }
    }

    /// state [2, T, N, H] = (h, c) of every step; gates [T, N, 4H] hold W x + b. Without h0 the first step needs no
    /// product.
    private static func lstmLayer(_ gates: Tensor, _ h0: Tensor?, _ c0: Tensor, _ weight: Tensor) throws -> Tensor {
        let backend = gates.backend
        let dtype = gates.dtype
        let run = RecurrentRun(
            steps: gates.shape[0], batch: gates.shape[1], size: weight.shape[1], gates: 4,
            weight: try weight.view.dense())
        let active = try allocate(gates.shape, dtype, on: backend)
        let state = try allocate([2, run.steps, run.batch, run.size], dtype, on: backend)
        try backend.copy(gates.view, out: active)
        let h = state.at(0)
        let c = state.at(1)
        let firstH = try h0?.view.dense()
        let firstC = try c0.view.dense()
        for t in 0..<run.steps {
            if let previous = t == 0 ? firstH : h.at(t - 1) { try run.addProduct(previous, into: active.at(t)) }
            try backend.lstmCell(
                gates: active.at(t), previousCell: t == 0 ? firstC : c.at(t - 1), cell: c.at(t), hidden: h.at(t))
        }
        return recorded(
            "lstm", state, [gates, h0, c0, weight].compactMap { $0 },
            saves: [state, run.weight, firstC] + (firstH.map { [$0] } ?? [])
        ) { g in
            let dgates = try allocate(active.shape, dtype, on: backend)
            let spare = try allocate(firstC.shape, dtype, on: backend)
            let grads = try allocate(g.shape, dtype, on: backend)
            try backend.copy(g.view, out: grads)
            let dh = grads.at(0)
            let dc = grads.at(1)
            let dh0 = try firstH.map { try allocate($0.shape, dtype, on: backend) }
            for t in (0..<run.steps).reversed() {
                try backend.lstmCellBackward(
                    gates: active.at(t), previousCell: t == 0 ? firstC : c.at(t - 1), cell: c.at(t),
                    hiddenGrad: dh.at(t), cellGrad: dc.at(t),
                    gatesOut: dgates.at(t), previousCellOut: spare)
                if t > 0 { try backend.accumulate(1, spare, into: dc.at(t - 1)) }
                if let target = t > 0 ? dh.at(t - 1) : dh0 {
                    try run.backProduct(dgates.at(t), into: target, isAdded: t > 0)
                }
            }
            return [dgates, dh0, spare, try run.weightGradient(dgates, h, firstH)].compactMap { $0.map { Tensor($0) } }
        }
    }

    /// h [T, N, H] of every step; input [T, N, 3H] holds W x + b.
    private static func gruLayer(_ input: Tensor, _ h0: Tensor, _ weight: Tensor, _ bias: Tensor?) throws -> Tensor {
        let backend = input.backend
        let dtype = input.dtype
        let run = RecurrentRun(
            steps: input.shape[0], batch: input.shape[1], size: weight.shape[1], gates: 3,
            weight: try weight.view.dense())
        let h = try allocate([run.steps, run.batch, run.size], dtype, on: backend)
        let active = try allocate(input.shape, dtype, on: backend)
        let inner = try allocate(input.shape, dtype, on: backend)
        let source = try input.view.dense()
        let firstH = try h0.view.dense()
        if let bias {
            try backend.copy(bias.view.broadcast(to: inner.shape), out: inner)
        } else {
            try backend.fill(inner, 0)
        }
        for t in 0..<run.steps {
            let previous = t == 0 ? firstH : h.at(t - 1)
            try run.addProduct(previous, into: inner.at(t))
            try backend.gruCell(
                input: source.at(t), recurrent: inner.at(t), previousHidden: previous, gates: active.at(t),
                hidden: h.at(t))
        }
        return recorded("gru", h, [input, h0, weight] + (bias.map { [$0] } ?? []), saves: [h, run.weight, firstH]) {
            g in
            let dinput = try allocate(active.shape, dtype, on: backend)
            let dinner = try allocate(active.shape, dtype, on: backend)
            let dh = try allocate(g.shape, dtype, on: backend)
            let dh0 = try allocate(firstH.shape, dtype, on: backend)
            try backend.copy(g.view, out: dh)
            let spare = try allocate(firstH.shape, dtype, on: backend)
            for t in (0..<run.steps).reversed() {
                try backend.gruCellBackward(
                    gates: active.at(t), recurrent: inner.at(t), previousHidden: t == 0 ? firstH : h.at(t - 1),
                    hiddenGrad: dh.at(t),
                    inputOut: dinput.at(t), recurrentOut: dinner.at(t), previousHiddenOut: t > 0 ? spare : dh0)
                if t > 0 { try backend.accumulate(1, spare, into: dh.at(t - 1)) }
                try run.backProduct(dinner.at(t), into: t > 0 ? dh.at(t - 1) : dh0, isAdded: true)
            }
            let dbias = bias == nil ? nil : try Tensor(dinner).reduced(.sum, axes: 0b11)
            return [Tensor(dinput), Tensor(dh0), Tensor(try run.weightGradient(dinner, h, firstH)), dbias]
        }
    }
}

extension ArrayView {
    /// Block `index` along the first axis of a contiguous array.
    fileprivate func at(_ index: Int) -> ArrayView {
        var part = self
        part.offset += index * strides[0]
        part.shape.remove(at: 0)
        part.strides.remove(at: 0)
        return part
    }
}

/// The products with the hidden weight V [G·H, H] that every step needs.
private struct RecurrentRun {
    let steps, batch, size, gates: Int
    let weight: ArrayView

    var rows: Int { gates * size }

    /// gates += h Vᵀ
    func addProduct(_ h: ArrayView, into gates: ArrayView) throws {
        try gates.backend.gemm(
            transposeA: false, transposeB: true, m: batch, n: rows, k: size, alpha: 1, a: h, lda: size, strideA: 0,
            b: weight, ldb: size,
            strideB: 0, beta: 1, out: gates, ldc: rows, strideC: 0, batch: 1)
    }

    /// dh (+)= dgates V
    func backProduct(_ dgates: ArrayView, into dh: ArrayView, isAdded: Bool) throws {
        try dh.backend.gemm(
            transposeA: false, transposeB: false, m: batch, n: size, k: rows, alpha: 1, a: dgates, lda: rows,
            strideA: 0, b: weight,
            ldb: size, strideB: 0, beta: isAdded ? 1 : 0, out: dh, ldc: size, strideC: 0, batch: 1)
    }

    /// dV = Σ_t dgates_tᵀ h_{t-1}: the first step reads h0 (nil = zeros), the others are one long product.
    func weightGradient(_ dgates: ArrayView, _ h: ArrayView, _ h0: ArrayView?) throws -> ArrayView {
        let out = try Tensor.allocate([rows, size], dgates.dtype, on: dgates.backend)
        func add(_ d: ArrayView, _ previous: ArrayView, _ count: Int, beta: Double) throws {
            try out.backend.gemm(
                transposeA: true, transposeB: false, m: rows, n: size, k: count, alpha: 1, a: d, lda: rows, strideA: 0,
                b: previous, ldb: size,
                strideB: 0, beta: beta, out: out, ldc: size, strideC: 0, batch: 1)
        }
        if let h0 { try add(dgates.at(0), h0, batch, beta: 0) }
        if steps > 1 { try add(dgates.at(1), h, (steps - 1) * batch, beta: h0 == nil ? 0 : 1) }
        if h0 == nil, steps == 1 { try out.backend.fill(out, 0) }
        return out
    }
}

/// Where sequences of unequal length end, in arrays [T, N, ·].
private struct RecurrentWindow {
    let steps, batch: Int
    /// Row of [T·N, ·] that holds the last step of each sequence, the mirrored row of every row, and the rows to clear.
    private let lastRows: Tensor?
    private let mirrored: Tensor
    private let isBeyond: Tensor?

    init(lengths: [Int]?, batch: Int, steps: Int, on backend: any Backend) throws {
        self.steps = steps
        self.batch = batch
        func length(_ n: Int) -> Int { lengths?[n] ?? steps }
        let rows = 0..<steps * batch
        mirrored = try Tensor.from(
            rows.map { row in
                let t = row / batch
                let n = row % batch
                return t < length(n) ? (length(n) - 1 - t) * batch + n : row
            }, on: backend)
        lastRows = try lengths.map { lengths in
            try Tensor.from(lengths.enumerated().map { ($1 - 1) * batch + $0 }, on: backend)
        }
        isBeyond = try lengths.map { lengths in
            try Tensor.from(rows.map { $0 / batch >= lengths[$0 % batch] }, [steps, batch, 1], on: backend)
        }
    }

    /// Every sequence back to front within its length; its own inverse.
    func reversed(_ x: Tensor) throws -> Tensor {
        try x.reshaped([steps * batch, x.shape[2]]).indexSelect(0, mirrored).reshaped(x.shape)
    }

    /// The state after the last valid step, [N, H].
    func last(_ h: Tensor) throws -> Tensor {
        guard let lastRows else { return try h.element(at: steps - 1) }
        return try h.reshaped([steps * batch, h.shape[2]]).indexSelect(0, lastRows)
    }

    func cleared(_ h: Tensor) throws -> Tensor { try isBeyond.map { try h.masked($0, with: 0) } ?? h }
}
