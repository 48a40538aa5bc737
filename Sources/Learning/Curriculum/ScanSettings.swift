import BSSCore

/// How the training loop scans the training set when a scheduler wants scores (official-audit.md, M11).
///
/// The paper says only "measure"; the released code scores a network in training mode, on augmented inputs, in file
/// order.
public struct ScanSettings {
    public enum Mode: String, Choice {
        /// Normalisation layers use the batch's statistics and their buffers stay untouched; no dropout.
        case batchStatistics = "batch_statistics"
        /// Evaluation mode: stored statistics.
        case eval
        /// Training mode with dropout; buffers change and stay changed, as in the released code.
        case train
        /// What the steps of the epoch before saw of each sample, where they saw every sample once: no pass is made.
        /// Else, as before the first epoch, a scan with the batch's statistics.
        case lastEpoch = "last_epoch"
    }

    public var mode = Mode.batchStatistics
    /// Training transforms (augmentation) instead of evaluation transforms.
    public var usesTrainingTransform = false
    /// One fixed shuffled order (matters for batch statistics) instead of the order of the data files.
    public var isShuffled = true
    /// Names the shuffled order and the augmentation of the scan.
    public var seed = 0
    /// A model checkpoint to score with instead of the model in training.
    public var checkpoint: String?
    /// The checkpoint scores the first time only; later scans are the model's own.
    public var isTeacherFirst = false
    /// Epochs of uniform training of a copy of the model before the first scan, which then scores by the copy; 0 =
    /// none.
    public var selfTaughtEpochs = 0

    public init() {}
}

/// How a scheduler's scans look at the samples.
public struct ScanOptions: OptionGroup {
    public enum Transform: String, Choice { case eval, train }
    public enum Order: String, Choice { case shuffled, list }

    @Option(
        "score_mode",
        "how the network runs while scoring: \"batch_statistics\" (no dropout, buffers untouched), \"eval\", "
            + "\"train\" (as released), or \"last_epoch\": scores from the steps of the epoch before, without a pass, "
            + "if they saw every sample once, else from a scan as with batch_statistics")
    public var mode = ScanSettings.Mode.batchStatistics
    @Option("score_transform", "transforms while scoring: \"eval\" or \"train\" (augmented, as released)")
    public var transform = Transform.eval
    @Option(
        "score_order", "order of the scan: \"shuffled\" (fixed) or \"list\" (order of the files, as released)")
    public var order = Order.shuffled
    @Option("score_seed", "seed of the scan's own order and augmentation")
    public var seed: Seed = 0

    public init() {}

    var settings: ScanSettings {
        var settings = ScanSettings()
        (settings.mode, settings.seed) = (mode, seed.value)
        (settings.usesTrainingTransform, settings.isShuffled) = (transform == .train, order == .shuffled)
        return settings
    }
}
