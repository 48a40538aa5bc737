import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// Divergence-orientated multi-modal fusion (Yang et al., ACM MM 2022): samples whose modalities disagree are not
/// fused.
///
///     d_m = max_c (p_m[c] - p̄[c])²,   p_m = softmax(z_m) of head m, p̄ = mean_m p_m;
///         accept i iff d_m,i / tau < gamma for all m
///     accepted: Σ_m (l_m² / 2 - eta d_m) + Σ_m l_m + l_F;   rejected: Σ_m l_m;   l = cross-entropy
///
/// d_m keeps its gradient in accepted samples. A rejected sample gives the fusion nothing, and a batch without accepted
/// ones leaves it alone entirely, momentum and decay included. Prediction: the fusion's logits where accepted, else
/// those of the modality with the most confident head (the first of equals).
///
/// The first `pretrain_epochs` train encoders and heads on Σ_m l_m alone, and predict by the most confident head; from
/// then on `finetune` multiplies the learning rate of encoders and heads.
///
/// Any number of modalities. d_m is at most ((K - 1) / K)², 1/4 for two modalities: with the default tau · gamma = 0.4
/// their samples are never rejected, which the record says (`never_rejects`). tau ≤ 0.3 makes the gate work there.
///
/// Deviation: the loss is that of the public code, averaged over a batch; the code steps sample by sample (`batch_size
/// = 1`). With `outputs = "sigmoid"` p_m = σ(z_m), as released, without a softmax, in divergence and confidence, and
/// the cross-entropies read σ(z) as logits; ours read z. It pre-trains for 30 epochs (15 when resumed) and then lowers
/// the rate from 1e-3 to 5e-5 (text) and 1e-5; our default is a quarter of the epochs, at one rate. Its fusion's
/// learning-rate scheduler hangs on another optimizer, and its last comparison of confidences is of a modality with
/// itself: neither is reproduced.
final class DOMFN: RebalanceMethod {
    struct Options: OptionGroup {
        enum Outputs: String, Choice { case logits, sigmoid }

        @Option("gamma", "a sample is fused if d / tau stays below it", .above(0)) var gamma = 0.8
        @Option("eta", "weight of the divergence of accepted samples, which is rewarded", .atLeast(0)) var eta = 0.5
        @Option(
            "tau",
            "temperature of the divergence (released: 0.5 on MOSI, 0.2 when resumed); with two modalities and "
                + "gamma = 0.8 only tau < 0.31 ever rejects a sample", .above(0))
        var tau = 0.5
        @Option(
            "pretrain_epochs",
            "first epochs, in which heads and encoders are trained alone (released: 30); by default a quarter of all",
            .optional(.atLeast(0)))
        var pretraining: Int? = nil
        @Option(
            "finetune",
            "factor of the encoders' and heads' learning rate after that (released: 0.05 for text, 0.01 for others)",
            .atLeast(0))
        var finetune = 1.0
        @Option(
            "outputs",
            "what heads and fusion say: \"logits\", or their \"sigmoid\", as released, which then stands for the "
                + "probabilities too")
        var outputs = Outputs.logits
    }

    private let options: Options
    /// Encoders and heads.
    private let unimodalScopes: Set<Scope>
    private var accepted = 0, seen = 0
    private var divergences = EpochMeans()

    init(_ options: Options, _ setup: MethodSetup) {
        self.options = options
        unimodalScopes = Set(setup.context.optimizer.scopes).subtracting([.fusion])
        super.init(setup.context)
    }

    private var isPretraining: Bool { context.epoch < options.pretraining ?? context.options.epochs / 4 }
    private var usesSigmoid: Bool { options.outputs == .sigmoid }

    override func epochBegan() throws {
        (accepted, seen, divergences) = (0, 0, EpochMeans())
        for scope in unimodalScopes {
            context.optimizer.scaleRate(scope, by: isPretraining ? 1 : options.finetune)
        }
    }

    override func steps(_ batch: TrainingBatch) throws -> [SubStep] {
        guard isPretraining else { return try super.steps(batch) }
        return [SubStep(scopes: unimodalScopes) { [unowned self] pass in try self.loss(pass.output(), batch) }]
    }

    override func loss(_ output: MultimodalOutput, _ batch: TrainingBatch) throws -> [LossTerm] {
        let names = context.model.modalities
        let logits = try output.unimodal.map(spoken)
        let losses = try logits.map { try Tensor.crossEntropy($0, batch.labels, reduction: .none) }
        guard !isPretraining else { return zip(names, losses).map { LossTerm($0, $1) } }
        let d = try DOMFN.divergence(logits.map(probabilities))
        let gate = try DOMFN.accepts(d, gamma: options.gamma, tau: options.tau)
        accepted += gate.filter { $0 }.count
        seen += gate.count
        divergences.add(try d.map { Math.mean(try $0.values(Double.self)) })
        guard gate.contains(true) else { return zip(names, losses).map { LossTerm($0, $1) } }
        let mask = try Tensor.from(gate.map { $0 ? Float(1) : 0 })
        var terms = try names.indices.map { m in
            LossTerm(names[m], try losses[m] + DOMFN.amendment(losses[m], d[m], eta: options.eta) * mask)
        }
        let fused =
            try usesSigmoid
            ? Tensor.crossEntropy(spoken(output.fused), batch.labels, reduction: .none)
            : context.model.fusion.loss(output, batch.labels, epoch: context.epoch)
        terms.append(LossTerm("fused", try fused * mask))
        return terms
    }

