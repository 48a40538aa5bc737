import BSSCore

/// (x - mean) / deviation by column, fitted on the training split alone.
///
/// A column is one feature (`features`, `sequence`: the last axis) or one channel (`audio`, `image`: the first axis,
/// `video`: the second). The deviation is the population one; a column that is constant on the training split is only
/// centred. Samples that are read while training are read twice more to fit it, with the same bits. Numbers that
/// float32 cannot hold are rounded to it once this is done.
public struct Standardisation: Sendable, Equatable {
    public let mean, deviation: [Double]
    /// Columns that never change on the training split.
    public let constantColumns: [Int]
    private let scale: [Double]

    public init(mean: [Double], deviation: [Double], constantColumns: [Int] = []) {
        (self.mean, self.deviation, self.constantColumns) = (mean, deviation, constantColumns)
        scale = deviation.map { 1 / $0 }
    }

    /// - Throws: kind `.data`: a streamed sample that cannot be read.
    init(fitting modality: Modality, on samples: [Int]) throws {
        let layout = Layout(modality.kind, modality.shape)
        let count = samples.count * layout.perColumn
        // Rounding leaves a trace of spread in a constant column: of numbers of float32, or of a sum of doubles.
        guard !modality.exact.isEmpty else {
            try self.init(layout, count, trace: 1e-7) { try modality.visit(samples, $0) }
            return
        }
        self.init(layout, count, trace: min(1e-7, Double(count) * Double.ulpOfOne)) { body in
            modality.exact.withUnsafeBufferPointer { Modality.visit($0, samples, size: modality.size, body) }
        }
    }

    /// - Parameters:
    ///   - count: numbers in a column.
    ///   - trace: a spread below this share of the mean is none.
    private init<Number: BinaryFloatingPoint>(
        _ layout: Layout, _ total: Int, trace: Double, _ visit: ((UnsafeBufferPointer<Number>) -> Void) throws -> Void
    ) rethrows {
        var sum = [Double](repeating: 0, count: layout.columns)
        var squares = sum
        let count = Double(total)
        try visit { x in layout.visit { column, at in sum[column] += Double(x[at]) } }
        let mean = sum.map { $0 / count }
        try visit { x in
            layout.visit { column, at in
                let d = Double(x[at]) - mean[column]
                squares[column] += d * d
            }
        }
        let raw = squares.map { ($0 / count).squareRoot() }
        let isConstant = raw.indices.map { raw[$0] <= trace * abs(mean[$0]) || raw[$0] < 1e-30 }
        self.init(
            mean: mean, deviation: raw.indices.map { isConstant[$0] ? 1 : raw[$0] },
            constantColumns: raw.indices.filter { isConstant[$0] })
    }

    /// One sample, of the kind and shape that the columns are counted in.
    public func apply(to x: UnsafeMutableBufferPointer<Float>, _ kind: Modality.Kind, _ shape: [Int]) {
        Layout(kind, shape).visit { column, at in
            x[at] = Float((Double(x[at]) - mean[column]) * scale[column])
        }
    }

    /// The same of more exact numbers.
    fileprivate func apply(
        to exact: UnsafeBufferPointer<Double>, _ kind: Modality.Kind, _ shape: [Int],
        into x: UnsafeMutableBufferPointer<Float>
    ) {
        Layout(kind, shape).visit { column, at in x[at] = Float((exact[at] - mean[column]) * scale[column]) }
    }

    /// Undoes one standardisation of a sample and applies another, in one step of f64.
    public static func exchange(
        _ x: UnsafeMutableBufferPointer<Float>, _ kind: Modality.Kind, _ shape: [Int], from: Standardisation?,
        to: Standardisation?
    ) {
        Layout(kind, shape).visit { column, at in
            var value = Double(x[at])
            if let from { value = value * from.deviation[column] + from.mean[column] }
            if let to { value = (value - to.mean[column]) * to.scale[column] }
            x[at] = Float(value)
        }
    }

    /// Numbers decide: which columns are constant is told by them.
    public static func == (a: Standardisation, b: Standardisation) -> Bool {
        a.mean == b.mean && a.deviation == b.deviation
    }

