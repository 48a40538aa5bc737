import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// Sample-level modality valuation (Wei et al., CVPR 2024): samples to which a modality adds little are shown again,
/// with that modality alone.
///
///     v(S) = |S| if the fusion of the features of S (zeros for the others) predicts the class, else 0;   φ_m
///         = Shapley value of v
///
/// `level = "sample"`: for every sample and modality with φ_m < 1, round(2 (1 - φ_m)) copies that keep only m (K = 2: φ
/// = 0.5, 0, -0.5 give 1, 2, 3 copies, as released). `level = "modality"`: with φ̄ the means over a random part
/// (`subset`) of the training set, ⌊d_m n⌋ samples of the n planned ones are drawn with replacement and get a copy that
/// keeps only m,
///
///     d_m = g(2/3 (max_j φ̄_j - φ̄_m)) / (K - 1),   g(x) = alpha x, tanh(alpha x) or alpha x^1.5
///
/// The samples are valued before each epoch from `warmup` on (by scans in evaluation mode: the encoders run once, the
/// fusion 2^K - 1 times). Originals and copies are trained on the base loss; a copy's unimodal losses are those of the
/// modality it keeps. Copies inherit the place of their sample where the scheduler's order is a curriculum (BSS-L), and
/// its weight; else the list is shuffled. The scheduler decides first: only samples of its plan are valued and copied,
/// so that epochs grow by their copies.
///
/// Any number of modalities; the copies of more than two, and d_m for them, are our extension (for two, d is the
/// published 2/3 |φ̄_1 - φ̄_2| alpha for the weaker one). One modality alone gets copies of samples that it has wrong.
///
/// Deviation: the public code values samples under random training transforms (`transform = "training"`) and compares φ
/// with a slack of 0.1. BalanceBenchmark's v(S) lacks |S|, so that solved samples are shown again too; it is not
/// offered.
final class SMV: BaseLossMethod {
    struct Options: OptionGroup {
        enum Level: String, Choice { case sample, modality }
        enum Mapping: String, Choice {
            case linear, tanh, power
            func callAsFunction(_ x: Double) -> Double {
                switch self {
                case .linear: return x
                case .tanh: return Math.tanh(x)
                case .power: return Math.pow(x, 1.5)
                }
            }
        }
        enum Transform: String, Choice { case evaluation, training }

        @Option(
            "level", "what is valued: \"sample\" or \"modality\" (means over a part of the training set)")
        var level = Level.sample
        @Option("warmup", "epochs before the first copies", .atLeast(0)) var warmup = 5
        @Option("alpha", "modality level: factor of the number of copies", .atLeast(0)) var alpha = 1.0
        @Option("subset", "modality level: share of the training set that is valued", .above(0, upTo: 1))
        var subset = 0.2
        @Option(
            "mapping",
            "modality level: from the gap of values to the share of copies: \"linear\", \"tanh\" or \"power\" (1.5)")
        var mapping = Mapping.linear
        @Option(
            "transform",
            "how valued samples are read: \"evaluation\", or with the random \"training\" transforms, as released")
        var transform = Transform.evaluation
        var base = BaseLoss()
    }

    private let options: Options
    /// What the last plan did, by modality: mean φ and copies.
    private var means: [Double] = [], copied: [Int] = []

    init(_ options: Options, _ setup: MethodSetup) throws {
        self.options = options
        super.init(options.base, setup.context)
        let count = context.model.modalities.count
        guard count <= 10 else {
            throw BSSError(
                "bss.rebalance.smv",
                "values 2^\(count) - 1 sets of modalities a sample; at most 10 modalities are possible", kind: .usage)
        }
    }

    // MARK: Plan

    override func plan(_ plan: SamplePlan) throws -> SamplePlan {
        (means, copied) = ([], [])
        guard context.epoch >= options.warmup, !plan.positions.isEmpty else { return plan }
        let count = context.model.modalities.count
        var stream = context.random("copies").child("epoch \(context.epoch)")
        var copies = [[UInt32]](repeating: [], count: plan.positions.count)
        switch options.level {
        case .sample:
            let positions = Set(plan.positions).sorted()
            let values = try values(positions)
            let byPosition = Dictionary(uniqueKeysWithValues: zip(positions, values))
            means = SMV.means(values)
            for (entry, position) in plan.positions.enumerated() {
                copies[entry] = SMV.copies(byPosition[position] ?? [])
            }
        case .modality:
            var draw = context.random("subset").child("epoch \(context.epoch)")
            let size = max(1, Int(saturating: (options.subset * Double(context.trainRows.count)).rounded(.down)))
            means = SMV.means(try values(draw.permutation(context.trainRows.count).prefix(size).sorted()))
            for (m, share) in SMV.shares(means, alpha: options.alpha, options.mapping).enumerated() {
                let added = Int(saturating: share * Double(plan.positions.count))
                try Memory.reserve(added, of: 64, "smv", "\(added) copies of samples")
                for _ in 0..<max(0, added) {
                    copies[stream.integer(below: copies.count)].append(1 << UInt32(m))
                }
            }
        }
        copied = (0..<count).map { m in copies.reduce(0) { $0 + $1.filter { $0 == 1 << UInt32(m) }.count } }
        return SMV.expanded(plan, copies, modalities: count, &stream)
    }

