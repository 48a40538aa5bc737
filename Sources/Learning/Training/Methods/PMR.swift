import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// Prototypical modal rebalance (Fan et al., CVPR 2023): the slower modality's features are pulled to class prototypes
/// of their own.
///
///     c_m^k
///         = mean of h_m over samples of class k, a share of the training split or of the validation split
///             (`prototypes`);
///        q_m = softmax_k(-‖h_m - c_m^k‖);   s_m = Σ_i q_m,i[y_i];   ρ_m = s_m / mean_{j≠m} s_j
///     L = CE(z, y) + alpha Σ_m coef_m (-log q_m[y]) - mu Σ_m flat_m H(q_m),   coef_m = clip(1/ρ_m - 1, 0, 1), flat_m
///         = clip(ρ_m - 1, 0, 1)
///
/// The last term (PER) keeps the prototype distribution of the faster modality flat, during the first `per_epochs`
/// epochs. Prototypes come from a scan in evaluation mode at the start of each epoch, c ← (1 - momentum) c_new +
/// momentum c_old; gradients flow through h_m, not through prototypes, s and ρ. A class that the scan does not meet
/// keeps its prototype; one that has never had any takes no part.
///
/// Any number of modalities; ρ for more than two is our extension (the paper has two: ρ_1 = s_1 / s_2 = 1 / ρ_2). One
/// modality alone has nothing to catch up with: all coefficients are 0.
///
/// Deviation: the public code has no PER and a hard switch, coefficient 1 for the slower modality: `per = false, coef =
/// "hard"`. There the prototypes of the untrained network serve its first epoch alone, and those of the second replace
/// them outright: `untrained = "replace"`, which is the default with `coef = "hard"`; else `"mix"`. It takes the first
/// 10 % of its shuffled batches for the prototypes, so that rare classes can be missing: `draw = "random"`; ours draws
/// the same share of every class, at least one sample. At distance 0, where the slope of the root is infinite, ours is
/// 0. mu and per_epochs are ours: the paper sets them per dataset.
final class PMR: BaseLossMethod {
    struct Options: OptionGroup {
        enum Coefficient: String, Choice { case clip, hard }
        enum Split: String, Choice { case train, val }
        enum Draw: String, Choice { case stratified, random }
        enum Distance: String, Choice { case euclidean, scaled }
        enum Untrained: String, Choice { case auto, mix, replace }

        @Option("alpha", "weight of the pull to prototypes (released: 1)", .atLeast(0)) var alpha = 1.0
        @Option("coef", "coefficient of the slower modality: \"clip\" (published) or \"hard\" (as released: 1)")
        var coefficient = Coefficient.clip
        @Option("per", "keep the prototype distribution of the faster modality flat at first (released: false)")
        var hasEntropy = true
        @Option("mu", "weight of the entropy in PER", .atLeast(0)) var mu = 0.1
        @Option("per_epochs", "epochs with PER", .atLeast(0)) var entropyEpochs = 5
        @Option("momentum", "share of the old prototypes that is kept", .range(0...1)) var momentum = 0.2
        @Option("fraction", "share of the split that prototypes are made of", .above(0, upTo: 1)) var fraction = 0.1
        @Option(
            "prototypes",
            "the split that prototypes are made of: \"train\", or \"val\" as the public code has it for some datasets; "
                + "`fraction` is a share of it")
        var split = Split.train
        @Option(
            "draw",
            "which samples: \"stratified\" (the same share of every class) or \"random\" (as released: classes can be "
                + "missing)")
        var draw = Draw.stratified
        @Option(
            "distance",
            "\"euclidean\", or \"scaled\": divided by the root of the number of features, against one-hot q of large "
                + "features")
        var distance = Distance.euclidean
        @Option(
            "untrained",
            "prototypes of the untrained network in the second epoch: \"mix\" (momentum), \"replace\" (as released), "
                + "\"auto\": \"replace\" with coef = \"hard\"")
        var untrained = Untrained.auto
        var window = EpochWindow(released: 100)
        var base = BaseLoss()

        var isHard: Bool { coefficient == .hard }
        /// The untrained network's prototypes are replaced, not mixed in.
        var replacesFirst: Bool { untrained == .replace || (untrained == .auto && isHard) }
    }

    private let options: Options
    /// [C, d_m] by modality.
    private var prototypes: [Tensor]
    /// Classes that have prototypes.
    private var isKnown: [Bool]
    private var ratios = EpochMeans(), pulls = EpochMeans(), accuracies = EpochMeans()