    /// The columns of a sample.
    public static func columns(_ kind: Modality.Kind, _ shape: [Int]) -> Int { Layout(kind, shape).columns }

    /// Which column each number of a sample belongs to: numbers lie as [outer, columns, inner].
    private struct Layout {
        let outer, columns, inner: Int

        init(_ kind: Modality.Kind, _ shape: [Int]) {
            let axis: Int
            switch kind {
            case .audio, .image: axis = 0
            case .video: axis = 1
            case .features, .sequence, .text: axis = shape.count - 1
            }
            columns = shape.indices.contains(axis) ? shape[axis] : 1
            outer = shape.prefix(axis).reduce(1, *)
            inner = shape.dropFirst(axis + 1).reduce(1, *)
        }

        var perColumn: Int { outer * inner }

        @inline(__always)
        func visit(_ body: (Int, Int) -> Void) {
            var at = 0
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

extension Modality {
    /// The numbers of each of the samples in turn, as they are evaluated.
    fileprivate func visit(_ samples: [Int], _ body: (UnsafeBufferPointer<Float>) -> Void) throws {
        guard let stream else {
            values.withUnsafeBufferPointer { Modality.visit($0, samples, size: size, body) }
            return
        }
        let operation = "standardising \(name)"
        let clock = LoadingClock("fitting the standardisation of \(name)", of: samples.count)
        for first in stride(from: 0, to: samples.count, by: 64) {
            let portion = samples[first..<min(samples.count, first + 64)]
            let blocks = try Parallel.map(portion.count, operation: operation) { place in
                Result { try stream.sample(portion[first + place]) }
            }
            for (sample, block) in zip(portion, blocks) {
                let block = try block.get()
                guard block.shape == shape else {
                    throw stream.media[sample].damage("gives shape \(block.shape), another file gives \(shape)")
                }
                block.values.withUnsafeBufferPointer(body)
            }
            clock.report(first + portion.count)
        }
    }

    fileprivate static func visit<Number>(
        _ values: UnsafeBufferPointer<Number>, _ samples: [Int], size: Int,
        _ body: (UnsafeBufferPointer<Number>) -> Void
    ) {
        for sample in samples { body(UnsafeBufferPointer(rebasing: values[sample * size..<(sample + 1) * size])) }
    }

    /// Standardises its samples: now, or as they are read.
    mutating func standardise(by fitted: Standardisation) {
        standardisation = fitted
        if let stream {
            let reader = StandardisedReader(reader: stream.reader, standardisation: fitted, kind: kind)
            self.stream = stream.read(by: reader)
            return
        }
        let (kind, shape, size, count) = (kind, shape, size, count)
        exact.withUnsafeBufferPointer { exact in
            values.withUnsafeMutableBufferPointer { values in
                for sample in 0..<count {
                    let range = sample * size..<(sample + 1) * size
                    let x = UnsafeMutableBufferPointer(rebasing: values[range])
                    if exact.isEmpty {
                        fitted.apply(to: x, kind, shape)
                    } else {
                        fitted.apply(to: UnsafeBufferPointer(rebasing: exact[range]), kind, shape, into: x)
                    }
                }
            }
        }
        exact = []
    }
}

/// Samples of another reader, standardised.
private struct StandardisedReader: SampleReader {
    let reader: any SampleReader
    let standardisation: Standardisation
    let kind: Modality.Kind

    var cacheKey: String? { reader.cacheKey }
    var draws: Bool { reader.draws }
    func shape(augments: Bool) -> [Int]? { reader.shape(augments: augments) }
    func check(_ medium: Medium) throws { try reader.check(medium) }

    func read(_ medium: Medium, _ use: SampleUse) throws -> SampleBlock {
        let block = try reader.read(medium, use)
        guard Standardisation.columns(kind, block.shape) == standardisation.mean.count else {
            throw medium.damage(
                "gives shape \(block.shape); \(standardisation.mean.count) columns or channels were expected")
        }
        var values = block.values
        values.withUnsafeMutableBufferPointer { standardisation.apply(to: $0, kind, block.shape) }
        return SampleBlock(shape: block.shape, values: values)
    }
}
