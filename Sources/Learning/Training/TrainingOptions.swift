import BSSCore
import BSSCurriculum
import BSSNetworks

/// Everything a training is told, apart from data and model. Declared once here: `bss.train{…}`, its checks, help and
/// the run record derive from `arguments`.
public struct TrainingOptions {
    public var epochs = 30
    public var batchSize = 64
    public var seed = 1
    public var rebalance: Configured<RebalanceRecipe>
    public var multiWeight = 0.8
    public var uniWeight = 0.2
    public var inferenceHeads = InferenceHeads.automatic
    public var scheduler: Configured<Scheduler>
    public var optimizer: Configured<OptimizerRecipe>
    public var learningRate: Configured<LearningRateRecipe>
    public var clipNorm: Double?
    public var select = "val_best"
    public var usesValidation = true
    public var mapAverage = "macro"
    public var checkpointEvery: Int?
    public var loss: Callback?
    public var sampleBudget: Int?
    public var sampleLoss: Configured<SampleLossRecipe>?
    /// The plain form of every option, for the run record.
    public private(set) var configuration = Table()

    // MARK: Declaration

    static let epochsArgument = Argument(
        "epochs", default: 30, "passes over the scheduler's plan", check: .range(1...1_000_000))
    static let batchArgument = Argument("batch_size", default: 64, "samples a step", check: .range(1...1 << 30))
    static let seedArgument = Argument<Int?>(
        "seed", default: nil, "root of every random stream; the command line's --seed, else 1", check: .anyInteger)
    static let rebalanceArgument = Argument(
        "rebalance", default: Configured<RebalanceRecipe>.named("joint"), "losses and gradients against imbalance")
    static let alphaArgument = Argument<Double?>(
        "alpha", default: nil, "Eq. 5: w_multi = 1 - alpha, w_uni = alpha (0.2 if neither alpha nor weights are given)",
        check: Check("from 0 to 1") { $0.map { (0...1).contains($0) } ?? true })
    static let multiArgument = Argument<Double?>(
        "w_multi", default: nil, "weight of the fused loss, instead of alpha",
        check: Check("at least 0") { $0 ?? 0 >= 0 })
    static let uniArgument = Argument<Double?>(
        "w_uni", default: nil, "weight of every unimodal loss, instead of alpha",
        check: Check("at least 0") { $0 ?? 0 >= 0 })
    static let headsArgument = Argument(
        "inference_heads", default: InferenceHeads.automatic,
        "heads summed at inference: \"all\" (Eq. 12), \"unimodal\", \"fused\", or weights { fused = 1, audio = 1 }; \"auto\" follows the method"
    )
    static let schedulerArgument = Argument(
        "scheduler", default: Configured<Scheduler>.named("random"), "which samples an epoch shows, in which order")
    static let optimizerArgument = Argument(
        "optimizer",
        default: Configured<OptimizerRecipe>.named(
            "sgd",
            Table(fields: [
                ("learning_rate", .number(1e-2)), ("momentum", .number(0.9)), ("weight_decay", .number(1e-4)),
            ])),
        "update rule; the default is the paper's for audio-video")
    static let scheduleArgument = Argument(
        "learning_rate", default: Configured<LearningRateRecipe>.named("constant"), "learning-rate schedule over epochs"
    )
    static let clipArgument = Argument<Double?>(
        "clip_norm", default: nil, "largest joint 2-norm of the gradients",
        check: Check("greater than 0") { $0 ?? 1 > 0 })
    static let selectArgument = Argument(
        "select", default: "val_best", "what run.result.selected is; all three are always logged",
        check: .oneOf(["last", "val_best", "test_best"]))
    static let validationArgument = Argument(
        "use_val", default: true, "evaluate the validation split; without one, val_best is last")
    static let mapArgument = Argument(
        "map_average", default: "macro", "average of the average precisions",
        check: .oneOf(["macro", "micro", "samples"]))
    static let checkpointArgument = Argument<Int?>(
        "checkpoint_every", default: nil, "epochs between checkpoints; by default every 5 seconds of training",
        check: Check("at least 1") { $0 ?? 1 >= 1 })
    static let budgetArgument = Argument<Int?>(
        "sample_budget", default: nil,
        "end after the epoch in which this many training samples have been seen, probe trainings and copies counted; epochs is then the most it may take",
        check: Check("at least 1", anyInteger: true) { $0 ?? 1 >= 1 })
    static let lossArgument = Argument<Callback?>(
        "loss", default: nil,
        "function(output, labels) returning a scalar tensor, in place of Eq. 5; labels are class positions from 1")
    static let sampleLossArgument = Argument<Configured<SampleLossRecipe>?>(
        "sample_loss", default: nil,
        "what becomes of each sample's losses before they are averaged: bss.sample_loss.superloss{}, …")

    public static let arguments: [any AnyArgument] = [
        epochsArgument, batchArgument, seedArgument, rebalanceArgument, alphaArgument, multiArgument, uniArgument,
        headsArgument,
        schedulerArgument, optimizerArgument, scheduleArgument, clipArgument, selectArgument, validationArgument,
        mapArgument,
        checkpointArgument, lossArgument, sampleLossArgument, budgetArgument,
    ]

