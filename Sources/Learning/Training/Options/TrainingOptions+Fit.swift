import BSSCore
import BSSNetworks

extension TrainingOptions {
    /// - Throws: options that the method leaves no place for, or that data or model cannot meet.
    func check(_ traits: MethodTraits, _ source: any SampleSource, _ modalities: [String]) throws {
        func wrong(_ message: String, _ hint: String) -> BSSError {
            BSSError("bss.train", message, hint: hint, kind: .usage)
        }
        try inferenceHeads.check(modalities)
        let method = "rebalance = \"\(rebalance.name)\""
        if traits.ownsLoss, loss != nil {
            throw wrong(
                "\(method) has losses of its own; option 'loss' replaces those of Eq. 5",
                "use rebalance = \"joint\" or another method that modulates Eq. 5")
        }
        if traits.ownsPrediction, !inferenceHeads.isAutomatic {
            throw wrong(
                "inference_heads has no effect with \(method), which makes the total prediction itself",
                "leave it out, or say inference_heads = \"auto\"")
        }
        let watched = learningRate.product.watches
        guard watched.hasPrefix("val_") else { return }
        if !usesValidation || source.rows(.val).isEmpty {
            throw wrong(
                "learning_rate watches \(watched), and "
                    + (usesValidation ? "'\(source.name)' has no validation split" : "use_val is false"),
                "watch metric = \"train_loss\", or keep a part of the data for validation")
        }
    }
}
