import BSSCore

/// The two ways to say the loss weights of Eq. 5.
struct WeightOptions: OptionGroup {
    @Option(
        "alpha", "Eq. 5: w_multi = 1 - alpha, w_uni = alpha (0.2 if neither alpha nor weights are given)",
        .optional(.range(0...1)))
    var alpha: Double? = nil
    @Option("w_multi", "weight of the fused loss, instead of alpha", .optional(.atLeast(0)))
    var multi: Double? = nil
    @Option("w_uni", "weight of every unimodal loss, instead of alpha", .optional(.atLeast(0)))
    var uni: Double? = nil

    func check(_ operation: String) throws {
        guard alpha != nil, multi != nil || uni != nil else { return }
        throw BSSError(
            operation, "alpha and w_multi / w_uni are two ways to say one thing; give one", kind: .usage)
    }

    var weights: (multi: Double, uni: Double) {
        if multi != nil || uni != nil { return (multi ?? 1, uni ?? 1) }
        return (1 - (alpha ?? 0.2), alpha ?? 0.2)
    }
}
