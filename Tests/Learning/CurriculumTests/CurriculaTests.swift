import BSSCore
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSCurriculum

/// The curricula that BSS is compared with: methods.md, section C.
@Suite(.oneAtATime) struct CurriculaTests {
    func scheduler(_ name: String, _ options: [(String, Value)] = []) throws -> Scheduler {
        try Configured<Scheduler>(name, Table(fields: options)).product
    }
    let stream = RandomStream(seed: 1, name: "order")
    /// Distinct, high = easy.
    let scores = (0..<100).map { -Double(($0 * 37) % 100) / 50 }
    var easiest: [Int] { (0..<100).sorted { scores[$0] > scores[$1] } }
    let labels = (0..<100).map { $0 % 10 == 0 ? 2 : $0 % 2 }

    func plan(_ scheduler: Scheduler, epoch: Int, batch: Int = 1, labels: [Int]? = nil) throws -> EpochPlan {
        let sequencer = scheduler.begin(count: 100, labels: labels)
        try sequencer.receive(scores: scores, epoch: epoch)
        return try sequencer.plan(epoch: epoch, batchSize: batch, random: stream)
    }

    /// A scan whose fused prediction is right for the first `right` samples; features spread on a circle.
    func evidence(right: Int, losses: [Double]? = nil, count: Int = 100) throws -> Evidence {
        let labels = Array(labels.prefix(count))
        let logits = (0..<count).flatMap { i in (0..<3).map { c in Double((c == labels[i]) == (i < right) ? 2 : 0) } }
        let matrix = Matrix(rows: count, columns: 3, values: logits)
        let features = Matrix(
            rows: count, columns: 2, values: (0..<count).flatMap { [Math.cos(Double($0)), Math.sin(Double($0))] })
        return try Evidence(
            modalities: ["a"], logits: [matrix], fused: matrix, labels: labels, features: [features], losses: losses,
            lossWeights: LossWeights(multi: 1, uni: [0]))
    }

    // MARK: Baby step, one-pass

    @Test func baby_step_cumulative() throws {
        let part = try scheduler("baby_step", [("buckets", .int(4)), ("t_grow", .int(8))])
        for (epoch, count) in [(0, 25), (1, 25), (2, 50), (5, 75), (6, 100), (50, 100)] {
            #expect(try Set(plan(part, epoch: epoch).indices) == Set(easiest.prefix(count)), "\(epoch)")
        }
        let anti = try scheduler("baby_step", [("buckets", .int(4)), ("t_grow", .int(8)), ("anti", .bool(true))])
        #expect(try Set(plan(anti, epoch: 2).indices) == Set(easiest.suffix(50)))
    }

