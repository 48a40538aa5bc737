import BSSCore
import BSSNetworks
import BSSTensor

/// Follows a teacher beside the labels: + weight · T² KL(softmax(z_teacher / T) ‖ softmax(z / T)) on the fused logits.
///
/// Adaptive curriculum learning (Kong et al., ICCV 2021) pairs it with its scheduler, weight 0.1. The teacher is a
/// checkpoint of the same architecture, run once over the training set in evaluation mode. Deviation: CurML hands
/// probabilities to a function that takes log-probabilities; here it is the divergence.
final class Distillation: SampleLoss {
    private let checkpoint: String
    private let weight: Double, decay: Double, floor: Double, temperature: Double
    private unowned var context: TrainingContext!
    /// softmax(z_teacher / T), [n, C].
    private var teacher: Tensor!
    /// Σ_c q log q per sample, [n].
    private var negativeEntropy: Tensor!

    init(_ checkpoint: String, weight: Double, decay: Double, floor: Double, temperature: Double) {
        (self.checkpoint, self.weight, self.decay, self.floor, self.temperature) = (
            checkpoint, weight, decay, floor, temperature
        )
        super.init(.fused)
    }

    override func setup(_ context: TrainingContext) throws {
        self.context = context
        let logits = try context.trainer.withParameters(of: checkpoint) {
            try context.evaluator.scan(rows: context.trainRows).fused
        }
        try Autograd.withoutRecording {
            let scaled = try Tensor.from(logits, [context.trainRows.count, context.model.classes]).multiplied(
                by: 1 / temperature)
            let log = try scaled.softmax(axis: 1, log: true)
            teacher = try log.exp()
            negativeEntropy = try (teacher * log).sum([1])
        }
    }

    /// The weight of an epoch.
    func weight(_ epoch: Int) -> Double { max(min(weight, floor), weight - decay * Double(epoch)) }

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
                logits.multiplied(by: 1 / temperature), probabilities: teacher.indexSelect(0, rows), reduction: .none)
            added.append(
                LossTerm(
                    "distillation", try cross + negativeEntropy.indexSelect(0, rows),
                    weight: weight(context.epoch) * temperature * temperature))
            return term.perSample
        }
        return kept + added
    }

    static let part: Part<SampleLossRecipe> = {
        let checkpoint = Argument<String>("checkpoint", "the teacher: a file that model:save wrote, same architecture")
        let weight = Argument("weight", default: 0.1, "of the divergence", check: .atLeast(0))
        let decay = Argument("weight_decay", default: 0.0, "taken off the weight every epoch", check: .atLeast(0))
        let floor = Argument("weight_floor", default: 0.0, "smallest weight", check: .atLeast(0))
        let temperature = Argument("temperature", default: 1.0, "T of both softmaxes", check: .above(0))
        return Part(
            "distillation",
            "Follows a teacher's fused prediction beside the labels: the loss of adaptive curriculum learning.",
            [checkpoint, weight, decay, floor, temperature],
            source: "Kong et al., ICCV 2021; Hinton, Vinyals, Dean, 2015",
            example: "bss.sample_loss.distillation{ checkpoint = \"teacher.safetensors\" }"
        ) { a in
            SampleLossRecipe {
                Distillation(
                    a[checkpoint], weight: a[weight], decay: a[decay], floor: a[floor], temperature: a[temperature])
            }
        }
    }()
}
