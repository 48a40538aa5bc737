import BSSCore

/// Vanilla fusion: the fused loss alone trains encoders and fusion, and alone predicts (Eqs. 2, 3).
///
/// The unimodal figures are those of linear probes on detached features: they report what each encoder has learned and
/// change nothing else. `probes = false` saves their time: training has no unimodal figures then, and those of other
/// splits are untrained heads'.
enum FusedOnly {
    struct Options: OptionGroup {
        @Option(
            "probes",
            "train the unimodal heads on detached features, as probes; without them training has no unimodal figures")
        var trainsProbes = true
    }

    private static let base = BaseLoss(.fused, unimodal: .head)

    static let part = Part<RebalanceRecipe>(
        "none", "Fused loss only: the usual concatenation or sum baseline; unimodal heads are probes.",
        options: Options.self,
        source: "Guan, Jiang, Yang, IJCAI 2025, Eqs. 2, 3", example: "bss.rebalance.none{}",
        traits: { _ in base.traits(.fixed) }
    ) { BaseLossMethod(base, trainsProbes: $0.trainsProbes, $1.context) }
}
