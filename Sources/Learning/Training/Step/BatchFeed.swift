import BSSBackend
import BSSCore
import BSSTensor

/// Batches of some rows in their order: gathered on the device, in one call, from what is resident there; the rest as
/// the source makes it.
struct BatchFeed {
    let rows: [Int]
    private let source: any SampleSource
    private let modalities: [Int]
    /// `rows` on the device.
    private let order: Tensor
    /// By modality; then the labels, if they are wanted.
    private let residents: [Tensor?]
    private let labels: Tensor?
    private let augments: Bool
    private let random: RandomStream

    /// Says to the source what will be asked for. `labels`: i64 of all rows of the source.
    init(
        _ source: any SampleSource, _ names: [String], rows: [Int], batchSize: Int, augments: Bool,
        random: RandomStream, labels: Tensor?
    ) throws {
        (self.source, self.rows, self.labels) = (source, rows, labels)
        (self.augments, self.random) = (augments, random)
        modalities = source.positions(of: names)
        residents = try modalities.map(source.resident)
        order = try Tensor.resident(rows, [rows.count])
        source.announce(modalities, rows: rows, batchSize: batchSize, augments: augments, random: random)
    }

    /// Everything that a batch reads is gathered on the device.
    var isResident: Bool { !residents.contains { $0 == nil } }

    /// Samples of every modality [B, …], labels [B] if they are wanted, and where they were gathered from.
    struct Batch {
        let inputs: [Tensor]
        let labels: Tensor?
        fileprivate let parts: [RowGather]
    }

    /// Some of the rows.
    func batch(_ range: Range<Int>) throws -> Batch {
        var parts: [RowGather] = []
        func gathered(_ all: Tensor) throws -> Tensor {
            var shape = all.shape
            shape[0] = range.count
            let out = try Tensor.allocate(shape, all.dtype, on: all.backend)
            out.storage.markIndices(below: all.view.storage.indexLimit)
            parts.append(RowGather(all.view, to: out))
            return Tensor(out)
        }
        let inputs = try zip(modalities, residents).map { modality, resident in
            if let resident { return try gathered(resident) }
            return try source.batch(modality, rows: Array(rows[range]), augments: augments, random: random)
        }
        let labels = try self.labels.map(gathered)
        let batch = Batch(inputs: inputs, labels: labels, parts: parts)
        try fill(batch, range)
        return batch
    }

    /// Other rows, as many, in the memory of a batch; what is not resident stays.
    func fill(_ batch: Batch, _ range: Range<Int>) throws {
        if batch.parts.isEmpty { return }
        var window = order.view
        (window.offset, window.shape[0]) = (range.lowerBound, range.count)
        try order.backend.gatherRows(batch.parts, rows: window)
    }
}