    override func predict(_ output: MultimodalOutput) throws -> Prediction {
        let fused = try spoken(output.fused)
        let unimodal = try output.unimodal.map(spoken)
        guard context.options.inferenceHeads.isAutomatic else {
            return try context.prediction(fused: fused, unimodal: unimodal)
        }
        let gate =
            isPretraining
            ? Array(repeating: false, count: fused.shape[0])
            : try DOMFN.accepts(DOMFN.divergence(unimodal.map(probabilities)), gamma: options.gamma, tau: options.tau)
        let total = try DOMFN.gated(gate, fused, unimodal, probabilities: unimodal.map(probabilities))
        return Prediction(total: total, fused: fused, unimodal: unimodal)
    }

    /// The outputs that probabilities are made of.
    private func spoken(_ logits: Tensor) throws -> Tensor { usesSigmoid ? try logits.sigmoid() : logits }

    /// p_m of such outputs.
    private func probabilities(_ outputs: Tensor) throws -> Tensor {
        usesSigmoid ? outputs : try outputs.softmax(axis: 1)
    }

    // MARK: The gate

    /// d_m of every modality, [B], in the graph, from probabilities p_m [B, C].
    static func divergence(_ p: [Tensor]) throws -> [Tensor] {
        let mean = try Tensor.sum(p).multiplied(by: 1 / Double(p.count))
        return try p.map { try ($0 - mean).square().extremum(.max, [1]) }
    }

    /// l_m² / 2 - eta d_m
    static func amendment(_ loss: Tensor, _ divergence: Tensor, eta: Double) throws -> Tensor {
        try loss.square().multiplied(by: 0.5) - divergence.multiplied(by: eta)
    }

    /// d_m / tau < gamma for all m
    static func accepts(_ divergence: [Tensor], gamma: Double, tau: Double) throws -> [Bool] {
        let d = try divergence.map { try $0.values(Double.self) }
        return d[0].indices.map { i in d.allSatisfy { $0[i] / tau < gamma } }
    }

    /// The fusion's logits where the gate is open, else those of the most confident modality.
    static func gated(
        _ gate: [Bool], _ fused: Tensor, _ unimodal: [Tensor], probabilities: [Tensor]
    ) throws -> Tensor {
        if gate.allSatisfy({ $0 }) { return fused }
        let confidence = try probabilities.map { try $0.extremum(.max, [1]).values(Float.self) }
        // 0: the fusion, m + 1: modality m
        let choice = gate.indices.map { i in
            gate[i]
                ? 0
                : 1
                    + (confidence.indices.max {
                        confidence[$0][i] < confidence[$1][i] || (confidence[$0][i] == confidence[$1][i] && $0 > $1)
                    } ?? 0)
        }
        var total = fused
        for (m, logits) in unimodal.enumerated() where choice.contains(m + 1) {
            total = try Tensor.select(Tensor.from(choice.map { $0 == m + 1 }, [choice.count, 1]), logits, total)
        }
        return total
    }

    /// True if no probabilities of `modalities` can close the gate.
    static func neverRejects(modalities: Int, gamma: Double, tau: Double) -> Bool {
        let bound = Double(modalities - 1) / Double(modalities)
        return bound * bound / tau < gamma
    }

    // MARK: Record

    override func report() -> Table? {
        let names = context.model.modalities
        guard !isPretraining else { return Table(fields: [("stage", .string("pretraining"))]) }
        var table = Table(fields: [
            ("stage", .string("gated")), ("acceptance_rate", .number(Double(accepted) / Double(max(seen, 1)))),
            ("divergence", byModality(divergences.values)),
        ])
        if DOMFN.neverRejects(modalities: names.count, gamma: options.gamma, tau: options.tau) {
            table["never_rejects"] = .bool(true)
        }
        return table
    }

    static let part = Part<RebalanceRecipe>(
        "domfn", "Divergence-orientated fusion: fuses only samples whose modalities agree enough.",
        options: Options.self,
        source: "Yang et al., ACM MM 2022 (DOMFN)",
        example: "bss.rebalance.domfn{ tau = 0.2, pretrain_epochs = 5 }",
        // Of an accepted sample, without the amendments.
        traits: { _ in MethodTraits(weights: .multitask, ownsLoss: true) }, make: DOMFN.init)
}
