import BSSCore
import BSSNetworks

/// Vanilla fusion: the fused loss alone trains encoders and fusion, and alone predicts (Eqs. 2, 3).
///
/// The unimodal figures are those of linear probes on detached features: they report what each encoder has learned and
/// change nothing else. `probes = false` saves their time; the unimodal figures are then those of untrained heads.
enum FusedOnly {
    static let part: Part<RebalanceRecipe> = {
        let probes = Argument("probes", default: true, "train the unimodal heads on detached features, as probes")
        return Part(
            "none", "Fused loss only: the usual concatenation or sum baseline; unimodal heads are probes.", [probes],
            source: "Guan, Jiang, Yang, IJCAI 2025, Eqs. 2, 3", example: "bss.rebalance.none{}"
        ) { a in RebalanceRecipe { BaseLossMethod(BaseLoss(.fused, unimodal: .head), trainsProbes: a[probes]) } }
    }()
}
