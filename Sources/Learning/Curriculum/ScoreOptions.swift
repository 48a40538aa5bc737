import BSSCore

/// Where the scores of a scheduler come from: one group of options a way.
public protocol ScoreOptions: OptionGroup {
    /// How a scan scores samples; nil: no scan.
    var scoredBy: Measurer? { get }
    var settings: ScanSettings { get }
    /// Scores that come with the scheduler.
    var given: DifficultySource? { get }
    /// Epochs of uniform order before the first scores; t of the pace counts from their end.
    var warmup: Int { get }
}

extension ScoreOptions {
    public var settings: ScanSettings { ScanSettings() }
    public var given: DifficultySource? { nil }
    fileprivate static var warmupHelp: String { "epochs of uniform order before the first scores" }
}

/// No scan.
public struct NoScores: ScoreOptions {
    public var warmup = 0
    public init() {}
    init(warmup: Int) { self.warmup = warmup }
    public var scoredBy: Measurer? { nil }
}

/// Scans of the model in training, or of another one, by a measurer.
public struct ScannedScores: ScoreOptions {
    @Option var measurer: Measurer
    @Option public var warmup: Int
    var scan: ScanOptions
    @Option var checkpoint: String?

    /// Balance scores.
    public init() { self.init(.paper, "how samples are scored: bss.measurer{…}, or a list of criteria") }

    /// By the loss.
    static func ofLoss(warmup: Int = 0, _ note: String = "") -> ScannedScores {
        ScannedScores(
            .plainLoss, "difficulty = minus its score; the default is the loss itself", warmup: warmup, note)
    }

    private init(_ measurer: Measurer, _ help: String, warmup: Int = 0, _ note: String = "") {
        _measurer = Option(wrappedValue: measurer, "measurer", help)
        _warmup = Option(
            wrappedValue: warmup, "score_warmup_epochs", note.isEmpty ? Self.warmupHelp : note, .atLeast(0))
        scan = ScanOptions()
        _checkpoint = Option(
            wrappedValue: nil, "score_checkpoint",
            "score with the model of this checkpoint instead of the one in training")
    }

    public var scoredBy: Measurer? { measurer }
    public var settings: ScanSettings {
        var settings = scan.settings
        settings.checkpoint = checkpoint
        return settings
    }
}

/// Given scores, else scans of the model in training.
public struct OwnScores: ScoreOptions {
    var givenOptions = GivenOptions()
    @Option(
        "measurer", "how a scan scores samples where none are given; the default is minus the loss")
    var measurer = Measurer.plainLoss
    @Option("score_warmup_epochs", warmupHelp, .atLeast(0)) public var warmup = 0
    var scan = ScanOptions()

    public init() {}
    public var scoredBy: Measurer? { measurer }
    public var settings: ScanSettings { scan.settings }
    public var given: DifficultySource? { givenOptions.source }
}

/// Given scores, else a scan of a teacher: a checkpoint, or a copy of the model that is trained first.
public struct TeacherScores: ScoreOptions {
    var givenOptions = GivenOptions()
    @Option(
        "measurer", "how a scan scores samples where none are given; the default is minus the loss")
    var measurer = Measurer.plainLoss
    @Option("score_warmup_epochs", warmupHelp, .atLeast(0)) public var warmup = 0
    @Option(
        "checkpoint", aliases: ["score_checkpoint"],
        "the teacher: score with the model of this checkpoint (same architecture)")
    var checkpoint: String? = nil
    @Option(
        "self_taught",
        "score with a copy of the model that was trained for so many epochs in uniform order, then put aside; 0 = the "
            + "model as it is", .range(0...1_000_000))
    var selfTaught = 0
    var scan = ScanOptions()
    /// Scans follow scores that are given.
    var alwaysScans = false

    public init() {}
    init(alwaysScans: Bool) { self.alwaysScans = alwaysScans }

    public var given: DifficultySource? { givenOptions.source }
    public var scoredBy: Measurer? { given == nil || alwaysScans ? measurer : nil }
    public var settings: ScanSettings {
        var settings = scan.settings
        (settings.checkpoint, settings.isTeacherFirst) = (checkpoint, true)
        settings.selfTaughtEpochs = selfTaught
        return settings
    }

    public func check(_ operation: String) throws {
        if checkpoint != nil, selfTaught > 0 {
            throw BSSError(operation, "checkpoint and self_taught name two teachers; give one", kind: .usage)
        }
        if given != nil, !alwaysScans, checkpoint != nil || selfTaught > 0 {
            throw BSSError(
                operation, "given scores leave nothing to score for checkpoint or self_taught; give one source",
                kind: .usage)
        }
    }
}
