import BSSBackend
import BSSCodecs
import BSSCore
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

/// The `optim` group of the reference numbers: trajectories of optimizers, clipping, learning-rate schedules; all
/// through the parts that scripts construct, so that an attribute which a part does not know is an error.
@Suite(.oneAtATime) struct OptimizerFixtureTests {
    @Test func optim() throws {
        let failures = try FixtureGroup.run("optim") { item in
            switch item.op {
            case "sgd", "adam", "adamw", "rmsprop": return try Trajectory(item).run()
            case "clip_grad_norm", "clip_grad_value": return try clipped(item)
            case let op where op.hasPrefix("lr_"): return ["lr": NpyArray(try rates(item, String(op.dropFirst(3))))]
            default: throw BSSError(item.id, "unknown operation '\(item.op)'")
            }
        }
        for failure in failures { Issue.record("\(failure)") }
    }

    // MARK: Clipping

    private func clipped(_ item: FixtureCase) throws -> [String: NpyArray] {
        let names = item.arrays(role: "gradient").map(\.name)
        let parameters = try names.map { try Parameter(Shape(item.array($0).shape), .constant(0)) }
        var gradients = try Given.gradients(try zip(parameters, names).map { ($0, try Given.tensor(item.array($1))) })
        var results: [String: NpyArray] = [:]
        if item.op == "clip_grad_norm" {
            let p = try item.attrs["norm_type"]?.string.flatMap { Double($0) } ?? item.double("norm_type", default: 2)
            let total = try gradients.clip(norm: item.double("max_norm"), p: p, parameters)
            results["total_norm"] = NpyArray([total], shape: [])
        } else {
            try gradients.clip(value: item.double("clip_value"), parameters)
        }
        for (name, parameter) in zip(names, parameters) {
            guard let gradient = gradients[parameter.value] else {
                throw BSSError(item.id, "the gradient '\(name)' is gone")
            }
            results["clipped_" + name.dropFirst("grad_".count)] = NpyArray(
                try gradient.values(Float.self), shape: gradient.shape.array)
        }
        return results
    }

    // MARK: Schedules

    /// The schedule's part and options under our names.
    private func rates(_ item: FixtureCase, _ kind: String) throws -> [Double] {
        var options = item.attrs
        let base = try item.double("base_lr")
        let epochs = try item.int("epochs")
        options["base_lr"] = nil
        options["epochs"] = nil
        func rename(_ old: String, _ new: String) {
            if let value = options[old] {
                options[old] = nil
                options[new] = value
            }
        }
        var part = kind
        switch kind {
        case "cosine": rename("T_max", "t_max")
        case "linear_warmup", "linear_warmup_decay", "cosine_warmup":
            part = "warmup"
            rename("warmup", "epochs")
            options["decay"] = .string(
                ["linear_warmup": "none", "linear_warmup_decay": "linear", "cosine_warmup": "cosine"][kind]!)
        default: break
        }
        let schedule = try Configured<LearningRateRecipe>(part, options).product.make(base)
        let metrics = item.has("metric") ? try item.array("metric").doubles : nil
        return (0..<epochs).map { epoch in
            let rate = schedule.rate(epoch: epoch)
            if let metrics { schedule.observe(metrics[epoch]) }
            return rate
        }
    }
}

/// Parameters moved by given gradients.
private struct Trajectory {
    let item: FixtureCase
    let steps: Int
    var parameters: [Parameter] = []
    var gradients: [NpyArray] = []
    /// One optimizer a parameter: groups with options of their own, or all with the same.
    var optimizers: [Optimizer] = []

    init(_ item: FixtureCase) throws {
        self.item = item
        gradients = try item.arrays(role: "gradient").map { try item.array($0.name) }
        steps = try item.int("steps", default: gradients.first?.shape.first)
        let groups = item.attrs["param_groups"]?.table?.items.map { $0.table ?? Table() }
        if let groups, groups.count != gradients.count {
            throw BSSError(item.id, "\(groups.count) groups for \(gradients.count) parameters")
        }
        for index in gradients.indices {
            let start = try Given.tensor(item.array("p0_\(index)"))
            let parameter = try Parameter(start.shape, .constant(0))
            try parameter.assign(start)
            parameters.append(parameter)
            var options = item.attrs
            options["steps"] = nil
            options["param_groups"] = nil
            for (key, value) in groups?[index].fields ?? [] { options[key] = value }
            if let rate = options["lr"] {
                options["lr"] = nil
                options["learning_rate"] = rate
            }
            let recipe = try Configured<OptimizerRecipe>(item.op, options).product
            optimizers.append(recipe.make([ParameterGroup(scope: .fusion, parameters: [("p\(index)", parameter)])]))
        }
    }

    func run() throws -> [String: NpyArray] {
        let rates = item.has("lr") ? try item.array("lr").doubles : nil
        let given = item.has("has_grad") ? try item.integers("has_grad") : nil
        var trajectories = try parameters.map { try $0.value.values(Float.self) }
        for t in 0..<steps {
            let present = parameters.indices.filter { i in given.map { $0[t * parameters.count + i] != 0 } ?? true }
            let pairs = try present.map { i in (parameters[i], try Given.tensor(gradients[i], row: t)) }
            let upstream = try Given.gradients(pairs)
            for (i, optimizer) in optimizers.enumerated() {
                if let rates { optimizer.learningRate = rates[t] }
                try optimizer.step(upstream)
                trajectories[i] += try parameters[i].value.values(Float.self)
            }
        }
        var results: [String: NpyArray] = [:]
        for (i, values) in trajectories.enumerated() {
            results["traj_\(i)"] = NpyArray(values, shape: [steps + 1] + parameters[i].value.shape.array)
        }
        return results
    }
}

enum Given {
    static func tensor(_ array: NpyArray, row: Int? = nil) throws -> Tensor {
        guard let values = array.floats else { throw BSSError("fixtures", "text is no tensor") }
        guard let row else { return try Tensor.from(values, Shape(array.shape)) }
        let shape = try Shape(Array(array.shape.dropFirst()))
        let size = shape.elementCount
        return try Tensor.from(Array(values[row * size..<(row + 1) * size]), shape)
    }

    /// Gradients that are exactly the given ones: those of Σ p · g.
    static func gradients(_ pairs: [(Parameter, Tensor)]) throws -> Gradients {
        var sum = try Tensor.zeros([]).requiringGradient()
        for (parameter, gradient) in pairs { sum = try sum + (parameter.value * gradient).sum() }
        return try sum.backward()
    }
}
