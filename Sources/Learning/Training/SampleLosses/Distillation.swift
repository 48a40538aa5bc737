import BSSCore
import BSSNetworks
import BSSTensor

/// Follows a teacher beside the labels: + weight · T² KL(softmax(z_teacher / T) ‖ softmax(z / T)) on the fused logits.
///
/// Adaptive curriculum learning (Kong et al., ICCV 2021) pairs it with its scheduler, weight 0.1. The teacher is a
/// checkpoint of the same architecture, run once over the training set in evaluation mode. Deviation: CurML hands
/// probabilities to a function that takes log-probabilities; here it is the divergence.
final class Distillation: SampleLoss {
    struct Options: OptionGroup {
        @Required("checkpoint", "the teacher: a file that model:save wrote, same architecture") var checkpoint: String
        @Option("weight", "of the divergence", .atLeast(0)) var weight = 0.1
        @Option("weight_decay", "taken off the weight every epoch", .atLeast(0)) var decay = 0.0
        @Option("weight_floor", "smallest weight", .atLeast(0)) var floor = 0.0
        @Option("temperature", "T of both softmaxes", .above(0)) var temperature = 1.0

        /// The weight of an epoch.
        func weight(epoch: Int) -> Double { max(min(weight, floor), weight - decay * Double(epoch)) }
    }

    private let options: Options
    /// softmax(z_teacher / T), [n, C].
    private let teacher: Tensor
    /// Σ_c q log q per sample, [n].
    private let negativeEntropy: Tensor

    init(_ options: Options, _ setup: SampleLossSetup) throws {
        let context = setup.context
        let logits = try context.lending(options.checkpoint) { evaluator in
            try evaluator.scan(rows: context.trainRows, setup.predict).fused
        }
        self.options = options
        (teacher, negativeEntropy) = try Autograd.withoutRecording {
            let scaled = try Tensor.from(logits, [context.trainRows.count, context.model.classes]).multiplied(
                by: 1 / options.temperature)
            let log = try scaled.softmax(axis: 1, log: true)
            let q = try log.exp()
            return (q, try (q * log).sum([1]))
        }
        super.init(.fused, context)
    }

    override func applied(_ terms: [LossTerm], _ batch: TrainingBatch) throws -> [LossTerm] {
        var added: [LossTerm] = []
        let kept = try replacing(terms) { term, _ in
            guard let logits = term.logits else {
                throw BSSError(
                    "bss.sample_loss.distillation", "the fused loss of this method is no cross-entropy of known logits",
                    kind: .usage)
            }
            let rows = try Tensor.from(batch.positions)
            let cross = try Tensor.crossEntropy(
                logits.multiplied(by: 1 / options.temperature), probabilities: teacher.indexSelect(0, rows),
                reduction: .none)
            added.append(
                LossTerm(
                    "distillation", try cross + negativeEntropy.indexSelect(0, rows),
                    weight: options.weight(epoch: context.epoch) * options.temperature * options.temperature))
            return term.perSample
        }
        return kept + added
    }

    static let part = Part<SampleLossRecipe>(
        "distillation",
        "Follows a teacher's fused prediction beside the labels: the loss of adaptive curriculum learning.",
        options: Options.self, source: "Kong et al., ICCV 2021; Hinton, Vinyals, Dean, 2015",
        example: "bss.sample_loss.distillation{ checkpoint = \"teacher.safetensors\" }", make: Distillation.init)
}