    init(_ options: Options, _ setup: MethodSetup) throws {
        let (model, source) = (setup.context.model, setup.context.source)
        self.options = options
        prototypes = try model.encoders.map { try Tensor.zeros([model.classes, $0.featureCount]) }
        isKnown = Array(repeating: false, count: model.classes)
        super.init(options.base, setup.context)
        guard options.split == .train || !source.rows(.val).isEmpty else {
            throw BSSError(
                "bss.rebalance.pmr",
                "prototypes = \"val\" needs a validation split, and '\(source.name)' has none",
                hint: "use prototypes = \"train\"", kind: .usage)
        }
    }

    // MARK: Prototypes

    override func epochBegan() throws {
        (ratios, pulls, accuracies) = (EpochMeans(), EpochMeans(), EpochMeans())
        guard options.window.contains(context.epoch) else { return }
        let rows = subset()
        let scan = try context.scan(rows, predict, keepsFeatures: true)
        let labels = rows.map { context.source.classColumns[$0] }
        let before = isKnown
        let momentum = options.replacesFirst && context.epoch <= 1 ? 0 : options.momentum
        for m in prototypes.indices {
            (prototypes[m], isKnown) = try PMR.updated(
                prototypes[m], isKnown: before, features: scan.features[m], labels: labels, momentum: momentum)
        }
    }

    /// The rows that this epoch's prototypes are made of.
    private func subset() -> [Int] {
        let rows = options.split == .val ? context.source.rows(.val) : context.trainRows
        let random = context.random("prototypes").child("epoch \(context.epoch)")
        func share(_ count: Int) -> Int {
            min(count, max(1, Int(saturating: (options.fraction * Double(count)).rounded())))
        }
        if options.fraction == 1 { return rows }
        if options.draw == .random {
            var stream = random
            return stream.permutation(rows.count).prefix(share(rows.count)).sorted().map { rows[$0] }
        }
        var byClass: [Int: [Int]] = [:]
        for row in rows { byClass[context.source.classColumns[row], default: []].append(row) }
        return byClass.sorted { $0.key < $1.key }.flatMap { label, members -> [Int] in
            var stream = random.child("class \(label)")
            return stream.permutation(members.count).prefix(share(members.count)).sorted().map { members[$0] }
        }
    }

    /// Class means of `features` (row-major [n, d]), mixed with the old prototypes [C, d] of the classes that have
    /// some.
    static func updated(
        _ old: Tensor, isKnown: [Bool], features: [Float], labels: [Int], momentum: Double
    ) throws -> (prototypes: Tensor, isKnown: [Bool]) {
        let width = old.shape[1]
        var sums = [Double](repeating: 0, count: old.elementCount)
        var counts = [Int](repeating: 0, count: old.shape[0])
        for (i, label) in labels.enumerated() {
            counts[label] += 1
            for j in 0..<width { sums[label * width + j] += Double(features[i * width + j]) }
        }
        var values = try old.values(Float.self)
        for label in counts.indices where counts[label] > 0 {
            for j in label * width..<(label + 1) * width {
                let new = sums[j] / Double(counts[label])
                values[j] = Float(isKnown[label] ? (1 - momentum) * new + momentum * Double(values[j]) : new)
            }
        }
        return (try Tensor.from(values, old.shape), zip(isKnown, counts).map { $0 || $1 > 0 })
    }

    // MARK: Loss

    override func loss(_ output: MultimodalOutput, _ batch: TrainingBatch) throws -> [LossTerm] {
        var terms = try super.loss(output, batch)
        guard options.window.contains(context.epoch) else { return terms }
        let logits = try prototypes.indices.map { m in
            try PMR.logits(
                output.features[m], prototypes[m], isKnown: isKnown,
                scale: options.distance == .scaled ? 1 / Double(prototypes[m].shape[1]).squareRoot() : 1)
        }
        // A sample whose class has no prototype says nothing of its modalities.
        let counts = isKnown.contains(false) ? try batch.labels.values(Int.self).map { isKnown[$0] } : nil
        let ratio = try PMR.ratios(logits.map { try PMR.trueProbabilities($0, batch.labels, counts) })
        let pull = PMR.coefficients(ratio.map { 1 / $0 }, isHard: options.isHard)
        let flat = PMR.coefficients(ratio, isHard: options.isHard)
        let mask = try counts.map { try Tensor.from($0.map { $0 ? Float(1) : 0 }) }
        for (m, name) in context.model.modalities.enumerated() {
            if pull[m] > 0, options.alpha > 0 {
                let loss = try Tensor.crossEntropy(logits[m], batch.labels, reduction: .none)
                terms.append(
                    LossTerm(
                        "prototypes.\(name)", try mask.map { try loss * $0 } ?? loss, weight: options.alpha * pull[m]))
            }
            if options.hasEntropy, context.epoch < options.entropyEpochs, flat[m] > 0, options.mu > 0 {
                terms.append(LossTerm("entropy.\(name)", try PMR.entropy(logits[m]), weight: -options.mu * flat[m]))
            }
        }
        ratios.add(ratio)
        pulls.add(pull.map { options.alpha * $0 })
        accuracies.add(try logits.map { try PMR.accuracy($0, batch.labels) })
        return terms
    }

