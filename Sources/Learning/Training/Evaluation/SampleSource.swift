import BSSBackend
import BSSCore
import BSSData
import BSSTensor

/// What training needs to know of a dataset. Rows number all samples of all splits from 0.
public protocol SampleSource: AnyObject {
    var name: String { get }
    var modalities: [String] { get }
    /// Without the batch axis.
    func sampleShape(_ modality: Int) -> [Int]
    var classes: Int { get }
    /// The class column (0 ..< classes) of every row.
    var classColumns: [Int] { get }
    /// Rows of a split; empty if the dataset has none.
    func rows(_ split: SplitName) -> [Int]
    /// Says which batches will be asked for next: `rows` in portions of `batchSize`, of each portion the `modalities`
    /// in turn, all with the same `augments` and `random`. A source that reads files may read ahead; nothing else
    /// depends on it.
    func announce(_ modalities: [Int], rows: [Int], batchSize: Int, augments: Bool, random: RandomStream)
    /// All samples of a modality [n, …] in the memory of the device, where batches are gathered; nil: only `batch` has
    /// them.
    func resident(_ modality: Int) throws -> Tensor?
    /// Samples [B, …] of one modality. `augments` asks for training transforms, where the dataset has any; their draws
    /// are `random`'s (one stream an epoch) by sample, whatever batch a sample is in.
    func batch(_ modality: Int, rows: [Int], augments: Bool, random: RandomStream) throws -> Tensor
    /// How a row is named in messages.
    func describe(row: Int) -> String
    /// Hash of the data, for run records.
    var fingerprint: String { get throws }
}

extension SampleSource {
    public func announce(_ modalities: [Int], rows: [Int], batchSize: Int, augments: Bool, random: RandomStream) {}

    public func resident(_ modality: Int) throws -> Tensor? { nil }

    func position(of modality: String) -> Int { modalities.firstIndex(of: modality) ?? 0 }
    /// Positions of a model's modalities, in its order.
    func positions(of modalities: [String]) -> [Int] { modalities.map(position) }
    /// A batch of every modality that a model has, in its order; what is not made often.
    func inputs(_ modalities: [String], rows: [Int], augments: Bool, random: RandomStream) throws -> [Tensor] {
        try positions(of: modalities).map { try batch($0, rows: rows, augments: augments, random: random) }
    }
    /// Some rows as messages name them.
    func describe(rows: [Int]) -> String {
        rows.prefix(8).map(describe).joined(separator: ", ") + (rows.count > 8 ? ", …" : "")
    }
}

/// A dataset as training sees it.
public final class DatasetSource: SampleSource {
    public let dataset: Dataset
    private let loader: BatchLoader
    private var residents: [Int: Tensor] = [:]

    public init(_ dataset: Dataset) {
        self.dataset = dataset
        loader = BatchLoader(
            dataset.modalities.map(\.stream), threads: dataset.loading.threads, limit: dataset.loading.limit)
    }

    public var name: String { dataset.name }
    public private(set) lazy var modalities: [String] = dataset.modalities.map(\.name)
    public func sampleShape(_ modality: Int) -> [Int] { dataset.modalities[modality].shape }
    public var classes: Int { dataset.classCount }
    public var classColumns: [Int] { dataset.labels }
    public func rows(_ split: SplitName) -> [Int] { dataset.indices(split) }
    public var fingerprint: String { get throws { try dataset.treeHash } }
    public func describe(row: Int) -> String { dataset.ids[row] }

    public func resident(_ modality: Int) throws -> Tensor? {
        let source = dataset.modalities[modality]
        guard source.stream == nil else { return nil }
        if let known = residents[modality], known.backend === Devices.current { return known }
        let made = try Tensor.resident(
            source.values, Shape([dataset.count] + source.shape, operation: "dataset \(name)"))
        residents[modality] = made
        return made
    }

    public func batch(_ modality: Int, rows: [Int], augments: Bool, random: RandomStream) throws -> Tensor {
        let source = dataset.modalities[modality]
        if source.stream != nil {
            let (sample, blocks) = try loader.samples(modality, rows: rows, augments: augments, random: random)
            return try Tensor.written(try Shape([rows.count] + sample, operation: "batch")) {
                (out: UnsafeMutableBufferPointer<Float>) in
                guard let start = out.baseAddress, let size = blocks.first?.count else { return }
                for (place, block) in blocks.enumerated() {
                    block.withUnsafeBufferPointer { values in
                        if let from = values.baseAddress { (start + place * size).update(from: from, count: size) }
                    }
                }
            }
        }
        let shape = try Shape([rows.count] + source.shape, operation: "batch")
        return try Tensor.written(shape) { (out: UnsafeMutableBufferPointer<Float>) in
            if let start = out.baseAddress { source.copyRows(rows, to: start) }
        }
    }

    public func announce(_ modalities: [Int], rows: [Int], batchSize: Int, augments: Bool, random: RandomStream) {
        loader.announce(modalities, rows: rows, batchSize: batchSize, augments: augments, random: random)
    }
}
