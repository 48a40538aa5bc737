import BSSBackend
import BSSCodecs
import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// The `train` group of the reference numbers: whole late-fusion trainings with the model, losses, clipping and
/// optimizers of the training loop.
@Suite(.oneAtATime) struct TrainFixtureTests {
    @Test func train() throws {
        let failures = try FixtureGroup.run("train") { item in
            guard item.op == "train_late_fusion" else { throw BSSError(item.id, "unknown operation '\(item.op)'") }
            return try LateFusion(item).run()
        }
        for failure in failures { Issue.record("\(failure)") }
    }
}

private struct LateFusion {
    let item: FixtureCase
    let modalities: [String]
    let model: MultimodalModel
    let weights: LossWeights
    let optimizer: Optimizer
    /// The reference's name, the parameter, and whether it is stored transposed ([O, I] against our [I, O]).
    private var parameters: [(name: String, parameter: Parameter, isTransposed: Bool)] = []
    private var buffers: [(name: String, buffer: StateTensor)] = []

    init(_ item: FixtureCase) throws {
        self.item = item
        modalities = item.attrs["modalities"]?.table?.items.compactMap(\.string) ?? []
        let classes = try item.int("classes")
        let hidden = try item.ints("hidden")
        let features = try item.int("feature")
        let norm = item.attrs["norm"]?.string ?? "none"
        guard let normalisation = ["none": "none", "batchnorm": "batch", "layernorm": "layer"][norm] else {
            throw BSSError(item.id, "unknown norm '\(norm)'")
        }
        let activation = try item.string("activation")
        guard Activation.names.contains(activation) else {
            throw BSSError(item.id, "unknown activation '\(activation)'")
        }
        let encoders = try modalities.map { name in
            try MLPEncoder(
                inputs: item.array("x_\(name)").shape.dropFirst().reduce(1, *), hidden: hidden, features: features,
                activation: activation,
                normalisation: normalisation, dropout: 0)
        }
        model = try MultimodalModel(
            modalities: modalities, encoders: encoders, fusion: Configured<FusionRecipe>("concat").product,
            classes: classes, sharesHead: false)
        weights = LossWeights(alpha: try item.double("alpha"), modalities: modalities.count)

        var options = item.attrs["optimizer"]?.table ?? Table()
        let method = options["name"]?.string ?? ""
        options["name"] = nil
        options["learning_rate"] = options["lr"]
        options["lr"] = nil
        optimizer = try Configured<OptimizerRecipe>(method, options).product.make(model.parameterGroups())

        for (m, name) in modalities.enumerated() {
            add(encoders[m], "enc_\(name)_", "norm_\(name)")
            addLinear(model.heads[m], "head_\(name)")
        }
        for (index, linear) in LateFusion.leaves(model.fusion).compactMap({ $0 as? Linear }).enumerated() {
            addLinear(linear, index == 0 ? "head_multi" : "head_multi_\(index)")
        }
        for (name, parameter, isTransposed) in parameters {
            let array = try item.array("w0.\(name)")
            let values = try Tensor.from(array.floats ?? [], Shape(array.shape))
            try parameter.assign(isTransposed ? values.transposed(0, 1).contiguous() : values)
        }
        guard parameters.count == model.parameters().count else {
            throw BSSError(
                item.id, "the model has \(model.parameters().count) parameters, \(parameters.count) are named")
        }
    }

    private static func leaves(_ module: Module) -> [Module] {
        module.children.isEmpty ? [module] : module.children.flatMap { leaves($0.module) }
    }

    private mutating func addLinear(_ linear: Linear, _ name: String) {
        parameters.append((name + ".weight", linear.weight, true))
        if let bias = linear.bias { parameters.append((name + ".bias", bias, false)) }
    }

    private mutating func add(_ encoder: Encoder, _ linearName: String, _ normName: String) {
        var linears = 0
        var norms = 0
        for module in LateFusion.leaves(encoder) {
            if let linear = module as? Linear {
                linears += 1
                addLinear(linear, "\(linearName)\(linears)")
            } else if !module.ownParameters.isEmpty {
                norms += 1
                let name = norms == 1 ? normName : "\(normName)_\(norms)"
                for (own, parameter) in module.ownParameters { parameters.append(("\(name).\(own)", parameter, false)) }
                for (own, buffer) in module.ownBuffers { buffers.append(("\(name).\(own)", buffer)) }
            }
        }
    }

    private func array(_ tensor: Tensor, isTransposed: Bool = false) throws -> NpyArray {
        let stored = isTransposed ? try tensor.transposed(0, 1) : tensor
        return NpyArray(try stored.values(Float.self), shape: stored.shape.array)
    }

    func run() throws -> [String: NpyArray] {
        let inputs = try modalities.map { name in try item.array("x_\(name)") }
        let labels = try item.integers("labels")
        let order = try item.integers("order")
        let steps = try item.int("steps")
        let batch = try item.int("batch")
        let clip = item.attrs["clip_norm"]?.double
        let all = model.parameters().map(\.parameter)
        var losses: [Float] = []
        var parts: [Float] = []
        var norms: [Float] = []
        var results: [String: NpyArray] = [:]
        for t in 0..<steps {
            let rows = Array(order[t * batch..<(t + 1) * batch])
            let output = try model.forward(inputs.map { try LateFusion.rows($0, rows) }, ForwardContext(.training))
            let targets = try Tensor.from(rows.map { labels[$0] })
            // Eq. 5 with its terms of weight 0, whose zero gradients the reference applies weight decay with.
            let terms = try zip(
                ["fused"] + modalities, zip([output.fused] + output.unimodal, [weights.multi] + weights.uni)
            ).map { name, term in
                LossTerm(name, try Tensor.crossEntropy(term.0, targets, reduction: .none), weight: term.1)
            }
            let loss = try terms.total(weights: nil)
            losses.append(Float(try loss.item()))
            for logits in [output.fused] + output.unimodal {
                parts.append(Float(try Tensor.crossEntropy(logits.detached, targets).item()))
            }
            var gradients = try loss.backward()
            if t == 0 {
                for (name, parameter, isTransposed) in parameters {
                    guard let gradient = gradients[parameter.value] else {
                        throw BSSError(item.id, "\(name) has no gradient")
                    }
                    results["g0.\(name)"] = try array(gradient, isTransposed: isTransposed)
                }
            }
            norms.append(Float(try clip.map { try gradients.clip(norm: $0, all) } ?? gradients.norm(all)))
            try optimizer.step(gradients)
        }
        for (name, parameter, isTransposed) in parameters {
            results["w.\(name)"] = try array(parameter.value, isTransposed: isTransposed)
        }
        for (name, buffer) in buffers { results["w.\(name)"] = try array(buffer.value) }
        results["loss"] = NpyArray(losses)
        results["loss_parts"] = NpyArray(parts, shape: [steps, modalities.count + 1])
        results["grad_norm"] = NpyArray(norms)
        let everything = try model.forward(
            inputs.map { try LateFusion.rows($0, Array(labels.indices)) }, ForwardContext(.evaluation))
        results["final_logits"] = try array(
            EquationTwelve.total(
                [everything.fused] + everything.unimodal, Array(repeating: 1, count: modalities.count + 1)))
        return results
    }

    private static func rows(_ array: NpyArray, _ rows: [Int]) throws -> Tensor {
        let shape = Array(array.shape.dropFirst())
        let size = shape.reduce(1, *)
        let values = array.floats ?? []
        return try Tensor.from(rows.flatMap { values[$0 * size..<($0 + 1) * size] }, Shape([rows.count] + shape))
    }
}
