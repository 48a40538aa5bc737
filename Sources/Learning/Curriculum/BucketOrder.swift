import BSSCore

/// Buckets of equal size, easiest first, each shuffled: baby step keeps the earlier ones, one-pass drops them.
/// Bengio et al., ICML 2009; Spitkovsky et al., NAACL 2010; Cirik, Hovy, Morency, 2016.
struct BucketOrder: OrderPolicy {
    @Option("buckets", "number of buckets of equal size", .range(1...1_000_000)) var buckets = 10
    @Option("t_grow", "epoch at which the last bucket is reached", .above(0)) var grow = 40.0
    @Option(
        "patience",
        "go on when the validation loss (else the training loss) has not fallen for so many epochs, instead of by the "
            + "clock", .optional(.atLeast(1)))
    var patience: Int? = nil
    @Option("anti", PaceShorthands.antiHelp) var isAnti = false
    @Option("class_balance", "\"per_class\": take the fraction of every class instead of the whole ranking")
    var balance = ClassBalance.none
    var scores = TeacherScores()
    var rule = BatchRule()
    var keepsEarlier = true

    func needsScores(t: Int, evaluations: Int) -> Bool { evaluations == 0 }

    func ranking(_ scores: [Double]) -> [Int] { RankedSubset.ranking(scores, isAnti: isAnti) }

    /// The newest bucket, from 0.
    func bucket(t: Int, _ memory: OrderMemory) -> Int {
        let last = buckets - 1
        if patience != nil { return min(last, memory["bucket"]?.first.flatMap { Int(exactly: $0) } ?? 0) }
        // Baby step: ceil((t + 1) J / T) buckets; one-pass: bucket floor(t J / T).
        let position = (Double(t) + (keepsEarlier ? 1 : 0)) * Double(buckets) / grow
        return min(
            last,
            keepsEarlier
                ? Int(saturating: min(position.rounded(.up), Double(buckets))) - 1
                : Int(saturating: min(position, Double(last)))
        )
    }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        let bucket = bucket(t: request.t, request.memory)
        let count = Double(buckets)
        let window = (start: keepsEarlier ? 0 : Double(bucket) / count, end: Double(bucket + 1) / count)
        let pool = try RankedSubset.available(window, ranking(request.scores), balance, request, rule)
        var random = request.random
        return try .shuffled(pool, window.end - window.start, &random)
    }

    /// memory: bucket, best loss in it, epochs without a better one.
    func epochEnded(loss: Double, _ memory: inout OrderMemory) {
        guard let patience, loss.isFinite else { return }
        let bucket = memory["bucket"]?.first ?? 0
        guard let best = memory["best"]?.first, loss >= best else {
            (memory["best"], memory["waited"]) = ([loss], [0])
            return
        }
        let waited = (memory["waited"]?.first ?? 0) + 1
        if waited >= Double(patience) {
            (memory["bucket"], memory["best"], memory["waited"]) = ([min(bucket + 1, Double(buckets - 1))], nil, nil)
        } else {
            memory["waited"] = [waited]
        }
    }

    static let babyStep = make(
        "baby_step", "Baby step: buckets from easy to hard are added one after the other and kept.")
    static let onePass = make("one_pass", "One-pass: buckets from easy to hard, each ALONE; the last one stays.") {
        $0.keepsEarlier = false
    }

    private static func make(
        _ name: String, _ summary: String, _ setting: @escaping (inout BucketOrder) -> Void = { _ in }
    ) -> Part<Scheduler> {
        Part(
            name, summary, policy: BucketOrder.self,
            source: "Bengio et al., ICML 2009; Spitkovsky, Alshawi, Jurafsky, NAACL 2010; Cirik, Hovy, Morency, 2016",
            example: "bss.scheduler.\(name){ buckets = 4, t_grow = 8 }", setting: setting)
    }
}
