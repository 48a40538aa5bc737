import BSSCore
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSCurriculum

/// Curricula that observe training or choose by diversity.
extension CurriculaTests {
    // MARK: Hardness

    @Test(
        "DIHCL: r ← (1 - g) r + g l / lr of what was shown; the shown part shrinks; hard samples are drawn more often")
    func dihcl() throws {
        let part = try scheduler("dihcl", [("warmup_epochs", .int(1))])
        let sequencer = part.begin(count: 100)
        #expect(try sequencer.plan(epoch: 0, batchSize: 1, random: stream).indices.count == 100)
        let losses = scores.map { -$0 }
        for epoch in 0..<2 {
            try sequencer.observed(Array(0..<100), evidence(right: 0, losses: losses), learningRate: 0.1, epoch: epoch)
        }
        for (got, l) in zip(sequencer.scores, losses) { #expect(abs(-got - (0.1 * 9 * l + 0.9 * 10 * l)) < 1e-9) }
        #expect(
            try [1, 2, 5, 50].map { try sequencer.plan(epoch: $0, batchSize: 1, random: stream).indices.count } == [
                85, 72, 44, 20,
            ])
        var seen = [Int](repeating: 0, count: 100)
        for epoch in 100..<400 {
            for i in try sequencer.plan(epoch: epoch, batchSize: 1, random: stream).indices { seen[i] += 1 }
        }
        let easy = easiest.prefix(50).reduce(0) { $0 + seen[$1] }
        let hard = easiest.suffix(50).reduce(0) { $0 + seen[$1] }
        #expect(hard > 2 * easy, "\(hard) to \(easy)")
    }

    @Test(
        "DIHCL: change of the loss and flips are per learning rate since the sample was last seen",
        arguments: ["loss_change", "flips"], ["proportional", "exponential", "thompson"])
    func dihclForms(feedback: String, map: String) throws {
        let part = try scheduler(
            "dihcl",
            [
                ("warmup_epochs", .int(0)), ("decay", .int(1)), ("feedback", .string(feedback)),
                ("prob_map", .string(map)),
                ("discount", .int(1)),
            ])
        let sequencer = part.begin(count: 100)
        let losses = scores.map { -$0 }
        try sequencer.observed(Array(0..<100), evidence(right: 40, losses: losses), learningRate: 0.1, epoch: 0)
        try sequencer.observed(
            Array(0..<50), evidence(right: 50, losses: losses.map { $0 + 1 }.prefix(50).map { $0 }, count: 50),
            learningRate: 0.1, epoch: 1)
        try sequencer.observed(
            Array(0..<100), evidence(right: 100, losses: losses.map { $0 + 1 }), learningRate: 0.3, epoch: 2)
        // Sample 99 was last seen in epoch 0: learning rates 0.1 + 0.3 since; its loss grew by 1, its prediction became
        // right.
        #expect(abs(-sequencer.scores[99] - 1 / 0.4) < 1e-9)
        #expect(abs(-sequencer.scores[0]) < 1e-9)
        let order = try sequencer.plan(epoch: 0, batchSize: 1, random: stream).indices
        #expect(order.sorted() == Array(0..<100))
        #expect(try sequencer.plan(epoch: 0, batchSize: 1, random: stream).indices == order)
    }

    @Test("Beta draws have the mean and the variance of the distribution")
    func beta() {
        var random = stream.child("beta")
        for (a, b) in [(0.3, 0.7), (2.0, 5.0), (0.01, 1.1)] {
            let draws = (0..<20_000).map { _ in random.beta(a, b) }
            let mean = a / (a + b)
            let variance = a * b / ((a + b) * (a + b) * (a + b + 1))
            #expect(draws.allSatisfy { (0...1).contains($0) })
            #expect(abs(Math.mean(draws) - mean) < 5 * (variance / 20_000).squareRoot(), "\(a) \(b)")
            let spread = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
            #expect(abs(spread / variance - 1) < 0.15)
        }
    }

    // MARK: Minimax

    @Test(
        "MCL: lazy greedy is greedy, found by trying every gain; lambda falls and k grows by episode"
    )
    func mcl_greedy() throws {
        let evidence = try evidence(right: 50)
        let n = 40
        let units = MinimaxOrder.units([
            Matrix(rows: n, columns: 2, values: Array(evidence.features![0].values.prefix(2 * n)))
        ])
        let groups = Array(labels.prefix(n))
        let losses = (0..<n).map { Double(($0 * 7) % 11) / 5 }
        let got = try MinimaxOrder().greedy(units, groups, losses: losses, weight: 0.7, count: 15)
        func similarity(_ i: Int, _ j: Int) -> Double {
            groups[i] == groups[j]
                ? (1 + units.values[2 * i] * units.values[2 * j] + units.values[2 * i + 1] * units.values[2 * j + 1])
                    / 2 : 0
        }
        var covered = [Double](repeating: 0, count: n)
        var chosen: [Int] = []
        for _ in 0..<15 {
            let gains = (0..<n).map { i in
                chosen.contains(i)
                    ? -1 : losses[i] + 0.7 * (0..<n).reduce(0) { $0 + max(0, similarity(i, $1) - covered[$1]) }
            }
            let best = gains.max()!
            // Rounding of f32 may tell equal gains apart: any of the best is right.
            let pick = got[chosen.count]
            #expect(gains[pick] > best - 1e-4)
            chosen.append(pick)
            for j in 0..<n { covered[j] = max(covered[j], similarity(pick, j)) }
        }
        let order = MinimaxOrder()
        #expect([0, 19, 20, 200].map(order.share) == [0.1, 0.1, 0.2, 1])
        for (t, lambda) in [(0, 1), (20, 0.9), (40, 0.81), (2000, 0.2)] {
            #expect(abs(order.weight(t) - lambda) < 1e-12)
        }
    }

    @Test(
        "MCL prefers hard samples, after its warm-up, at the sizes of its episodes", arguments: ["greedy", "sampled"])
    func mcl(selection: String) throws {
        let part = try scheduler(
            "mcl",
            [
                ("selection", .string(selection)), ("score_warmup_epochs", .int(2)), ("episode", .int(3)),
                ("k_0", .number(0.3)), ("diversity", .number(0.001)), ("diversity_floor", .int(0)),
            ])
        #expect(part.needs == [.features])
        let sequencer = part.begin(count: 100, labels: labels)
        var scans: [Int] = []
        var sizes: [Int] = []
        var ranks: [Int] = []
        for epoch in 0..<9 {
            if sequencer.needsScores(atEpoch: epoch) {
                scans.append(epoch)
                let evidence = try evidence(right: 50, losses: scores.map { -$0 })
                try sequencer.receive(Measurer.plainLoss.score(evidence), evidence, epoch: epoch)
            }
            let indices = try sequencer.plan(epoch: epoch, batchSize: 4, random: stream).indices
            sizes.append(indices.count)
            if epoch >= 2 { ranks += indices.map { easiest.firstIndex(of: $0)! } }
            #expect(Set(indices).count == indices.count)
        }
        #expect(scans == [2, 5, 8])
        #expect(sizes == [100, 100, 30, 30, 30, 40, 40, 40, 50])
        #expect(Math.mean(ranks.map(Double.init)) > 58)
    }
}
