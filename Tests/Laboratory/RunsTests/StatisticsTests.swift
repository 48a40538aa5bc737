import BSSCore
import BSSRuns
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct StatisticsTests {
    @Test("smallest p of an exact permutation test: 3 against 3 seeds .10, 4 .029, 5 .0079, 6 .0022, 8 .00016")
    func smallest() {
        for (n, p) in [(3, 0.10), (4, 0.029), (5, 0.0079), (6, 0.0022), (8, 0.00016)] {
            #expect(abs(Statistics.smallestP(n, n) - p) < 0.05 * p)
            let low = (0..<n).map { Double($0) * 0.1 }
            let high = (0..<n).map { 10 + Double($0) * 0.17 }
            let result = Statistics.permutationTest(high, low)
            #expect(result.isExact && abs(result.p - Statistics.smallestP(n, n)) < 1e-12, "\(n) against \(n)")
            let paired = Statistics.pairedPermutationTest(high, low)
            #expect(abs(paired.p - Statistics.smallestPairedP(n)) < 1e-12 && paired.arrangements == 1 << n)
        }
        #expect(Statistics.smallestPairedP(5) == 0.0625)
        #expect(
            Statistics.seedsNeeded() == 6 && Statistics.seedsNeeded(paired: false) == 4
                && Statistics.seedsNeeded(comparisons: 3) == 7)
    }

    @Test("paired p counted by hand: differences 1, 2, -0.5 leave 2 of 8 patterns as far out")
    func paired() {
        // Sums over signs: ±3.5, ±2.5 (observed), ±0.5, ±1.5 → |sum| >= 2.5 for four of eight.
        let result = Statistics.pairedPermutationTest([1, 2, 0], [0, 0, 0.5])
        #expect(result.p == 0.5 && abs(result.difference - 2.5 / 3) < 1e-15)
        #expect(Statistics.pairedPermutationTest([1, 1], [1, 1]).p == 1)
    }

    @Test("more than 20 pairs: a seeded sample near the exact answer, the same each time")
    func sampled() {
        let a = (0..<24).map { Double($0 % 5) }
        let b = (0..<24).map { Double(($0 * 7) % 5) * 0.9 }
        let one = Statistics.pairedPermutationTest(a, b, seed: 4)
        let two = Statistics.pairedPermutationTest(a, b, seed: 4)
        let other = Statistics.pairedPermutationTest(a, b, seed: 5)
        #expect(!one.isExact && one.p == two.p && abs(one.p - other.p) < 0.02)
    }

    @Test func holm() {
        let adjusted = Statistics.holm([0.01, 0.04, 0.03])
        for (got, wanted) in zip(adjusted, [0.03, 0.06, 0.06]) { #expect(abs(got - wanted) < 1e-15) }
        #expect(Statistics.holm([0.9, 0.8]) == [1, 1])
    }

    @Test("NaN and infinity in: NaN out, in every place and statistic; never p = 0")
    func notFinite() throws {
        for wrong in [Double.nan, -.nan, .infinity, -.infinity] {
            for place in 0..<4 {
                var a = [0.1, 0.4, 0.2, 0.3]
                let b = [0.2, 0.1, 0.5, 0.4]
                a[place] = wrong
                for (x, y) in [(a, b), (b, a)] {
                    #expect(Statistics.pairedPermutationTest(x, y).p.isNaN && Statistics.permutationTest(x, y).p.isNaN)
                    let long = Array(repeating: a, count: 8).flatMap { $0 }
                    #expect(Statistics.pairedPermutationTest(long, Array(repeating: 0, count: 32)).p.isNaN)
                    #expect(Statistics.permutationTest(long, long).p.isNaN)
                }
                #expect(Statistics.bootstrap(a).low.isNaN && Statistics.bootstrap(a).high.isNaN)
                guard wrong.isNaN else { continue }
                for value in [
                    Statistics.mean(a), Statistics.standardDeviation(a), Statistics.quantile(a, 0.5),
                    Statistics.quantile(a, 0), Statistics.interquartileMean(a), Statistics.correlation(a, b),
                    Statistics.rankCorrelation(a, b), Statistics.rankCorrelation(b, a),
                ] { #expect(value.isNaN, "\(place)") }
            }
        }
        let adjusted = Statistics.holm([0.01, .nan, 0.03])
        #expect(adjusted[0] == 0.03 && adjusted[1].isNaN && adjusted[2] == 0.06)
    }

    @Test("a table names the seeds that gave no number, and has no p for them")
    func tables() throws {
        let table = ReportTable(
            title: "",
            rows: [
                .init(name: "a", seeds: [1, 2, 3], values: ["x": [0.5, 0.6, 0.7]]),
                .init(name: "b", seeds: [1, 2, 3], values: ["x": [0.5, .nan, 0.8]]),
            ], metrics: ["x"], control: "a")
        for text in [try table.text(), try table.markdown(), try table.latex()] {
            #expect(text.contains("Not finite: 'x' of 'b', seed 2") && text.contains("nan"), "\(text)")
            #expect(!text.contains("e+00"), "\(text)")
        }
        let cell = try #require(try table.cells()[1][0])
        #expect(cell.p?.isNaN == true && cell.adjustedP?.isNaN == true && !cell.isBold)
        #expect(try table.csv().contains("b,x,3,nan,nan,nan,nan,nan,true,false,0.5;nan;0.8"))
    }

    @Test func moments() {
        #expect(Statistics.mean([1, 2, 6]) == 3)
        #expect(abs(Statistics.standardDeviation([1, 2, 6]) - 7.0.squareRoot()) < 1e-15)
        #expect(Statistics.standardDeviation([1]).isNaN)
        #expect(Statistics.interquartileMean([0, 1, 2, 3, 100, 4, 5, 6]) == 3.5)
        #expect(abs(Statistics.rankCorrelation([1, 2, 3, 4], [1, 4, 9, 16]) - 1) < 1e-15)
        #expect(abs(Statistics.rankCorrelation([1, 2, 3], [3, 2, 1]) + 1) < 1e-15)
    }

    @Test("a bootstrap interval holds the mean, narrows with the level, and repeats")
    func bootstrap() {
        let values = [0.71, 0.74, 0.69, 0.75, 0.72]
        let wide = Statistics.bootstrap(values, level: 0.95, seed: 1)
        let narrow = Statistics.bootstrap(values, level: 0.5, seed: 1)
        #expect(
            wide.low < narrow.low && narrow.low < Statistics.mean(values) && Statistics.mean(values) < narrow.high
                && narrow.high < wide.high)
        #expect(Statistics.bootstrap(values, level: 0.95, seed: 1) == wide)
        #expect(wide.low >= 0.69 && wide.high <= 0.75)
    }

    @Test("as scripts call them, every one")
    func functions() throws {
        func call(_ name: String, _ values: [Value]) throws -> Value {
            try StatisticsFunctions.functions.first { $0.name == name }!.call(values)[0]
        }
        #expect(try call("mean", [.list([1.0, 2, 6])]).double == 3)
        #expect(try call("quantile", [.list([1.0, 2, 4]), .number(0.25)]).double == 1.5)
        #expect(
            try call("auroc", [.list([0.9, 0.2, 0.6]), .list([.bool(true), .bool(false), .bool(true)])]).double == 1)
        #expect(try call("auroc", [.list([0.5, 0.5]), .list([.int(1), .int(0)])]).double == 0.5)
        let test = try call(
            "permutation_test",
            [.fields([("a", .list([3.0, 4, 5])), ("b", .list([1.0, 2, 2])), ("paired", .bool(false))])]
        ).table!
        #expect(abs(test["p"]!.double! - 0.1) < 1e-12 && test["exact"]?.bool == true)
        var options = Table(items: [.number(0.71), .number(0.74)])
        options["level"] = .number(0.9)
        #expect(try call("bootstrap", [.table(options)]).double! >= 0.71)
        #expect(try call("seeds_needed", [.table(Table())]).int == 6)
        #expect { try call("permutation_test", [.list([1.0]), .list([1.0, 2])]) } throws: {
            "\($0)".contains("paired = false")
        }
        #expect { try call("mean", [.table(Table(items: [.string("x")]))]) } throws: { "\($0)".contains("entry 1") }
        for f in StatisticsFunctions.functions + ReportFunctions.functions {
            #expect(!f.summary.isEmpty && f.example != nil, "\(f.name)")
        }
    }
}
