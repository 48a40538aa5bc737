import BSSBackend
import BSSCodecs
import BSSCore
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSNetworks

/// The I3D cases of the `nets` group: features, statistics of every stage, gradients, running statistics.
@Suite(.oneAtATime) struct I3DFixtureTests {
    @Test func i3d() throws {
        let failures = try FixtureGroup.run("nets", only: { $0.op == "i3d" }) { try Clip($0).results() }
        for failure in failures { Issue.record("\(failure)") }
    }
}

private struct Clip {
    let item: FixtureCase
    let network: I3D
    /// In the order of the reference.
    private var parameters: [(name: String, parameter: Parameter)] = []

    init(_ item: FixtureCase) throws {
        self.item = item
        let listed = (item.attrs["parameters"]?.table?.items ?? []).compactMap { $0.table?.items.first?.string }
        let stem = listed.first.flatMap { $0.split(separator: ".").first }.map(String.init) ?? ""
        network = try I3D(channels: try item.int("in_channels"), stem: stem)
        let own = Dictionary(uniqueKeysWithValues: network.parameters().map { ($0.name, $0.parameter) })
        guard Set(listed) == Set(own.keys) else { throw BSSError(item.id, "our parameters are \(own.keys.sorted())") }
        let weights = try FormulaWeights(item.string("weights"))
        for (k, name) in listed.enumerated() {
            guard let parameter = own[name] else { continue }
            try parameter.assign(
                Tensor.from(weights.values(name, parameter.value.shape.array, k), parameter.value.shape))
            parameters.append((name, parameter))
        }
    }

    func results() throws -> [String: NpyArray] {
        var results: [String: NpyArray] = [:]
        results["param_first3"] = NpyArray(
            try parameters.flatMap { try Array($0.parameter.value.values(Float.self).prefix(3)) },
            shape: [parameters.count, 3])
        results["param_sum"] = NpyArray(try parameters.map { try $0.parameter.value.values(Double.self).reduce(0, +) })
        for check in item.arrays(role: "check_of_weights") {
            if let mismatch = try item.mismatch(check.name, results[check.name]!) { throw BSSError(item.id, mismatch) }
        }

        let mode = try item.string("mode")
        guard mode == "train" || mode == "eval" else { throw BSSError(item.id, "unknown mode '\(mode)'") }
        let x = try Tensor.from(item.floats("x"), Shape(item.array("x").shape))
        let g = try Tensor.from(item.floats("g"), Shape(item.array("g").shape))
        let maps = try network.forward(x, ForwardContext(mode == "train" ? .training : .evaluation))
        let feature = try maps[maps.count - 1].mean([2, 3, 4])
        let loss = try (feature * g).mean()
        results["feature"] = NpyArray(try feature.values(Float.self), shape: feature.shape.array)
        results["loss"] = NpyArray(try loss.values(Float.self), shape: [])
        results["stage_stats"] = NpyArray(
            try maps.flatMap { map -> [Float] in
                let values = try map.detached.values(Double.self)
                let count = Double(values.count)
                return [
                    Float(values.reduce(0, +) / count), Float((values.reduce(0) { $0 + $1 * $1 } / count).squareRoot()),
                ]
            }, shape: [maps.count, 2])

        let gradients = try loss.backward()
        func gradient(_ parameter: Parameter) throws -> Tensor {
            try gradients[parameter.value] ?? Tensor.zeros(parameter.value.shape)
        }
        results["grad_norm"] = NpyArray(
            try parameters.map {
                Float(try gradient($0.parameter).values(Double.self).reduce(0) { $0 + $1 * $1 }.squareRoot())
            })
        for wanted in item.arrays where wanted.role.hasPrefix("grad_of_") {
            guard let parameter = parameters.first(where: { "grad_of_" + $0.name == wanted.role })?.parameter else {
                throw BSSError(item.id, "no parameter for \(wanted.role)")
            }
            results[wanted.name] = NpyArray(
                try gradient(parameter).values(Float.self), shape: parameter.value.shape.array)
        }
        if mode == "train" {
            let buffers = network.buffers()
            results["running_norm"] = NpyArray(
                try buffers.map {
                    Float(try $0.buffer.value.values(Double.self).reduce(0) { $0 + $1 * $1 }.squareRoot())
                })
            for (name, buffer) in buffers {
                results["running." + name] = NpyArray(
                    try buffer.value.values(Float.self), shape: buffer.value.shape.array)
            }
            let after = try network(x, ForwardContext(.evaluation)).mean([2, 3, 4])
            results["eval_after.feature"] = NpyArray(try after.values(Float.self), shape: after.shape.array)
        }
        return results
    }
}
