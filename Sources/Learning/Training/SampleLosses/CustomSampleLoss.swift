import BSSCore
import BSSTensor

/// A sample loss written in Lua.
final class CustomSampleLoss: SampleLoss {
    struct Options: OptionGroup {
        @Required(
            "function",
            "function(losses, labels, epoch, positions) returning losses of the same shape [B]; labels are class "
                + "positions from 1, epoch counts from 1, positions are those in the training set, from 1")
        var function: Callback
        @Option("on", SampleLoss.targetHelp) var target = Target.total
    }

    private let callback: Callback

    init(_ options: Options, _ setup: SampleLossSetup) {
        callback = options.function
        super.init(options.target, setup.context)
    }

    override func applied(_ terms: [LossTerm], _ batch: TrainingBatch) throws -> [LossTerm] {
        try replacing(terms) { term, _ in
            let positions = Value.list(batch.positions.map { .int($0 + 1) })
            let answer =
                try callback.function.call([
                    .object(term.perSample), LabelValue.value(batch.labels), .int(context.epoch + 1), positions,
                ]).first ?? .null
            guard let losses = answer.tensor, losses.shape == term.perSample.shape else {
                let got = answer.tensor.map { "a tensor of shape \($0.shape)" } ?? answer.described
                throw BSSError(
                    "bss.sample_loss.custom",
                    "the function at \(callback.function.definition) must return a tensor of shape "
                        + "\(term.perSample.shape), got \(got)"
                )
            }
            return losses
        }
    }

    static let part = Part<SampleLossRecipe>(
        "custom", "A sample loss written in Lua.", options: Options.self,
        example: "bss.sample_loss.custom(function(losses) return losses * losses end)", make: CustomSampleLoss.init)
}
