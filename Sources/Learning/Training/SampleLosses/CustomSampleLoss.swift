import BSSCore
import BSSTensor

/// A sample loss written in Lua.
final class CustomSampleLoss: SampleLoss {
    private let callback: Callback
    private unowned var context: TrainingContext!

    init(_ callback: Callback, target: Target) {
        self.callback = callback
        super.init(target)
    }

    override func setup(_ context: TrainingContext) { self.context = context }

    override func applied(_ terms: [LossTerm], _ batch: TrainingBatch) throws -> [LossTerm] {
        try replacing(terms) { term, _ in
            let positions = Value.list(batch.positions.map { .int($0 + 1) })
            let answer =
                try callback.function.call([
                    .object(term.perSample), LabelValue.value(batch.labels), .int(context.epoch + 1), positions,
                ]).first ?? .null
            guard case .object(let object) = answer, let losses = object as? Tensor,
                losses.shape == term.perSample.shape
            else {
                let got = (answer.object as? Tensor).map { "a tensor of shape \($0.shape)" } ?? answer.described
                throw BSSError(
                    "bss.sample_loss.custom",
                    "the function at \(callback.function.definition) must return a tensor of shape \(term.perSample.shape), got \(got)"
                )
            }
            return losses
        }
    }

    static let part: Part<SampleLossRecipe> = {
        let function = Argument<Callback>(
            "function",
            "function(losses, labels, epoch, positions) returning losses of the same shape [B]; labels are class positions from 1, epoch counts from 1, positions are those in the training set, from 1"
        )
        let on = targetArgument(.total)
        return Part(
            "custom", "A sample loss written in Lua.", [function, on],
            example: "bss.sample_loss.custom(function(losses) return losses * losses end)"
        ) { a in SampleLossRecipe { CustomSampleLoss(a[function], target: Target(rawValue: a[on]) ?? .total) } }
    }()
}

extension Value {
    fileprivate var object: (any HostObject)? {
        if case .object(let object) = self { return object } else { return nil }
    }
}