    /// - Throws: alpha together with raw weights, or a scheduler that scores by heads which are not trained.
    public init(_ a: Arguments, defaultSeed: Int) throws {
        epochs = a[Self.epochsArgument]
        batchSize = a[Self.batchArgument]
        seed = a[Self.seedArgument] ?? defaultSeed
        rebalance = a[Self.rebalanceArgument]
        let alpha = a[Self.alphaArgument]
        let multi = a[Self.multiArgument]
        let uni = a[Self.uniArgument]
        if alpha != nil, multi != nil || uni != nil {
            throw BSSError(
                a.operation, "alpha and w_multi / w_uni are two ways to say one thing; give one", kind: .usage)
        }
        if multi != nil || uni != nil {
            (multiWeight, uniWeight) = (multi ?? 1, uni ?? 1)
        } else {
            (multiWeight, uniWeight) = (1 - (alpha ?? 0.2), alpha ?? 0.2)
        }
        guard multiWeight > 0 || uniWeight > 0 || rebalance.name == "none" else {
            throw BSSError(a.operation, "w_multi and w_uni are both 0: nothing would be trained", kind: .usage)
        }
        inferenceHeads = a[Self.headsArgument]
        scheduler = a[Self.schedulerArgument]
        optimizer = a[Self.optimizerArgument]
        learningRate = a[Self.scheduleArgument]
        clipNorm = a[Self.clipArgument]
        select = a[Self.selectArgument]
        usesValidation = a[Self.validationArgument]
        mapAverage = a[Self.mapArgument]
        checkpointEvery = a[Self.checkpointArgument]
        loss = a[Self.lossArgument]
        sampleBudget = a[Self.budgetArgument]
        sampleLoss = a[Self.sampleLossArgument]
        if loss != nil, sampleLoss != nil {
            throw BSSError(
                a.operation, "option 'loss' gives one number for the whole batch; 'sample_loss' needs one per sample",
                hint: "write the loss in bss.sample_loss.custom", kind: .usage)
        }
        let usesSimilarity = scheduler.product.measurer?.criteria.contains { $0.name.hasSuffix("similarity") } ?? false
        if uniWeight == 0, usesSimilarity, rebalance.name != "none", scheduler.product.measurer != nil, loss == nil {
            throw BSSError(
                a.operation,
                "alpha = 0 leaves the unimodal heads untrained, but the scheduler scores by their similarity",
                hint: "use alpha > 0, rebalance = \"none\" (probes), or a measurer of \"loss\" alone", kind: .usage)
        }
        configuration = Table(fields: a.plain(Self.arguments))
        configuration["seed"] = .int(seed)
        configuration["alpha"] = nil
        if sampleBudget == nil { configuration["sample_budget"] = nil }
        configuration["w_multi"] = .number(multiWeight)
        configuration["w_uni"] = .number(uniWeight)
    }

    public func lossWeights(modalities: Int) -> LossWeights {
        LossWeights(multi: multiWeight, uni: Array(repeating: uniWeight, count: modalities))
    }

    /// [fused, modality 1, …]
    func inferenceWeights(modalities: [String]) -> [Double] { inferenceHeads.weights(modalities) }
}

/// Which heads are summed for the total output, and how they weigh (Eq. 12; official-audit Q32).
public enum InferenceHeads: ArgumentType {
    case automatic, all, unimodal, fused
    case weights(Table)

    public static let expected = "\"auto\", \"all\", \"unimodal\", \"fused\" or a table of weights"
    public init(value: Value) throws {
        switch value {
        case .string("auto"): self = .automatic
        case .string("all"): self = .all
        case .string("unimodal"): self = .unimodal
        case .string("fused"): self = .fused
        case .table(let table)
        where table.items.isEmpty && !table.isEmpty && table.fields.allSatisfy({ $0.value.double != nil }):
            self = .weights(table)
        default: throw Mismatch()
        }
    }

    public var plain: Value {
        switch self {
        case .automatic: return .string("auto")
        case .all: return .string("all")
        case .unimodal: return .string("unimodal")
        case .fused: return .string("fused")
        case .weights(let table): return .table(table)
        }
    }

    var isAutomatic: Bool { if case .automatic = self { return true } else { return false } }

    func weights(_ modalities: [String]) -> [Double] {
        switch self {
        case .automatic, .all: return Array(repeating: 1, count: modalities.count + 1)
        case .unimodal: return [0] + Array(repeating: 1, count: modalities.count)
        case .fused: return [1] + Array(repeating: 0, count: modalities.count)
        case .weights(let table):
            return [table["fused"]?.double ?? 0] + modalities.map { (table[$0] ?? table["unimodal"])?.double ?? 0 }
        }
    }

    /// - Throws: a weight for a head that does not exist.
    func check(_ modalities: [String]) throws {
        guard case .weights(let table) = self else { return }
        for key in table.keys where key != "fused" && key != "unimodal" && !modalities.contains(key) {
            throw BSSError(
                "bss.train", "inference_heads has no head '\(key)'",
                hint: "heads: \((["fused"] + modalities).joined(separator: ", "))", kind: .usage)
        }
    }
}
