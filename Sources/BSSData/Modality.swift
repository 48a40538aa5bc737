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
    }

    public let name: String
    public let kind: Kind
    /// Of one sample.
    public let shape: [Int]
    /// [samples × size], sample after sample.
    public internal(set) var values: [Float]
    /// What was subtracted and divided by, if anything.
    public internal(set) var standardisation: Standardisation?

    /// Numbers in one sample.
    public var size: Int { shape.reduce(1, *) }
    public var count: Int { size == 0 ? 0 : values.count / size }

    public init(_ name: String, _ kind: Kind, shape: [Int], values: [Float]) {
        self.name = name
        self.kind = kind
        self.shape = shape
        self.values = values
    }

    /// Copies the rows of the given samples, in that order, to `target` (`indices.count × size` numbers).
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

    /// The rows of the given samples, in that order.
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
        var sum = [Double](repeating: 0, count: layout.columns), squares = sum
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
        let shift = mean, scale = deviation.map { 1 / $0 }
        let samples = Array(0..<modality.count)
        modality.values.withUnsafeMutableBufferPointer { x in
            layout.visit(samples) { column, at in x[at] = Float((Double(x[at]) - shift[column]) * scale[column]) }
        }
    }

    /// Which column each number of a sample belongs to.
    private struct Layout {
        let size, columns, perColumn: Int
        let isChannelFirst: Bool

        init(_ modality: Modality) {
            size = modality.size
            isChannelFirst = modality.kind == .audio || modality.kind == .image
            columns = (isChannelFirst ? modality.shape.first : modality.shape.last) ?? 1
            perColumn = columns == 0 ? 0 : size / columns
        }

        @inline(__always)
        func visit(_ samples: [Int], _ body: (Int, Int) -> Void) {
            for sample in samples {
                var at = sample * size
                if isChannelFirst {
                    for column in 0..<columns { for _ in 0..<perColumn { body(column, at); at += 1 } }
                } else {
                    for _ in 0..<perColumn { for column in 0..<columns { body(column, at); at += 1 } }
                }
            }
        }
    }
}
