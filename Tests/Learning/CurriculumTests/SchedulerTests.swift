import BSSCore
import BSSCurriculum
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct SchedulerTests {
    private func scheduler(_ name: String, _ options: [(String, Value)] = []) throws -> Scheduler {
        try Configured<Scheduler>(name, Table(fields: options)).product
    }
    private let stream = RandomStream(seed: 1, name: "order")

    private func plan(
        _ scheduler: Scheduler, epoch: Int, scores: [Double], batch: Int = 1, labels: [Int]? = nil
    ) throws -> EpochPlan {
        let sequencer = scheduler.begin(count: scores.count, labels: labels)
        try sequencer.receive(scores: scores, epoch: epoch)
        return try sequencer.plan(epoch: epoch, batchSize: batch, random: stream)
    }

    private let scores = (0..<100).map { Double(($0 * 37) % 100) / 50 - 1 }

    @Test func bss_order_is_permutation() throws {
        for name in ["random", "learned"] {
            for epoch in [0, 3] {
                let order = try plan(scheduler(name), epoch: epoch, scores: scores).indices
                #expect(order.sorted() == Array(0..<100), "\(name)")
                #expect(order != Array(0..<100))
            }
        }
    }

    @Test("BSS-H shows the most balanced lambda(t), shuffled; anti the most imbalanced, of the same size")
    func heuristic() throws {
        let ranking = (0..<100).sorted { scores[$0] > scores[$1] }
        for (epoch, size) in [(0, 10), (1, 18), (10, 50), (40, 100)] {
            let forward = try plan(scheduler("heuristic"), epoch: epoch, scores: scores)
            let backward = try plan(scheduler("heuristic", [("anti", .bool(true))]), epoch: epoch, scores: scores)
            #expect(Set(forward.indices) == Set(ranking.prefix(size)) && forward.indices.count == size)
            #expect(Set(backward.indices) == Set(ranking.suffix(size)) && backward.indices.count == size)
            #expect(!forward.isSequential)
        }
        #expect(
            try plan(scheduler("heuristic", [("pace_offset", .int(1))]), epoch: 0, scores: scores).indices.count == 18)
        #expect(try plan(scheduler("heuristic"), epoch: 0, scores: scores, batch: 64).indices.count == 64)
        #expect(
            try plan(scheduler("heuristic", [("min_batches", .int(0))]), epoch: 0, scores: scores, batch: 64).indices
                .count == 10)
        #expect(
            try plan(
                scheduler("heuristic", [("lambda_0", .number(0.5)), ("t_grow", .int(10))]), epoch: 0, scores: scores
            ).indices.count == 50)
        let drawn = try plan(scheduler("heuristic", [("replacement", .bool(true))]), epoch: 0, scores: scores)
        #expect(drawn.indices.count == 100 && Set(drawn.indices).isSubset(of: Set(ranking.prefix(10))))
        let bucket = try plan(
            scheduler(
                "heuristic",
                [("pace", .fields([("name", .string("one_pass")), ("buckets", .int(4)), ("t_grow", .int(4))]))]),
            epoch: 1, scores: scores)
        #expect(Set(bucket.indices) == Set(ranking[25..<50]))
    }

    @Test("BSS-H is scored at the epochs it says, after the warm-up")
    func rerank() throws {
        let sequencer = try scheduler(
            "heuristic", [("rerank_epochs", .list([.int(0), .int(20)])), ("score_warmup_epochs", .int(2))]
        ).begin(count: 100)
        var scans: [Int] = []
        for epoch in 0..<30 {
            if sequencer.needsScores(atEpoch: epoch) {
                scans.append(epoch)
                try sequencer.receive(scores: scores, epoch: epoch)
            }
            let count = try sequencer.plan(epoch: epoch, batchSize: 1, random: stream).indices.count
            if epoch < 2 { #expect(count == 100) }
            if epoch == 2 { #expect(count == 10) }
        }
        #expect(scans == [2, 22])
    }

    @Test("lambda of every class, at least one sample each")
    func perClass() throws {
        let labels = (0..<100).map { $0 < 90 ? 0 : $0 < 99 ? 1 : 2 }
        let plan = try plan(
            scheduler("heuristic", [("class_balance", .string("per_class"))]), epoch: 0, scores: scores, labels: labels)
        #expect(plan.log.histogram == [9, 1, 1])
    }

    /// methods.md D: scores (1, -1, 1/6).
    @Test func bss_probabilities() throws {
        let s = [1, -1, 1.0 / 6]
        let softmax = try #require(try scheduler("learned").policy.probabilities(s))
        for (got, wanted) in zip(softmax, [0.636970, 0.086204, 0.276826]) { #expect(abs(got - wanted) < 5e-7) }
        let linear = try #require(try scheduler("learned", [("prob_map", .string("linear"))]).policy.probabilities(s))
        for (got, wanted) in zip(linear, [0.628780, 0.003128, 0.368092]) { #expect(abs(got - wanted) < 5e-7) }
        let rank = try #require(try scheduler("learned", [("prob_map", .string("rank"))]).policy.probabilities(s))
        for (got, wanted) in zip(rank, [0.5, 1.0 / 6, 1.0 / 3]) { #expect(abs(got - wanted) < 1e-12) }
        let cold = try #require(try scheduler("learned", [("temperature", .number(0.01))]).policy.probabilities(s))
        #expect(cold[0] > 0.999999)
        #expect { try scheduler("learned", [("prob_map", .string("linear"))]).policy.probabilities([-3, 0]) } throws: {
            "\($0)".contains("sample 1")
        }
    }

    @Test func bss_ema() throws {
        let sequencer = try scheduler("learned", [("every", .int(1))]).begin(count: 3)
        try sequencer.receive(scores: [0.5, -0.5, 0], epoch: 0)
        #expect(sequencer.scores == [0.5, -0.5, 0])
        try sequencer.receive(scores: [1, -1, 1.0 / 6], epoch: 1)
        for (got, wanted) in zip(sequencer.scores, [0.8, -0.8, 0.1]) { #expect(abs(got - wanted) < 1e-12) }
    }

    @Test func bss_interval() throws {
        let sequencer = try scheduler("learned").begin(count: 3)
        var scans: [Int] = []
        for epoch in 0..<12 where sequencer.needsScores(atEpoch: epoch) {
            scans.append(epoch)
            try sequencer.receive(scores: [0, 1, 2], epoch: epoch)
        }
        #expect(scans == [0, 5, 10])
    }

    /// methods.md D: order 0, 2, 1 has probability .485716 under the softmax of (1, -1, 1/6).
    @Test func bss_gumbel_matches_multinomial() throws {
        let sequencer = try scheduler("learned").begin(count: 3)
        try sequencer.receive(scores: [1, -1, 1.0 / 6], epoch: 0)
        let draws = 40_000
        var hits = 0
        for epoch in 0..<draws {
            hits += try sequencer.plan(epoch: epoch, batchSize: 1, random: stream).indices == [0, 2, 1] ? 1 : 0
        }
        let p = 0.485716
        #expect(abs(Double(hits) / Double(draws) - p) < 5 * (p * (1 - p) / Double(draws)).squareRoot())
    }

    @Test("BSS-L: fresh draws or one per scan, partial epochs, replacement, the reversed form")
    func learned() throws {
        let fresh = try scheduler("learned").begin(count: 100)
        let held = try scheduler("learned", [("redraw_each_epoch", .bool(false))]).begin(count: 100)
        for sequencer in [fresh, held] { try sequencer.receive(scores: scores, epoch: 0) }
        #expect(
            try fresh.plan(epoch: 1, batchSize: 1, random: stream).indices
                != fresh.plan(epoch: 2, batchSize: 1, random: stream).indices)
        #expect(
            try held.plan(epoch: 1, batchSize: 1, random: stream).indices
                == held.plan(epoch: 2, batchSize: 1, random: stream).indices)
        #expect(
            try plan(scheduler("learned", [("draws_fraction", .number(0.3))]), epoch: 0, scores: scores).indices.count
                == 30)
        let replaced = try plan(
            scheduler("learned", [("draws_fraction", .number(1.5)), ("replacement", .bool(true))]), epoch: 0,
            scores: scores)
        #expect(replaced.indices.count == 150 && Set(replaced.indices).count < 100)
        #expect { try scheduler("learned", [("draws_fraction", .number(1.5))]) } throws: {
            "\($0)".contains("replacement")
        }
        let strict = [("temperature", Value.number(0.01))]
        let forward = try plan(scheduler("learned", strict), epoch: 0, scores: scores).log
        let anti = try plan(scheduler("learned", strict + [("anti", .bool(true))]), epoch: 0, scores: scores).log
        let inverted = try plan(scheduler("learned", strict + [("order_sign", .int(-1))]), epoch: 0, scores: scores)
        #expect(forward.firstDecile! > 0.8 && forward.lastDecile! < -0.8)
        #expect(anti.firstDecile! < -0.8 && anti.lastDecile! > 0.8)
        #expect(inverted.log.firstDecile! < -0.8)
        #expect(
            try plan(
                scheduler("learned", strict + [("order_sign", .int(-1)), ("anti", .bool(true))]), epoch: 0,
                scores: scores
            ).log.firstDecile! > 0.8)
    }

    @Test("audit 1.5: mean score of the first and last decile for uniform scores, linear and softmax map")
    func strength() throws {
        let n = 6698
        var random = RandomStream(seed: 3, name: "scores")
        let uniform = (0..<n).map { _ in 2 * random.uniform() - 1 }
        for (map, first, last) in [("linear", 0.32, -0.80), ("softmax", 0.29, -0.57)] {
            let log = try plan(scheduler("learned", [("prob_map", .string(map))]), epoch: 0, scores: uniform).log
            #expect(
                abs(log.firstDecile! - first) < 0.08 && abs(log.lastDecile! - last) < 0.08,
                "\(map): \(log.firstDecile!) \(log.lastDecile!)")
        }
    }

    @Test("a random ranking that grows: nested subsets of the curriculum's sizes")
    func sizedControl() throws {
        let sequencer = try scheduler("random", [("pace", .string("root"))]).begin(count: 100)
        var before: Set<Int> = []
        for (epoch, size) in [(0, 10), (10, 50), (40, 100)] {
            let now = Set(try sequencer.plan(epoch: epoch, batchSize: 1, random: stream).indices)
            #expect(now.count == size && before.isSubset(of: now))
            before = now
        }
        let fresh = try scheduler("random", [("pace", .string("root")), ("fresh", .bool(true))]).begin(count: 100)
        #expect(
            try Set(fresh.plan(epoch: 0, batchSize: 1, random: stream).indices)
                != Set(fresh.plan(epoch: 0, batchSize: 1, random: stream.child("x")).indices))
    }

    @Test func spl_weights() throws {
        let l = [0.1, 0.4, 0.6, 1.2]
        let wanted: [(SelfPacedWeight, [Double])] = [
            (.hard, [1, 1, 1, 0]), (.linear, [0.875, 0.5, 0.25, 0]), (.logarithmic, [0.748070, 0.317394, 0.138647, 0]),
            (.logistic, [0.968424, 0.867695, 0.796890, 0.581634]), (.polynomial, [0.935414, 0.707107, 0.5, 0]),
        ]
        for (weight, values) in wanted {
            for (got, value) in zip(try weight.weights(l, threshold: 0.8), values) {
                #expect(abs(got - value) < 1e-6, "\(weight)")
            }
        }
        for (got, value) in zip(
            try SelfPacedWeight.mixture.weights(l, threshold: 1, gamma: 0.5), [1, 0.290569, 0.145497, 0])
        { #expect(abs(got - value) < 1e-6) }
    }

    @Test func spl_log_requires_unit_interval() {
        #expect { try SelfPacedWeight.logarithmic.weights([0.1], threshold: 1) } throws: { "\($0)".contains("rescale") }
    }

    @Test("self-paced plans: quantile, threshold, soft weights with mean 1, diversity")
    func selfPaced() throws {
        let losses = (0..<100).map { Double(($0 * 37) % 100) / 50 }
        let easiest = (0..<100).sorted { losses[$0] < losses[$1] }
        let hard = try plan(scheduler("self_paced"), epoch: 20, scores: losses.map { -$0 })
        #expect(Set(hard.indices) == Set(easiest.prefix(55)) && hard.weights == nil)
        let anti = try plan(scheduler("self_paced", [("anti", .bool(true))]), epoch: 20, scores: losses.map { -$0 })
        #expect(Set(anti.indices) == Set(easiest.suffix(55)))
        let fixed = try plan(
            scheduler("self_paced", [("threshold", .number(0.5)), ("growth", .int(2))]), epoch: 1,
            scores: losses.map { -$0 })
        #expect(Set(fixed.indices) == Set(losses.indices.filter { losses[$0] < 1 }))
        for weighting in ["linear", "logarithmic", "mixture", "logistic", "polynomial"] {
            let soft = try plan(
                scheduler("self_paced", [("weighting", .string(weighting)), ("rescale", .bool(true))]), epoch: 20,
                scores: losses.map { -$0 })
            let weights = try #require(soft.weights)
            #expect(
                weights.count == soft.indices.count && abs(weights.reduce(0, +) / Double(weights.count) - 1) < 1e-9,
                "\(weighting)")
            let pairs = zip(soft.indices, weights).sorted { losses[$0.0] < losses[$1.0] }
            #expect(
                zip(pairs, pairs.dropFirst()).allSatisfy { $0.1 >= $1.1 - 1e-12 }, "\(weighting) falls with the loss")
        }
        let labels = (0..<100).map { $0 % 2 }
        let diverse = try plan(
            scheduler("self_paced", [("threshold", .number(0.01)), ("growth", .int(1)), ("diversity", .number(0.5))]),
            epoch: 0, scores: losses.map { -$0 }, labels: labels)
        #expect(diverse.log.histogram.allSatisfy { $0 > 0 })
    }

    @Test("an order written in Lua: positions from 1, mistakes named")
    func custom() throws {
        func plan(_ body: @escaping ([Value]) throws -> [Value]) throws -> EpochPlan {
            let scheduler = try Scheduler.part(named: "custom").configured([.function(Stand(body))]).product
            return try scheduler.begin(count: 3).plan(epoch: 4, batchSize: 1, random: stream)
        }
        #expect(try plan { _ in [.list([.int(3), .int(1)])] }.indices == [2, 0])
        let weighted = try plan { _ in [.fields([("order", .list([.int(2)])), ("weights", .list([0.5]))])] }
        #expect(weighted.indices == [1] && weighted.weights == [0.5])
        #expect { try plan { _ in [.list([.int(0)])] } } throws: {
            "\($0)".contains("t = 4") && "\($0)".contains("integer 0") && "\($0)".contains("1 to 3")
        }
        #expect { try plan { _ in [.string("x")] } } throws: { "\($0)".contains("returned string") }
        #expect { try plan { _ in [.list([.int(1), .number(1.5)])] } } throws: { "\($0)".contains("entry 2") }
    }

    @Test("state goes through JSON with the same bits; damaged states are refused")
    func checkpoint() throws {
        let first = try scheduler("learned").begin(count: 100)
        try first.receive(scores: scores, epoch: 0)
        try first.receive(scores: scores.map { $0 * 0.37 + 0.001 }, epoch: 5)
        let second = try scheduler("learned").begin(count: 100)
        try second.restore(try JSON.parse(JSON.text(first.state)))
        #expect(second.scores == first.scores && second.evaluations == 2 && second.lastScan == 5)
        #expect(
            try second.plan(epoch: 7, batchSize: 8, random: stream).indices
                == first.plan(epoch: 7, batchSize: 8, random: stream).indices)
        #expect(!second.needsScores(atEpoch: 5) && second.needsScores(atEpoch: 10))
        #expect { try scheduler("learned").begin(count: 99).restore(first.state) } throws: {
            "\($0)".contains("100 scores for 99")
        }
        #expect { try second.restore(.int(3)) } throws: { "\($0)".contains("lacks") }
    }

    @Test("wrong scores are refused")
    func wrongScores() throws {
        let sequencer = try scheduler("learned").begin(count: 2)
        #expect { try sequencer.receive(scores: [1], epoch: 0) } throws: {
            "\($0)".contains("expected 2 scores, got 1")
        }
        #expect { try sequencer.receive(scores: [1, .infinity], epoch: 0) } throws: { "\($0)".contains("sample 2") }
        #expect { try sequencer.plan(epoch: 0, batchSize: 1, random: stream) } throws: {
            "\($0)".contains("no scores at t = 0")
        }
    }

    @Test("both names of an option work, not at once; the record has the declared one")
    func aliases() throws {
        let configured = try Configured<Scheduler>(
            "learned", Table(fields: [("every", .int(3)), ("beta", .number(0.4))]))
        #expect(
            configured.configuration["score_interval"]?.int == 3 && configured.configuration["ema_beta"]?.double == 0.4)
        #expect(configured.configuration["every"] == nil)
        #expect { try scheduler("learned", [("every", .int(3)), ("score_interval", .int(4))]) } throws: {
            "\($0)".contains("given twice")
        }
        #expect { try scheduler("heuristic", [("lambda_0", .int(-1))]) } throws: {
            "\($0)".contains("lambda_0") && "\($0)".contains("-1")
        }
        #expect { try scheduler("heuristic", [("pace", .string("full")), ("t_grow", .int(9))]) } throws: {
            "\($0)".contains("no t_grow")
        }
    }

    @Test("every scheduler with its defaults goes through its plain form")
    func roundTrip() throws {
        for part in Scheduler.parts {
            let reversed = Stand { [.list((1...($0[1].table?.items.count ?? 1)).reversed().map(Value.int))] }
            let required: [(String, Value)] = part.name == "custom" ? [("function", .function(reversed))] : []
            let made = try Configured<Scheduler>(part.name, Table(fields: required))
            let again = try Configured<Scheduler>(value: made.plain)
            #expect(JSON.text(again.plain) == JSON.text(made.plain), "\(part.name)")
        }
    }

    @Test("methods as scripts call them")
    func methods() throws {
        let object = PartObject(try Configured<Scheduler>("heuristic"))
        func call(_ name: String, _ values: [Value]) throws -> [Value] {
            try #require(object.objectType.method(name)).call(values, receiver: object)
        }
        #expect(try call("ranking", [.list([0.1, 0.9, 0.5])])[0].table?.items.compactMap(\.int) == [2, 3, 1])
        #expect(try call("order", [.int(0), .list([0.1, 0.9, 0.5])])[0].table?.items.compactMap(\.int) == [2])
        #expect(try call("size", [.fields([("t", .int(40)), ("scores", .list([0.1, 0.9, 0.5]))])])[0].int == 3)
        #expect { try call("order", [.int(0)]) } throws: { "\($0)".contains("n = number of samples") }
    }

    @Test("every declaration has help, a source or a reason, and an example")
    func declarations() {
        func check(_ path: String, _ summary: String, _ example: String?, _ arguments: [any AnyArgument]) {
            #expect(!summary.isEmpty && example != nil, "\(path)")
            for argument in arguments { #expect(!argument.help.isEmpty, "\(path).\(argument.name)") }
        }
        for part in Pace.parts { check("pace.\(part.name)", part.summary, part.example, part.arguments) }
        for part in Scheduler.parts { check("scheduler.\(part.name)", part.summary, part.example, part.arguments) }
        for part in Criterion.parts { check("criterion.\(part.name)", part.summary, part.example, part.arguments) }
        for f in Pace.methods + Scheduler.methods + Criterion.methods + Preset.functions + [Measurer.constructor] {
            check(f.name, f.summary, f.example, f.arguments)
        }
    }
}