    @Test func one_pass_disjoint_orders() throws {
        let part = try scheduler("one_pass", [("buckets", .int(4)), ("t_grow", .int(8))])
        var seen: Set<Int> = []
        for epoch in [0, 2, 4, 6] {
            let bucket = Set(try plan(part, epoch: epoch).indices)
            #expect(
                try bucket.count == 25 && bucket.isDisjoint(with: seen)
                    && bucket == Set(plan(part, epoch: epoch + 1).indices))
            seen.formUnion(bucket)
        }
        #expect(seen.count == 100)
        #expect(try Set(plan(part, epoch: 30).indices) == Set(easiest.suffix(25)))
    }

    @Test("buckets of every class: each class's share, all classes in every bucket")
    func bucketsPerClass() throws {
        let part = try scheduler(
            "one_pass", [("buckets", .int(5)), ("t_grow", .int(5)), ("class_balance", .string("per_class"))])
        #expect(try plan(part, epoch: 0, labels: labels).log.histogram == [8, 10, 2])
    }

    @Test(
        "baby step that waits for the validation loss: a bucket is added when it has not fallen for `patience` epochs")
    func stall() throws {
        let sequencer = try scheduler("baby_step", [("buckets", .int(4)), ("patience", .int(2))]).begin(count: 100)
        try sequencer.receive(scores: scores, epoch: 0)
        var sizes: [Int] = []
        for (epoch, loss) in [3, 2, 2.5, 2.2, 2.4, 1, 1.1, 1.2, 1.3].enumerated() {
            sizes.append(try sequencer.plan(epoch: epoch, batchSize: 1, random: stream).indices.count)
            sequencer.epochEnded(loss: loss, epoch: epoch)
        }
        #expect(sizes == [25, 25, 25, 25, 50, 50, 50, 50, 75])
    }

    // MARK: Competence

    @Test("competence: (.2, .9, .4, .7) has the distribution (.25, 1, .5, .75); ties share the larger rank")
    func competence_distribution() {
        #expect(CompetenceOrder.distribution([0.2, 0.9, 0.4, 0.7]) == [0.25, 1, 0.5, 0.75])
        #expect(CompetenceOrder.distribution([1, 1, 0, 2]) == [0.75, 0.75, 0.25, 1])
        #expect(CompetenceOrder.distribution([]).isEmpty)
    }

    @Test("competence grows within the epoch, from what is available; at epoch granularity it is BSS-H")
    func competence() throws {
        let stepwise = try plan(
            scheduler("competence", [("t_grow", .int(1)), ("lambda_0", .number(0.1))]), epoch: 0, batch: 10)
        #expect(stepwise.indices.count == 100 && stepwise.isSequential)
        let rank = Dictionary(uniqueKeysWithValues: easiest.enumerated().map { ($1, $0) })
        for k in 0..<10 {
            let c = (0.99 * Double(k) / 10 + 0.01).squareRoot()
            for sample in stepwise.indices[10 * k..<10 * k + 10] {
                #expect(Double(rank[sample]! + 1) / 100 <= max(c, 0.1) + 1e-12)
            }
        }
        let whole = try plan(
            scheduler(
                "competence", [("granularity", .string("epoch")), ("lambda_0", .number(0.1)), ("t_grow", .int(40))]),
            epoch: 10)
        #expect(try Set(whole.indices) == Set(plan(scheduler("heuristic"), epoch: 10).indices))
    }

    // MARK: Sizes and contents

    @Test("the reversed arm and the random arm show as many samples as the curriculum, at every epoch")
    func equalSizes() throws {
        let arms: [(String, [(String, Value)])] = [
            ("heuristic", []), ("transfer", [("class_balance", .string("none"))]),
            ("competence", [("granularity", .string("epoch"))]), ("competence", []),
            ("baby_step", []), ("one_pass", []), ("adaptive", []), ("self_paced", []),
            ("dihcl", [("warmup_epochs", .int(0))]),
        ]
        for (name, options) in arms {
            for epoch in [0, 3, 11, 25, 40] {
                let forward = try plan(scheduler(name, options), epoch: epoch, batch: 8).indices
                let backward = try plan(scheduler(name, options + [("anti", .bool(true))]), epoch: epoch, batch: 8)
                    .indices
                #expect(forward.count == backward.count && !forward.isEmpty, "\(name) at \(epoch)")
                if name != "competence" { #expect(Set(forward).count == forward.count, "\(name) repeats samples") }
            }
        }
        for epoch in [0, 7, 40] {
            #expect(
                try plan(scheduler("random", [("pace", .string("root"))]), epoch: epoch).indices.count
                    == plan(scheduler("heuristic"), epoch: epoch).indices.count)
        }
    }

    @Test("where everything must be there, it is, once")
    func contents() throws {
        let whole: [(String, [(String, Value)], Int)] = [
            ("transfer", [], 60), ("baby_step", [], 39), ("adaptive", [], 300), ("self_paced", [], 40),
            ("dihcl", [("warmup_epochs", .int(3))], 2), ("dihcl", [], 9),
            ("mcl", [("score_warmup_epochs", .int(0))], 180), ("competence", [("granularity", .string("epoch"))], 40),
        ]
        for (name, options, epoch) in whole {
            #expect(
                try plan(scheduler(name, options), epoch: epoch, labels: labels).indices.sorted() == Array(0..<100),
                "\(name)")
        }
    }

    @Test("class-balanced truncation: the easiest of every class, in proportion")
    func perClass() throws {
        let plan = try plan(
            scheduler("transfer", [("pace", .string("linear")), ("lambda_0", .number(0.2))]), epoch: 0, labels: labels)
        #expect(plan.log.histogram == [8, 10, 2])
        for c in 0..<3 {
            let members = easiest.filter { labels[$0] == c }
            #expect(Set(plan.indices.filter { labels[$0] == c }) == Set(members.prefix(members.count / 5)))
        }
    }

    // MARK: Given scores

    @Test(
        "scores that come with the scheduler: a list, difficulties, a CSV file by order or by id; no scan is asked for")
    func given() throws {
        let values = [0.1, 0.9, 0.5, 0.3]
        func ranking(_ options: [(String, Value)], positions: [Int] = [0, 1, 2, 3]) throws -> [Int] {
            let part = try scheduler("transfer", options)
            let sequencer = part.begin(count: positions.count)
            try sequencer.take(
                given: #require(part.given).scores(positions: positions, splitCount: 4, ids: positions.map { "s\($0)" })
            )
            #expect(!sequencer.needsScores(atEpoch: 0))
            return sequencer.ranking
        }
        #expect(try ranking([("scores", .list(values))]) == [1, 2, 3, 0])
        #expect(try ranking([("difficulty", .list(values))]) == [0, 3, 2, 1])
        // Without the held-out sample 2.
        #expect(try ranking([("scores", .list(values))], positions: [0, 1, 3]) == [1, 2, 0])
        let path = "bss-given-scores-test.csv"
        defer { Files.remove(path) }
        try Files.write("loss\n0.1\n0.9\n0.5\n0.3\n", to: path)
        #expect(try ranking([("scores", .string(path))]) == [0, 3, 2, 1])
        try Files.write("id,score\ns3,0.3\ns1,0.9\ns2,0.5\ns0,0.1\nother,7\n", to: path)
        #expect(try ranking([("scores", .string(path))]) == [1, 2, 3, 0])
        try Files.write("id,score\ns3,0.3\n", to: path)
        #expect { try ranking([("scores", .string(path))]) } throws: { "\($0)".contains("no row with id 's0'") }
        try Files.write("score\n1\n2\n", to: path)
        #expect { try ranking([("scores", .string(path))]) } throws: {
            "\($0)".contains("2 values") && "\($0)".contains("4 samples")
        }
        try Files.write("points\n1\n", to: path)
        #expect { try ranking([("scores", .string(path))]) } throws: { "\($0)".contains("no column 'score'") }
        #expect { try scheduler("transfer", [("scores", .list([.number(.nan)]))]) } throws: { "\($0)".contains("nan") }
        #expect { try scheduler("transfer", [("scores", .list(values)), ("difficulty", .list(values))]) } throws: {
            "\($0)".contains("two ways")
        }
        #expect { try scheduler("transfer", [("scores", .list(values)), ("self_taught", .int(2))]) } throws: {
            "\($0)".contains("give one source")
        }
        #expect { try scheduler("baby_step", [("checkpoint", .string("x")), ("self_taught", .int(2))]) } throws: {
            "\($0)".contains("two teachers")
        }
    }

    // MARK: Self-paced

    @Test("SPLD: the sample of rank r within its class stays if l < lam + mu / (√r + √(r - 1))")
    func spld_rank_allowance() throws {
        let losses = [0.3, 0.5, 0.7, 0.9, 1.6]
        let part = try scheduler(
            "self_paced",
            [("threshold", .number(0.4)), ("growth", .int(1)), ("diversity", .number(1)), ("min_batches", .int(0))])
        let sequencer = part.begin(count: 5, labels: [0, 0, 0, 0, 1])
        try sequencer.receive(scores: losses.map { -$0 }, epoch: 0)
        // Allowances of class 0: 1.4, .814, .718, .668; of class 1: 1.4.
        #expect(try Set(sequencer.plan(epoch: 0, batchSize: 1, random: stream).indices) == [0, 1, 2])
    }

    @Test("self-paced curriculum: a prior order along which weights never rise; the nearest falling sequence")
    func spcl_prior() throws {
        #expect(SelfPacedOrder.falling([1, 3, 2, 0]) == [2, 2, 2, 0])
        #expect(SelfPacedOrder.falling([3, 2, 1]) == [3, 2, 1])
        // Of all falling weights in {0, 1} the prefix of two minimises Σ v (l - lam) = -.3 + .1 - .4 …: by trying all.
        let losses = [0.2, 0.6, 0.1, 0.9, 0.3]
        let lam = 0.5
        let costs = (0...5).map { losses.prefix($0).reduce(0) { $0 + $1 - lam } }
        let best = costs.firstIndex(of: costs.min()!)!
        func plan(_ weighting: String) throws -> EpochPlan {
            let part = try scheduler(
                "self_paced",
                [
                    ("weighting", .string(weighting)), ("threshold", .number(lam)), ("growth", .int(1)),
                    ("prior", .list([5.0, 4, 3, 2, 1])), ("normalize_weights", .bool(false)),
                ])
            let sequencer = part.begin(count: 5)
            try sequencer.take(given: [5, 4, 3, 2, 1])
            #expect(sequencer.needsScores(atEpoch: 0))
            try sequencer.receive(scores: losses.map { -$0 }, epoch: 0)
            return try sequencer.plan(epoch: 0, batchSize: 1, random: stream)
        }
        #expect(best == 3)
        #expect(try Set(plan("hard").indices) == Set(0..<best))
        let soft = try plan("linear")
        let weights = Dictionary(uniqueKeysWithValues: zip(soft.indices, try #require(soft.weights)))
        // max(1 - l / .5, 0) = (.6, 0, .8, 0, .4); pooled to fall: (.6, .4, .4, .2, .2).
        for (sample, wanted) in [0.6, 0.4, 0.4, 0.2, 0.2].enumerated() {
            #expect(abs(weights[sample, default: 0] - wanted) < 1e-12)
        }
        #expect {
            try scheduler("self_paced", [("weighting", .string("logistic")), ("prior", .list([1.0]))])
        } throws: { "\($0)".contains("prior order") }
    }

    @Test("stale losses: one scan, then what training showed; samples that were not shown keep their last loss")
    func stale() throws {
        let sequencer = try scheduler("self_paced", [("stale", .bool(true))]).begin(count: 100)
        #expect(sequencer.needsScores(atEpoch: 0) && sequencer.observesTraining)
        try sequencer.receive(scores: scores, epoch: 0)
        #expect(!sequencer.needsScores(atEpoch: 1))
        try sequencer.observed([7, 3], evidence(right: 2, losses: [9, 0.5], count: 2), learningRate: 0.1, epoch: 0)
        var wanted = scores
        (wanted[7], wanted[3]) = (-9, -0.5)
        #expect(sequencer.scores == wanted)
    }

    @Test(
        "soft weights that are all 0 show the easiest batch; the mixture's threshold is the root of the quantile"
    )
    func softEdges() throws {
        let sequencer = try scheduler(
            "self_paced", [("weighting", .string("linear")), ("threshold", .number(0.5)), ("growth", .int(1))]
        ).begin(count: 100)
        try sequencer.receive(scores: scores.map { $0 - 1 }, epoch: 0)
        let none = try sequencer.plan(epoch: 0, batchSize: 8, random: stream)
        #expect(Set(none.indices) == Set(easiest.prefix(8)) && none.weights == Array(repeating: 1, count: 8))
        let mixture = try plan(
            scheduler("self_paced", [("weighting", .string("mixture")), ("lambda_0", .number(0.5))]), epoch: 0)
        #expect(Set(mixture.indices) == Set(easiest.prefix(50)))
    }

    // MARK: Adaptive

    @Test("adaptive: scans every `every` epochs, difficulties smoothed by alpha, sizes of its pace")
    func adaptive() throws {
        let part = try scheduler("adaptive", [("every", .int(4))])
        let sequencer = part.begin(count: 100)
        var scans: [Int] = []
        for epoch in 0..<12 where sequencer.needsScores(atEpoch: epoch) {
            scans.append(epoch)
            try sequencer.receive(scores: scores.map { epoch == 0 ? $0 : 2 * $0 }, epoch: epoch)
        }
        #expect(scans == [0, 4, 8])
        for (got, s) in zip(sequencer.scores, scores) {
            #expect(abs(got - (0.3 * (0.3 * s + 0.7 * 2 * s) + 0.7 * 2 * s)) < 1e-12)
        }
        #expect(try sequencer.plan(epoch: 15, batchSize: 1, random: stream).indices.count == 12)
        let given = try scheduler("adaptive", [("scores", .list(scores))])
        #expect(given.measurer != nil && given.given != nil)
    }

    // MARK: Teacher-student

    @Test("teacher-student: Q of 0 and accuracy .50 → .55 give Q = .005; the slope of a straight line is its slope")
    func teacher_student_value() {
        #expect(abs(TeacherStudentOrder(rate: 0.1).value(0, reward: 0.05) - 0.005) < 1e-15)
        #expect(abs(TeacherStudentOrder.slope([0, 0.5, 1, 0.7, 2, 0.9]) - 0.2) < 1e-12)
        #expect(TeacherStudentOrder.slope([3, 1]) == 0)
    }

    @Test(
        "teacher-student: one task an epoch; rewards go to the task that was trained; the largest change comes back",
        arguments: ["online", "window", "sampling"])
    func teacherStudent(variant: String) throws {
        let part = try scheduler(
            "teacher_student",
            [("tasks", .int(4)), ("epsilon", .int(0)), ("variant", .string(variant)), ("rate", .number(0.5))])
        let sequencer = part.begin(count: 100, labels: labels)
        let measurer = Measurer.plainLoss
        func scan(_ right: Int, epoch: Int) throws {
            #expect(sequencer.needsScores(atEpoch: epoch))
            let evidence = try evidence(right: right, losses: scores.map { -$0 })
            try sequencer.receive(measurer.score(evidence), evidence, epoch: epoch)
        }
        var tasks: [Int] = []
        for epoch in 0..<6 {
            try scan(epoch * 15, epoch: epoch)
            let plan = try sequencer.plan(epoch: epoch, batchSize: 1, random: stream)
            let task = (0..<4).first { Set(plan.indices) == Set(easiest[25 * $0..<25 * $0 + 25]) }
            tasks.append(try #require(task))
            #expect(try sequencer.plan(epoch: epoch, batchSize: 1, random: stream).indices == plan.indices)
            try sequencer.observed(plan.indices, evidence(right: 0, count: 25), learningRate: 0.1, epoch: epoch)
        }
        if variant == "sampling" { #expect(Set(tasks).count == 4, "tasks without rewards are tried first: \(tasks)") }
        if variant != "sampling" {
            #expect(Set(tasks.dropFirst()).count == 1, "the first one rewarded stays: \(tasks)")
        }
        let memory = try #require(sequencer.state.table?["memory"]?.table)
        #expect(memory["accuracy"]?.table?.items.count == 4 && memory["value"] != nil)
    }

    // MARK: State

    @Test(
        "memory goes through JSON with the same bits, and with it the orders",
        arguments: ["dihcl", "teacher_student", "mcl", "baby_step", "self_paced"])
    func memory(name: String) throws {
        let options: [String: [(String, Value)]] = [
            "dihcl": [("warmup_epochs", .int(0)), ("feedback", .string("flips"))],
            "mcl": [("score_warmup_epochs", .int(0))], "baby_step": [("patience", .int(1))],
            "teacher_student": [("variant", .string("sampling"))], "self_paced": [("stale", .bool(true))],
        ]
        let part = try scheduler(name, options[name] ?? [])
        let first = part.begin(count: 100, labels: labels)
        for epoch in 0..<4 {
            if first.needsScores(atEpoch: epoch) {
                let evidence = try evidence(right: 17 * epoch, losses: scores.map { -$0 * 0.37 })
                try first.receive(Measurer.plainLoss.score(evidence), evidence, epoch: epoch)
            }
            let indices = try first.plan(epoch: epoch, batchSize: 8, random: stream).indices
            if first.observesTraining {
                try first.observed(
                    indices,
                    evidence(
                        right: 11 * epoch, losses: indices.map { Double($0) * 0.031 * Double(epoch) },
                        count: indices.count), learningRate: 0.07, epoch: epoch)
            }
            first.epochEnded(loss: Double(epoch % 2) + 0.1, epoch: epoch)
        }
        let second = part.begin(count: 100, labels: labels)
        try second.restore(try JSON.parse(JSON.text(first.state)))
        #expect(JSON.text(second.state) == JSON.text(first.state))
        for epoch in 4..<8 {
            #expect(
                try second.plan(epoch: epoch, batchSize: 8, random: stream).indices
                    == first.plan(epoch: epoch, batchSize: 8, random: stream).indices)
        }
        #expect {
            try second.restore(
                .fields([
                    ("evaluations", .int(0)), ("last_scan", .int(-1)), ("current", .list([Double]())),
                    ("scores", .list([Double]())), ("memory", .fields([("x", .int(3))])),
                ]))
        } throws: {
            "\($0)".contains("memory 'x'")
        }
    }
}
