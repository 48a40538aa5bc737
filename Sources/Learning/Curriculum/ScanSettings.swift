import BSSCore

/// How the training loop scans the training set when a scheduler wants scores (official-audit.md, M11).
///
/// The paper says only "measure"; the released code scores a network in training mode, on augmented inputs, in file
/// order.
public struct ScanSettings {
    public enum Mode: String, CaseIterable {
        /// Normalisation layers use the batch's statistics and their buffers stay untouched; no dropout.
        case batchStatistics = "batch_statistics"
        /// Evaluation mode: stored statistics.
        case eval
        /// Training mode with dropout; buffers change and stay changed, as in the released code.
        case train
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

    static let modeArgument = Argument(
        "score_mode", default: "batch_statistics",
        "how the network runs while scoring: \"batch_statistics\" (no dropout, buffers untouched), \"eval\", or \"train\" (as released)",
        check: .oneOf(Mode.allCases.map(\.rawValue)))
    static let transformArgument = Argument(
        "score_transform", default: "eval", "transforms while scoring: \"eval\" or \"train\" (augmented, as released)",
        check: .oneOf(["eval", "train"]))
    static let orderArgument = Argument(
        "score_order", default: "shuffled",
        "order of the scan: \"shuffled\" (fixed) or \"list\" (order of the files, as released)",
        check: .oneOf(["shuffled", "list"]))
    static let seedArgument = Argument(
        "score_seed", default: 0, "seed of the scan's own order and augmentation", check: .anyInteger)
    static let checkpointArgument = Argument<String?>(
        "score_checkpoint", default: nil, "score with the model of this checkpoint instead of the one in training")
    static let teacherArgument = Argument<String?>(
        "checkpoint", aliases: ["score_checkpoint"], default: nil,
        "the teacher: score with the model of this checkpoint (same architecture)")
    static let selfTaughtArgument = Argument(
        "self_taught", default: 0,
        "score with a copy of the model that was trained for so many epochs in uniform order, then put aside; 0 = the model as it is",
        check: .range(0...1_000_000))
    static let arguments: [any AnyArgument] = [
        modeArgument, transformArgument, orderArgument, seedArgument, checkpointArgument,
    ]

    /// The same where a teacher may score: curricula that rank once.
    static let teacherArguments: [any AnyArgument] = [teacherArgument, selfTaughtArgument] + ownArguments
    /// The same where only the model in training is scanned.
    static let ownArguments: [any AnyArgument] = [modeArgument, transformArgument, orderArgument, seedArgument]

    public init() {}

    init(teacher arguments: Arguments) throws {
        self.init(own: arguments)
        checkpoint = arguments[ScanSettings.teacherArgument]
        isTeacherFirst = true
        selfTaughtEpochs = arguments[ScanSettings.selfTaughtArgument]
        if checkpoint != nil, selfTaughtEpochs > 0 {
            throw BSSError(arguments.operation, "checkpoint and self_taught name two teachers; give one", kind: .usage)
        }
    }

    init(_ arguments: Arguments) {
        self.init(own: arguments)
        checkpoint = arguments[ScanSettings.checkpointArgument]
    }

    init(own arguments: Arguments) {
        mode = Mode(rawValue: arguments[ScanSettings.modeArgument]) ?? .batchStatistics
        usesTrainingTransform = arguments[ScanSettings.transformArgument] == "train"
        isShuffled = arguments[ScanSettings.orderArgument] == "shuffled"
        seed = arguments[ScanSettings.seedArgument]
    }
}
