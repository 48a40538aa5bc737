import BSSCore
import BSSStatistics
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct StatisticsFunctionTests {
    private func call(_ name: String, _ fields: [(String, Value)]) throws -> [Value] {
        let function = try #require(StatisticsFunctions.functions.first { $0.name == name })
        return try function.call([.fields(fields)])
    }
    private let arms: [(String, Value)] = [("a", .list(Seeds.a)), ("b", .list(Seeds.b))]
    private func rows(_ values: [Double]) -> Value {
        .list(stride(from: 0, to: values.count, by: 3).map { .list(Array(values[$0..<$0 + 3])) })
    }

    @Test("tests return what they computed, by name")
    func tables() throws {
        let paired = try call("t_test", arms)[0].table
        #expect(Seeds.agree(paired?["p"]?.double ?? 0, 0.0053362865) && paired?["df"]?.double == 7)
        let welch = try call("t_test", arms + [("paired", .bool(false))])[0].table
        #expect(Seeds.agree(welch?["p"]?.double ?? 0, 0.0091225954))
        let equal = try call("equivalence", arms + [("margin", .number(0.01))])[0].table
        #expect(equal?["equivalent"]?.bool == true && Seeds.agree(equal?["low"]?.double ?? 0, 0.0028937589))
        let apart = try call("equivalence", arms + [("margin", .number(0.006))])[0].table
        #expect(apart?["equivalent"]?.bool == false)
        #expect(try call("wilcoxon", arms)[0].table?["w"]?.double == 3)
        #expect(try call("mann_whitney", arms)[0].table?["u"]?.double == 54)
        #expect(try call("effect_size", arms)[0].table?["cliff"]?.double == 0.6875)
    }

    @Test("runs × tasks: value and interval; seed and resamples decide it")
    func scores() throws {
        let gap = try call("aggregate", [("scores", rows(Seeds.s)), ("statistic", .string("optimality_gap"))])
        #expect(Seeds.agree(gap[0].double ?? 0, 0.42) && gap.count == 3)
        let better = try call("improvement", [("scores", rows(Seeds.s)), ("other", rows(Seeds.t))]).compactMap(\.double)
        #expect(Seeds.agree(better[0], 0.6933333333) && better[1] < better[0] && better[0] < better[2])
        let again = try call("improvement", [("scores", rows(Seeds.s)), ("other", rows(Seeds.t))]).compactMap(\.double)
        #expect(again == better)
        let profile = try call("profile", [("scores", rows(Seeds.s)), ("thresholds", .list([0.3, 0.9]))])[0].table
        #expect(profile?["share"]?.table?.items.compactMap(\.double) == [0.8, 2.0 / 15])
    }

    @Test("planning: Noether 29, five seeds have a power of 0.286 for one standard deviation, 17 are needed")
    func planning() throws {
        #expect(try call("noether", [])[0].int == 29)
        let power = try call("power", [("effect", .int(1)), ("n", .int(5))])[0].double ?? 0
        #expect(abs(power - 0.2862954934) < 1e-8)
        #expect(try call("runs_needed", [("effect", .int(1))])[0].int == 17)
    }

    @Test("what no test can use is refused with the reason")
    func refused() throws {
        func message(_ name: String, _ fields: [(String, Value)]) -> String {
            do { return "\(try call(name, fields))" } catch { return "\(error)" }
        }
        let uneven: [(String, Value)] = [("a", .list([1.0])), ("b", .list([1.0, 2]))]
        for name in ["t_test", "wilcoxon", "corrected_t_test", "permutation_test", "paired_effect"] {
            #expect(message(name, uneven).contains("a has 1 values, b has 2"), "\(name)")
        }
        let other: Value = .list([.list([1.0])])
        #expect(message("improvement", [("scores", rows(Seeds.s)), ("other", other)]).contains("3 tasks"))
        #expect(message("bootstrap", [("values", .list(Seeds.a)), ("exact", .bool(true))]).contains("up to 7"))
        #expect(message("five_by_two", [("differences", other)]).contains("5 rows and 2 columns"))
        #expect(message("equivalence", arms + [("margin", .int(0))]).contains("greater than 0"))
        #expect(message("aggregate", [("scores", .list([Value]()))]).contains("with rows and columns"))
        for f in StatisticsFunctions.functions { #expect(!f.summary.isEmpty && f.example != nil, "\(f.name)") }
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
        for labels in [[0, 0.7], [1, 2], [-1, 1], [0, .nan]] {
            #expect { try call("average_precision", [.list([0.5, 0.6]), .list(labels)]) } throws: {
                "\($0)".contains("neither yes nor no")
            }
        }
        let infinity = Double.infinity
        #expect(try call("median", [.list([1, 2, infinity])]).double == 2)
        #expect(try call("median", [.list([-infinity, -infinity, 3])]).double == -infinity)
        #expect(try call("quantile", [.list([1, infinity]), .number(0.5)]).double == infinity)
        #expect(try call("median", [.list([-1e308, 1e308])]).double == 0)
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
    }
}
