import BSSCore

/// How large a difference is, and how many runs it takes to see it.
extension StatisticsFunctions {
    static let sizes: [Function] = [
        Function(
            "effect_size", "How far a is above b: in standard deviations, and as a probability.", [a, b],
            returns: "table { cohen, hedges, superiority, cliff }",
            example: "bss.stats.effect_size{ a = {3, 4, 5}, b = {1, 2, 2} }.cliff   -- 1",
            source: "Cohen 1988; Hedges 1981; Vargha & Delaney 2000; Cliff 1993"
        ) { arguments in
            let found = Statistics.effectSizes(arguments[a].values, arguments[b].values)
            return [
                .fields([
                    ("cohen", .number(found.cohen)), ("hedges", .number(found.hedges)),
                    ("superiority", .number(found.superiority)), ("cliff", .number(found.cliff)),
                ])
            ]
        },
        two(
            "paired_effect", "Mean of a - b over its standard deviation (Cohen's d_z).",
            example: "bss.stats.paired_effect({3, 4, 5}, {1, 2, 2})", Statistics.pairedEffect),
        Function(
            "order_violation", "How far a is from being stochastically above b: 0 above everywhere, 1 below.", [a, b],
            returns: "number", example: "bss.stats.order_violation({0.7, 0.8}, {0.6, 0.75})   -- 0",
            source: "del Barrio, Cuesta-Albertos & Matrán 2018; Dror et al., ACL 2019"
        ) { [.number(Statistics.orderViolation($0[a].values, $0[b].values))] },
    ]

    private static let count = Argument<Int>("n", "seeds per arm", check: .atLeast(1))
    private static let comparisonCount = Argument(
        "comparisons", default: 1, "tests that share the level", check: .atLeast(1))
    private static let isBetween = Check<Double>("between 0 and 1") { $0 > 0 && $0 < 1 }
    private static let size = Argument(
        "alpha", default: 0.05, "probability of finding what is not there", check: isBetween)
    private static let miss = Argument("beta", default: 0.05, "probability of missing it", check: isBetween)
    private static let superiority = Argument(
        "superiority", default: 0.75, "P(A > B) that is worth finding",
        check: Check("above 0.5, at most 1") { $0 > 0.5 && $0 <= 1 })
    private static let effect = Argument<Double>(
        "effect", "difference in standard deviations (paired: of the differences)",
        check: Check("above 0, up to 1000") { $0 > 0 && $0 <= 1000 })
    private static let runs = Argument<Int>("n", "runs per arm", check: .range(2...10_000_000))
    private static let wanted = Argument("power", default: 0.8, "probability of finding it", check: isBetween)
    private static let unpaired = Argument("paired", default: false, "the runs of both arms share seeds")

    static let planning: [Function] = [
        Function(
            "smallest_p", "The smallest two-sided p that n seeds per arm can give.", [count, paired], returns: "number",
            example: "bss.stats.smallest_p{ 5, paired = false }   -- 0.00794"
        ) {
            [.number($0[paired] ? Statistics.smallestPairedP($0[count]) : Statistics.smallestP($0[count], $0[count]))]
        },
        Function(
            "seeds_needed", "Seeds per arm with which a permutation test can reach the level at all.",
            [alpha, paired, comparisonCount], returns: "integer",
            example: "bss.stats.seeds_needed{}   -- 6"
        ) {
            let needed = Statistics.seedsNeeded(
                alpha: $0[alpha], paired: $0[paired], comparisons: $0[comparisonCount])
            return [.int(needed)]
        },
        Function(
            "noether", "Runs with which a rank test finds that A is above B so often.", [superiority, size, miss],
            returns: "integer", example: "bss.stats.noether{}   -- 29",
            source: "Noether, JASA 1987; Bouthillier et al., MLSys 2021"
        ) {
            let runs = Statistics.noether(superiority: $0[superiority], alpha: $0[size], beta: $0[miss])
            return [.int(Int(saturating: runs.rounded(.up)))]
        },
        Function(
            "power", "Probability that a two-sided t test finds an effect.", [effect, runs, size, unpaired],
            returns: "number", example: "bss.stats.power{ 1, 5 }   -- 0.286", source: "Cohen 1988"
        ) { [.number(Statistics.power(effect: $0[effect], runs: $0[runs], alpha: $0[size], paired: $0[unpaired]))] },
        Function(
            "runs_needed", "Runs per arm with which a two-sided t test finds an effect with this power.",
            [effect, wanted, size, unpaired], returns: "integer; nil beyond 100,000",
            example: "bss.stats.runs_needed{ 1 }   -- 17", source: "Cohen 1988"
        ) {
            let runs = Statistics.runsNeeded(
                effect: $0[effect], power: $0[wanted], alpha: $0[size], paired: $0[unpaired])
            return [runs.map(Value.int) ?? .null]
        },
    ]
}
