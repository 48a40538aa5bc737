import BSSCore
import CBSSKernels

/// Weights of the total loss, Eq. 5: `multi * CE(fused) + sum_m uni[m] * CE(m)`.
public struct LossWeights: Equatable {
    public var multi: Double
    public var uni: [Double]

    public init(multi: Double, uni: [Double]) {
        self.multi = multi
        self.uni = uni
    }

    /// The paper's shorthand: `(1 - alpha) * CE(fused) + alpha * sum CE(m)`, alpha in [0, 1].
    public init(alpha: Double, modalities: Int) {
        self.init(multi: 1 - alpha, uni: Array(repeating: alpha, count: modalities))
    }
}

/// What one scoring scan over n samples knows about each of them; criteria read it and change nothing.
///
/// Shapes: unimodal and fused logits [n, C], features [n, d_m], everything else [n]. Labels are columns 0 ..< C.
public final class Evidence {
    public let modalities: [String]
    public let labels: [Int]
    /// Unimodal logits z_m, in the order of `modalities`.
    public let logits: [Matrix]
    public let fused: Matrix?
    public let features: [Matrix]?
    /// Per-sample gradient magnitude, if the scan computed it.
    public let gradientNorms: [Double]?
    /// Per-sample fused loss where the fusion's own loss is not the cross-entropy (ETMC).
    public let fusedLosses: [Double]?
    /// Per-sample total loss where the method's own loss is not Eq. 5 (ETMC, for example).
    public let losses: [Double]?
    public let lossWeights: LossWeights
    public var count: Int { labels.count }

    /// - Throws: sizes that do not fit together, labels without a column; with the modality's name.
    public init(
        modalities: [String], logits: [Matrix], fused: Matrix? = nil, labels: [Int], features: [Matrix]? = nil,
        fusedLosses: [Double]? = nil, gradientNorms: [Double]? = nil, losses: [Double]? = nil, lossWeights: LossWeights
    ) throws {
        self.modalities = modalities
        self.logits = logits
        self.fused = fused
        self.labels = labels
        self.features = features
        self.fusedLosses = fusedLosses
        self.gradientNorms = gradientNorms
        self.losses = losses
        self.lossWeights = lossWeights
        try check()
    }

    private func check() throws {
        func fail(_ message: String) -> BSSError { BSSError("scoring", message) }
        let n = labels.count
        guard !modalities.isEmpty, logits.count == modalities.count else {
            throw fail("expected logits of \(modalities.count) modalities, got \(logits.count)")
        }
        let named = zip(modalities, logits).map { ($0, $1) } + (fused.map { [("fused", $0)] } ?? [])
        let classes = logits[0].columns
        for (name, matrix) in named {
            guard matrix.rows == n else {
                throw fail("\(name) has logits of \(matrix.rows) samples, but there are \(n) labels")
            }
            guard matrix.columns == classes, classes > 0 else {
                throw fail("\(name) has \(matrix.columns) classes, \(modalities[0]) has \(classes)")
            }
        }
        if let row = labels.firstIndex(where: { $0 < 0 || $0 >= classes }) {
            throw fail(
                "label \(labels[row] &+ 1) of sample \(row + 1) has no column: expected a class position from 1 to "
                    + "\(classes)"
            )
        }
        if let features {
            guard features.count == modalities.count else {
                throw fail("expected features of \(modalities.count) modalities, got \(features.count)")
            }
            for (name, matrix) in zip(modalities, features) where matrix.rows != n {
                throw fail("\(name) has features of \(matrix.rows) samples, but there are \(n) labels")
            }
        }
        for (name, list) in [("gradient_norms", gradientNorms), ("fused losses", fusedLosses), ("losses", losses)] {
            if let list, list.count != n { throw fail("\(name) has \(list.count) values, but there are \(n) labels") }
        }
        guard lossWeights.uni.count == modalities.count else {
            throw fail("expected \(modalities.count) unimodal loss weights, got \(lossWeights.uni.count)")
        }
    }

    // MARK: What several criteria need

    /// The class of the largest fused logit is the label, per sample; the unimodal logits' sum decides where nothing is
    /// fused.
    public private(set) lazy var isCorrect: [Bool] = labels.indices.map { row in
        func logit(_ c: Int) -> Double {
            fused.map { $0.values[row * $0.columns + c] } ?? logits.reduce(0) { $0 + $1.values[row * $1.columns + c] }
        }
        var best = 0
        for c in 0..<logits[0].columns where logit(c) > logit(best) { best = c }
        return best == labels[row]
    }

    /// One entry per modality: softmax(z) per row.
    private(set) lazy var probabilities: [[Double]] = logits.map(Evidence.softmax)

    static func softmax(_ logits: Matrix) -> [Double] {
        rows(logits, logits.values.count) {
            bss_softmax(BSS_F64, logits.values, Int64(logits.rows), Int64(logits.columns), $0)
        }
    }

    private static func rows(
        _ logits: Matrix, _ count: Int, _ kernel: (UnsafeMutablePointer<Double>) -> Int32
    ) -> [Double] {
        guard count > 0 else { return [] }
        return [Double](unsafeUninitializedCapacity: count) { out, filled in
            // Interrupted kernels leave numbers undefined; whoever polls the interrupt next stops before they are used.
            guard let start = out.baseAddress else { return }
            if kernel(start) != 0 { out.initialize(repeating: .nan) }
            filled = count
        }
    }

    /// CE(z, y) = log sum exp z - z_y of one modality, per sample.
    public func crossEntropy(modality index: Int) -> [Double] { crossEntropy(logits[index]) }

    /// CE of the fused logits, per sample; `nil` without fused logits.
    public private(set) lazy var fusedCrossEntropy: [Double]? = fused.map(crossEntropy)
    /// The fused term of the total loss.
    private var fusedTerm: [Double]? { fusedLosses ?? fusedCrossEntropy }

    private func crossEntropy(_ logits: Matrix) -> [Double] {
        let logSums = Evidence.rows(logits, logits.rows) {
            bss_logsumexp(BSS_F64, logits.values, Int64(logits.rows), Int64(logits.columns), $0)
        }
        return labels.indices.map { logSums[$0] - logits.values[$0 * logits.columns + labels[$0]] }
    }

    /// Eq. 5 with the training's weights, or the losses that came with the evidence.
    /// - Throws: if a weighted term has no logits.
    public func totalLoss() throws -> [Double] {
        if let losses { return losses }
        var total = [Double](repeating: 0, count: count)
        func add(_ weight: Double, _ terms: [Double]) { for i in total.indices { total[i] += weight * terms[i] } }
        if lossWeights.multi != 0 {
            guard let fusedTerm else {
                throw BSSError(
                    "loss criterion",
                    "the fused head has weight \(Text.number(lossWeights.multi)), but there are no fused logits",
                    hint: "pass fused = …, or w_multi = 0")
            }
            add(lossWeights.multi, fusedTerm)
        }
        for (index, weight) in lossWeights.uni.enumerated() where weight != 0 {
            add(weight, crossEntropy(modality: index))
        }
        return total
    }
}
