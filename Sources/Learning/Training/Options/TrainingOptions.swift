import BSSBackend
import BSSCore
import BSSCurriculum
import BSSNetworks

/// Everything a training is told, apart from data and model. An option is one property here;
/// `bss.train{…}`, its checks,
/// help, completion and the run record derive from it.
public struct TrainingOptions: OptionGroup {
    @Option("epochs", "passes over the scheduler's plan", .range(1...1_000_000))
    public var epochs = 30
    @Option("batch_size", "samples a step", .range(1...1 << 30))
    public var batchSize = 64
    @Option("seed", "root of every random stream; the command line's --seed, else 1")
    private var givenSeed: Seed? = nil
    @Option("rebalance", "losses and gradients against imbalance")
    public var rebalance = Configured<RebalanceRecipe>.named("joint")
    private var given = WeightOptions()
    @Option(
        "inference_heads",
        "heads summed at inference: \"all\" (Eq. 12), \"unimodal\", \"fused\", or weights { fused = 1, audio = 1 }; "
            + "\"auto\" follows the method")
    public var inferenceHeads = InferenceHeads.automatic
    @Option("scheduler", "which samples an epoch shows, in which order")
    public var scheduler = Configured<Scheduler>.named("random")
    @Option("optimizer", "update rule; the default is the paper's for audio-video")
    public var optimizer = Configured<OptimizerRecipe>.named(
        "sgd",
        Table(fields: [
            ("learning_rate", .number(1e-2)), ("momentum", .number(0.9)), ("weight_decay", .number(1e-4)),
        ]))
    @Option("learning_rate", "learning-rate schedule over epochs")
    public var learningRate = Configured<LearningRateRecipe>.named("constant")
    public var clipping = Clipping()
    @Option("select", "what run.result.selected is; all three are always logged")
    public var select = RunResult.Select.valBest
    @Option("use_val", "evaluate the validation split; without one, val_best is last")
    public var usesValidation = true
    @Option("map_average", "average of the average precisions")
    public var mapAverage = MapAverage.macro
    @Option(
        "checkpoint_every", "epochs between checkpoints; by default every 5 seconds of training",
        .optional(.atLeast(1)))
    public var checkpointEvery: Int? = nil
    @Option(
        "loss",
        "function(output, labels) returning a scalar tensor, in place of Eq. 5; labels are class positions from 1",
        called: Signature([("output", CallbackTypes.out.type), CallbackTypes.labels], returns: "bss.Tensor"))
    public var loss: Callback? = nil
    @Option(
        "sample_loss",
        "what becomes of each sample's losses before they are averaged: bss.sample_loss.superloss{}, …")
    public var sampleLoss: Configured<SampleLossRecipe>? = nil
    @Option(
        "sample_budget",
        "end after the epoch in which this many training samples have been seen, probe trainings and copies counted; "
            + "epochs is then the most it may take",
        Check("at least 1", anyInteger: true) { $0 ?? 1 >= 1 })
    public var sampleBudget: Int? = nil

    @Option(
        "precision",
        "of the factors of float32 products: \"f32\" as they are, \"tf32\" and \"bf16\" rounded, summed in float32, on "
            + "NVIDIA cards only; weights and all else stay float32")
    public var precision = Precision.f32

    private var defaultSeed = 1
    /// The plain form of every option, for the run record.
    public private(set) var configuration = Table()

    public init() {}

    /// - Throws: options that contradict each other.
    public init(_ arguments: Arguments, defaultSeed: Int) throws {
        try self.init(arguments)
        self.defaultSeed = defaultSeed
        configuration = Table(fields: arguments.plain(Self.arguments))
        configuration["seed"] = .int(seed)
        configuration["alpha"] = nil
        if sampleBudget == nil { configuration["sample_budget"] = nil }
        // What is not asked for does not name a run anew.
        if precision == .f32 { configuration["precision"] = nil }
        configuration["w_multi"] = .number(weights.multi)
        configuration["w_uni"] = .number(weights.uni)
    }

    public var seed: Int { givenSeed?.value ?? defaultSeed }
    private var weights: (multi: Double, uni: Double) { given.weights }

    /// Those of Eq. 5.
    public func lossWeights(modalities: Int) -> LossWeights {
        LossWeights(multi: weights.multi, uni: Array(repeating: weights.uni, count: modalities))
    }

    /// - Throws: alpha together with raw weights, or a scheduler that scores by heads which are not trained.
    public func check(_ operation: String) throws {
        guard weights.multi > 0 || weights.uni > 0 || rebalance.name == "none" else {
            throw BSSError(operation, "w_multi and w_uni are both 0: nothing would be trained", kind: .usage)
        }
        if loss != nil, sampleLoss != nil {
            throw BSSError(
                operation, "option 'loss' gives one number for the whole batch; 'sample_loss' needs one per sample",
                hint: "write the loss in bss.sample_loss.custom", kind: .usage)
        }
        let usesSimilarity = scheduler.product.measurer?.criteria.contains { $0.name.hasSuffix("similarity") } ?? false
        if weights.uni == 0, usesSimilarity, rebalance.name != "none", loss == nil {
            throw BSSError(
                operation,
                "alpha = 0 leaves the unimodal heads untrained, but the scheduler scores by their similarity",
                hint: "use alpha > 0, rebalance = \"none\" (probes), or a measurer of \"loss\" alone", kind: .usage)
        }
    }
}
