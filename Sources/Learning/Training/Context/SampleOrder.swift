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
