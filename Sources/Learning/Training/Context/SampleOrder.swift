import BSSCore
import BSSCurriculum
import BSSNetworks

/// Which samples an epoch shows: the scheduler's sequence for one training, and the scans that it wants.
final class SampleOrder {
    let sequencer: Sequencer
    private let scheduler: Scheduler
    private let random: RandomStream
    private let batchSize: Int
    /// Of all scans so far.
    var scoringSeconds = 0.0

    /// - Throws: scores that came with the scheduler and do not fit the split.
    init(_ options: TrainingOptions, _ source: any SampleSource, _ division: Holdout, random: RandomStream) throws {
        scheduler = options.scheduler.product
        batchSize = options.batchSize
        self.random = random
        let rows = division.trainRows
        let needs = scheduler.needs.union(scheduler.measurer?.needs ?? [])
        if scheduler.scan.mode == .lastEpoch, !needs.isDisjoint(with: [.features, .gradientNorms]) {
            throw BSSError(
                "bss.scheduler.\(scheduler.name)",
                "score_mode = \"last_epoch\" knows the outputs of samples, not their features or gradients",
                hint: "use a measurer of \"prediction_similarity\" and \"loss\", or another score_mode", kind: .usage)
        }
        sequencer = scheduler.begin(
            count: rows.count, labels: rows.map { source.classColumns[$0] }, classes: source.classes)
        guard let given = scheduler.given else { return }
        try sequencer.take(
            given: given.scores(
                positions: division.trainPositions, splitCount: source.rows(.train).count,
                ids: rows.map(source.describe)))
    }

    func plan(_ epoch: Int) throws -> EpochPlan {
        try sequencer.plan(epoch: epoch, batchSize: batchSize, random: random)
    }

    /// What a scan has to look at.
    struct Scan {
        let settings: ScanSettings
        let needs: Set<Criterion.Need>
        /// The file of another model that scores.
        let checkpoint: String?
        /// Epochs of training of a copy that scores.
        let selfTaughtEpochs: Int
    }

    /// Whether scores are taken from the steps of an epoch.
    var scoresAhead: Bool { scheduler.scan.mode == .lastEpoch }

    /// Scores of the plan of `epoch` by what the epoch before saw of every sample, if the scheduler takes them so.
    func scoreAhead(_ epoch: Int, _ evidence: () throws -> Evidence) throws {
        guard scoresAhead, sequencer.needsScores(atEpoch: epoch),
            let measurer = scheduler.measurer
        else { return }
        let start = Clock.seconds()
        let found = try evidence()
        try sequencer.receive(measurer.score(found), found, epoch: epoch)
        scoringSeconds += Clock.seconds() - start
    }

    /// Scores the training set for this epoch's plan, once, if its scheduler wants it.
    func score(_ epoch: Int, _ evidence: (Scan) throws -> Evidence) throws {
        guard sequencer.needsScores(atEpoch: epoch), let measurer = scheduler.measurer else { return }
        let start = Clock.seconds()
        let settings = scheduler.scan
        let isFirst = sequencer.evaluations == 0
        let checkpoint = settings.isTeacherFirst && !isFirst ? nil : settings.checkpoint
        let scan = Scan(
            settings: settings, needs: measurer.needs.union(scheduler.needs), checkpoint: checkpoint,
            selfTaughtEpochs: isFirst && checkpoint == nil ? settings.selfTaughtEpochs : 0)
        let found = try evidence(scan)
        try sequencer.receive(measurer.score(found), found, epoch: epoch)
        scoringSeconds += Clock.seconds() - start
    }
}
