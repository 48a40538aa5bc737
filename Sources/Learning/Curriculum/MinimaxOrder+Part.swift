import BSSCore

extension MinimaxOrder {
    static let part = Part<Scheduler>(
        "mcl", "Minimax curriculum learning: hard and diverse subsets first, larger and less diverse ones later.",
        policy: MinimaxOrder.self, source: "Zhou, Bilmes, ICLR 2018; \(Scheduler.curML)",
        example: "bss.scheduler.mcl{ episode = 5, k_0 = 0.2 }")
}
