import BSSBackend
import BSSTensor

/// Logits of a pass as its batches come, on the device; the host reads them once, at the end.
struct ScanBuffer {
    private let capacity: Int
    private(set) var count = 0
    private var fused = Column(), total = Column(), fusedLosses = Column()
    private var unimodal, features: [Column]

    /// For `capacity` samples.
    init(modalities: Int, capacity: Int) {
        self.capacity = capacity
        unimodal = Array(repeating: Column(), count: modalities)
        features = unimodal
    }

    /// The next `samples` samples. `loss` [B]: of a fusion that has one of its own.
    mutating func append(
        _ prediction: Prediction, samples: Int, loss: Tensor? = nil, features parts: [Tensor] = []
    ) throws {
        let isOwn = prediction.total !== prediction.fused
        // A method may decide from batch to batch (DOMFN's gate): what was the fused output so far is the total's
        // beginning.
        if isOwn, total.values == nil { try fused.first(count).map { try total.append($0, at: 0, of: capacity) } }
        if isOwn || total.values != nil { try total.append(prediction.total, at: count, of: capacity) }
        try fused.append(prediction.fused, at: count, of: capacity)
        for m in prediction.unimodal.indices {
            try unimodal[m].append(prediction.unimodal[m], at: count, of: capacity)
        }
        try loss.map { try fusedLosses.append($0, at: count, of: capacity) }
        for m in parts.indices { try features[m].append(parts[m], at: count, of: capacity) }
        count += samples
    }

    /// Waits for the batches so far.
    func read() throws -> ScanResult {
        func read(_ column: Column) throws -> [Float] { try column.first(count)?.values() ?? [] }
        return ScanResult(
            fused: try read(fused), unimodal: try unimodal.map(read), total: try read(total),
            features: try features.map(read), fusedLosses: try read(fusedLosses), count: count)
    }
}

/// Rows of one output.
private struct Column {
    /// f32 [capacity, …]; nil before the first rows.
    private(set) var values: Tensor?

    mutating func append(_ part: Tensor, at row: Int, of capacity: Int) throws {
        if values == nil {
            var shape = part.shape
            shape[0] = capacity
            values = Tensor(try Tensor.allocate(shape, .float32, on: part.backend))
        }
        guard var window = values?.view else { return }
        window.offset += row * window.strides[0]
        window.shape[0] = part.shape[0]
        try part.backend.copy(part.view, out: window)
    }

    func first(_ count: Int) throws -> Tensor? { count == 0 ? nil : try values?.sliced(0, from: 0, to: count) }
}