    /// -‖h - c_k‖ · scale, [B, C]; classes without prototype get a probability of 0.
    static func logits(_ h: Tensor, _ prototypes: Tensor, isKnown: [Bool], scale: Double) throws -> Tensor {
        let distances = try h.unsqueezed(1).subtracting(prototypes.unsqueezed(0)).norm(p: 2, [2])
        let logits = try distances.multiplied(by: -scale)
        return isKnown.contains(false) ? try logits.masked(Tensor.from(isKnown.map { !$0 }), with: -1e9) : logits
    }

    /// s = Σ_i q_i[y_i] over the samples that count (nil = all).
    static func trueProbabilities(_ logits: Tensor, _ labels: Tensor, _ counts: [Bool]?) throws -> Double {
        try Autograd.withoutRecording {
            let q = try logits.detached.softmax(axis: 1).gather(1, labels.unsqueezed(1)).values(Double.self)
            return q.indices.reduce(0) { counts?[$1] ?? true ? $0 + q[$1] : $0 }
        }
    }

    /// ρ_m = s_m / mean_{j≠m} s_j; 1 for a modality alone.
    static func ratios(_ s: [Double]) -> [Double] {
        guard s.count > 1 else { return s.map { _ in 1 } }
        return s.indices.map { m in
            let others = s.indices.reduce(0) { $1 == m ? $0 : $0 + s[$1] } / Double(s.count - 1)
            return max(s[m], 1e-12) / max(others, 1e-12)
        }
    }

    /// clip(r - 1, 0, 1), or 1 where r > 1.
    static func coefficients(_ ratios: [Double], isHard: Bool) -> [Double] {
        ratios.map { isHard ? ($0 > 1 ? 1 : 0) : min(max($0 - 1, 0), 1) }
    }

    /// H(q) per sample, [B].
    static func entropy(_ logits: Tensor) throws -> Tensor {
        try logits.softmax(axis: 1).multiplied(by: logits.softmax(axis: 1, log: true)).sum([1]).negated()
    }

    private static func accuracy(_ logits: Tensor, _ labels: Tensor) throws -> Double {
        let guesses = try logits.detached.argExtremum(.argmax, 1).values(Int.self)
        let truth = try labels.values(Int.self)
        return Math.mean(zip(guesses, truth).map { $0 == $1 ? 1 : 0 })
    }

    // MARK: Record and checkpoints

    override func report() -> Table? {
        guard !ratios.isEmpty else { return Table(fields: [("rebalances", .bool(false))]) }
        return Table(fields: [
            ("rebalances", .bool(true)), ("rho", byModality(ratios.values)), ("coefficient", byModality(pulls.values)),
            ("prototype_accuracy", byModality(accuracies.values)),
            ("entropy_term", .bool(options.hasEntropy && context.epoch < options.entropyEpochs)),
            ("classes_without_prototype", .int(isKnown.filter { !$0 }.count)),
        ])
    }

    override var state: Value {
        get { .fields([("known", .list(isKnown.map(Value.bool)))]) }
        set {
            if let saved = newValue.table?["known"]?.table?.items.compactMap(\.bool), saved.count == isKnown.count {
                isKnown = saved
            }
        }
    }

    override var stateTensors: [String: Tensor] {
        get { Dictionary(uniqueKeysWithValues: prototypes.enumerated().map { ("prototypes.\($0)", $1) }) }
        set {
            for m in prototypes.indices {
                if let saved = newValue["prototypes.\(m)"], saved.shape == prototypes[m].shape { prototypes[m] = saved }
            }
        }
    }

    static let part = Part<RebalanceRecipe>(
        "pmr", "Prototypical modal rebalance: pulls the slower modality's features to class prototypes.",
        options: Options.self,
        source: "Fan et al., PMR: Prototypical Modal Rebalance for Multimodal Learning, CVPR 2023",
        example: "bss.rebalance.pmr{ alpha = 1.75, per = false }", traits: { $0.base.traits }, make: PMR.init)
}
