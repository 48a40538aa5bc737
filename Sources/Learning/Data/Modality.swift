import BSSCore
import CBSSKernels

/// One modality of a dataset: a row of numbers for every sample, all of one shape, contiguous.
public struct Modality {
    public enum Kind: String, CaseIterable {
        /// [columns]
        case features
        /// [channels, frequency, time], a spectrogram
        case audio
        /// [channels, height, width]
        case image
        /// [steps, columns]
        case sequence
        /// [frames, channels, height, width], or [channels, frames, height, width] for 3D convolutions
        case video
        /// [3, length]: token ids, attention mask, segment of each token
        case text

        /// Axes of one sample.
        var rank: Int {
            switch self {
            case .features: return 1
            case .sequence, .text: return 2
            case .audio, .image: return 3
            case .video: return 4
            }
        }
    }

    public let name: String
    public let kind: Kind
    /// Of one sample; of one that is evaluated where augmented ones have another.
    public let shape: [Int]
    /// [samples × size], sample after sample; empty where samples are read when they are asked for.
    public internal(set) var values: [Float]
    /// Where samples are read from, if they are not in memory.
    public let stream: ModalityStream?
    /// What was subtracted and divided by, if anything.
    public internal(set) var standardisation: Standardisation?

    /// Numbers in one sample.
    public var size: Int { shape.reduce(1, *) }
    public var count: Int { stream?.count ?? (size == 0 ? 0 : values.count / size) }

    public init(_ name: String, _ kind: Kind, shape: [Int], stream: ModalityStream) {
        self.name = name
        self.kind = kind
        self.shape = shape
        self.stream = stream
        values = []
    }

    public init(_ name: String, _ kind: Kind, shape: [Int], values: [Float]) {
        stream = nil
        self.name = name
        self.kind = kind
        self.shape = shape
        self.values = values
    }

    /// Copies the rows of the given samples, in that order, to `target` (`indices.count × size` numbers); in memory
    /// only.
    public func copyRows(_ indices: [Int], to target: UnsafeMutablePointer<Float>) {
        let size = self.size
        values.withUnsafeBufferPointer { from in
            indices.withUnsafeBufferPointer { rows in
                guard let values = from.baseAddress, let first = rows.baseAddress else { return }
                _ = first.withMemoryRebound(to: Int64.self, capacity: rows.count) {
                    bss_index_select(BSS_F32, 1, Int64(count), Int64(size), values, $0, Int64(rows.count), target)
                }
            }
        }
    }

    /// One sample as it is evaluated.
    func sample(_ index: Int) throws -> [Float] {
        try stream?.read(index, augments: false, random: RandomStream(seed: 0, name: "sample")).values ?? rows([index])
    }

    /// The rows of the given samples, in that order; in memory only.
    public func rows(_ indices: [Int]) -> [Float] {
        guard !indices.isEmpty, size > 0 else { return [] }
        return [Float](unsafeUninitializedCapacity: indices.count * size) { to, filled in
            copyRows(indices, to: to.baseAddress!)
            filled = indices.count * size
        }
    }
}

/// (x - mean) / deviation by column, fitted on the training split alone.
///
/// A column is one feature (`features`, `sequence`: the last axis) or one channel (`audio`, `image`: the first axis).
/// The deviation is the population one; a column that is constant on the training split is only centred.
public struct Standardisation {
    public let mean, deviation: [Double]
    /// Columns that never change on the training split.
    public let constantColumns: [Int]

    init(fitting modality: Modality, on samples: [Int]) {
        let layout = Standardisation.Layout(modality)
        var sum = [Double](repeating: 0, count: layout.columns)
        var squares = sum
        let count = Double(samples.count * layout.perColumn)
        modality.values.withUnsafeBufferPointer { x in
            layout.visit(samples) { column, at in sum[column] += Double(x[at]) }
        }
        let mean = sum.map { $0 / count }
        modality.values.withUnsafeBufferPointer { x in
            layout.visit(samples) { column, at in
                let d = Double(x[at]) - mean[column]
                squares[column] += d * d
            }
        }
        self.mean = mean
        let raw = squares.map { ($0 / count).squareRoot() }
        // Rounding leaves a trace of spread in a constant column: relative to its size it is below float precision.
        let isConstant = raw.indices.map { raw[$0] <= 1e-7 * abs(mean[$0]) || raw[$0] < 1e-30 }
        constantColumns = raw.indices.filter { isConstant[$0] }
        deviation = raw.indices.map { isConstant[$0] ? 1 : raw[$0] }
    }

    func apply(to modality: inout Modality) {
        let layout = Standardisation.Layout(modality)
        let shift = mean
        let scale = deviation.map { 1 / $0 }
        let samples = Array(0..<modality.count)
        modality.values.withUnsafeMutableBufferPointer { x in
            layout.visit(samples) { column, at in x[at] = Float((Double(x[at]) - shift[column]) * scale[column]) }
        }
    }

    /// Which column each number of a sample belongs to: numbers lie as [outer, columns, inner].
    private struct Layout {
        let size, outer, columns, inner: Int

        init(_ modality: Modality) {
            size = modality.size
            let axis: Int
            switch modality.kind {
            case .audio, .image: axis = 0
            case .video: axis = 1
            case .features, .sequence, .text: axis = modality.shape.count - 1
            }
            columns = modality.shape.indices.contains(axis) ? modality.shape[axis] : 1
            outer = modality.shape.prefix(axis).reduce(1, *)
            inner = modality.shape.dropFirst(axis + 1).reduce(1, *)
        }

        var perColumn: Int { outer * inner }

        @inline(__always)
        func visit(_ samples: [Int], _ body: (Int, Int) -> Void) {
            for sample in samples {
                var at = sample * size
                for _ in 0..<outer {
                    for column in 0..<columns {
                        for _ in 0..<inner {
                            body(column, at)
                            at += 1
                        }
                    }
                }
            }
        }
    }
}