    /// φ of samples at `positions`, [sample][modality].
    private func values(_ positions: [Int]) throws -> [[Double]] {
        let model = context.model
        let rows = positions.map { context.trainRows[$0] }
        let labels = rows.map { context.source.classColumns[$0] }
        let sets = 1 << model.modalities.count
        let forward = ForwardContext(.evaluation)
        var isRight = [[Bool]](repeating: [Bool](repeating: false, count: sets), count: rows.count)
        _ = try context.scan(
            rows, predict, augments: options.transform == .training,
            random: context.random("valuation").child("epoch \(context.epoch)")
        ) { part, output in
            for set in 1..<sets {
                let logits = try set == sets - 1 ? output.fused : model.subset(output.features, UInt32(set), forward)
                for (i, guess) in try zip(part, logits.argExtremum(.argmax, 1).values(Int.self)) {
                    isRight[i][set] = guess == labels[i]
                }
            }
        }
        let weights = ShapleyWeights(model.modalities.count)
        return isRight.map { weights.values(SMV.worth($0)) }
    }

    /// v by set of modalities, from whether each set is right.
    static func worth(_ isRight: [Bool]) -> [Double] {
        isRight.enumerated().map { $1 ? Double($0.nonzeroBitCount) : 0 }
    }

    static func means(_ values: [[Double]]) -> [Double] {
        guard let first = values.first else { return [] }
        return first.indices.map { m in values.reduce(0) { $0 + $1[m] } / Double(values.count) }
    }

    /// Keep-masks of a sample's copies.
    static func copies(_ values: [Double]) -> [UInt32] {
        values.enumerated().flatMap { m, value in
            Array(repeating: 1 << UInt32(m), count: value < 1 ? Int(saturating: (2 * (1 - value)).rounded()) : 0)
        }
    }

    /// d_m of every modality.
    static func shares(_ means: [Double], alpha: Double, _ mapping: Options.Mapping) -> [Double] {
        let best = means.max() ?? 0
        return means.map { mean in
            let gap = 2 / 3 * (best - mean)
            return (mapping == .tanh ? mapping(alpha * gap) : alpha * mapping(gap)) / Double(max(means.count - 1, 1))
        }
    }

    /// Every entry, each followed by its copies; shuffled unless the order is a curriculum.
    static func expanded(
        _ plan: SamplePlan, _ copies: [[UInt32]], modalities: Int, _ stream: inout RandomStream
    ) -> SamplePlan {
        guard copies.contains(where: { !$0.isEmpty }) else { return plan }
        let all = UInt32(1) << UInt32(modalities) - 1
        var entries: [(from: Int, keeps: UInt32)] = []
        for (entry, masks) in copies.enumerated() {
            let whole = plan.keeps?[entry] ?? all
            entries.append((entry, whole))
            entries += masks.filter { $0 & whole != 0 }.map { (entry, $0 & whole) }
        }
        if !plan.isSequential { entries = stream.permutation(entries.count).map { entries[$0] } }
        return SamplePlan(
            positions: entries.map { plan.positions[$0.from] },
            weights: plan.weights.map { weights in entries.map { weights[$0.from] } },
            keeps: entries.map(\.keeps), isSequential: plan.isSequential)
    }

    // MARK: Loss

    override func loss(_ output: MultimodalOutput, _ batch: TrainingBatch) throws -> [LossTerm] {
        let terms = try super.loss(output, batch)
        guard let keeps = batch.keeps else { return terms }
        return try terms.map { term in
            guard let m = context.model.modalities.firstIndex(of: term.name),
                keeps.contains(where: { $0 >> UInt32(m) & 1 == 0 })
            else { return term }
            let mask = try Tensor.from(keeps.map { Float($0 >> UInt32(m) & 1) })
            return LossTerm(term.name, try term.perSample * mask, weight: term.weight)
        }
    }

    // MARK: Record

    override func report() -> Table? {
        guard !means.isEmpty else { return Table(fields: [("stage", .string("warmup"))]) }
        return Table(fields: [
            ("stage", .string("\(options.level.rawValue) level")),
            ("value", byModality(means)),
            ("copies", byModality(copied, Value.int)),
        ])
    }

    static let part = Part<RebalanceRecipe>(
        "smv", "Sample-level modality valuation: shows samples again with the modality that says too little alone.",
        options: Options.self,
        source: "Wei et al., Enhancing Multimodal Cooperation via Sample-level Modality Valuation, CVPR 2024",
        example: "bss.rebalance.smv{ level = \"modality\", warmup = 2 }", traits: { $0.base.traits(.silent) },
        make: SMV.init)
}
