import BSSCore

/// The multi-loss control: Eq. 5's loss with Eq. 12's inference and nothing else.
enum Joint {
    static let part = Part<RebalanceRecipe>(
        "joint",
        "The multi-loss control: fused and unimodal cross-entropies of Eq. 5, all heads summed at inference (Eq. 12).",
        source: "Guan, Jiang, Yang, IJCAI 2025, Eqs. 5, 12; the control arm of official-audit X18",
        example: "bss.rebalance.joint{}"
    ) { _ in RebalanceRecipe(MethodTraits(steps: .fixed)) { RebalanceMethod($0.context) } }
}
