import BSSBackend
import BSSCodecs
import BSSCore
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

/// The `nets` group of the reference numbers: whole networks, forward and backward, with weights from a formula.
///
/// A family turns a case into a `Net` or declines it; an operation that no family knows fails.
@Suite(.oneAtATime) struct NetsFixtureTests {
    static let families: [(FixtureCase) throws -> Net?] = [ResNetFamily.net, AudioVisualFamily.net]
    /// Operations that a suite of their own answers for.
    static let elsewhere: Set<String> = ["i3d"]

    @Test func nets() throws { try check { _ in true } }

    /// The cases that are wanted.
    func check(_ isWanted: (FixtureCase) -> Bool) throws {
        let failures = try FixtureGroup.run("nets", only: { !Self.elsewhere.contains($0.op) && isWanted($0) }) { item in
            for family in Self.families {
                if let net = try family(item) { return try NetCase(item, net).results() }
            }
            throw BSSError(item.id, "unknown network '\(item.op)'")
        }
        for failure in failures { Issue.record("\(failure)") }
    }
}

/// A network under the names that a case uses.
struct Net {
    struct Outputs {
        /// By array name, without the loss.
        var values: [String: Tensor]
        /// Outputs of the stages that the case names, by stage.
        var stages: [String: Tensor]
        var loss: Tensor
    }

    /// In the order of the reference's state dict.
    var parameters: [(name: String, parameter: Parameter)]
    var buffers: [(name: String, buffer: StateTensor)]
    /// Parameters that we store [in, out] and the reference [out, in].
    var transposed: Set<String> = []
    var forward: (ForwardContext) throws -> Outputs
}

/// Gives a network the formula's weights, runs it, and names its results as the case does.
struct NetCase {
    let item: FixtureCase
    let net: Net
    private let names: [String]

    init(_ item: FixtureCase, _ net: Net) throws {
        self.item = item
        self.net = net
        let listed = NetCase.listed(item)
        names = listed.map(\.name)
        guard net.parameters.count == listed.count else {
            throw BSSError(item.id, "\(net.parameters.count) parameters, the case has \(listed.count)")
        }
        let weights = try FormulaWeights(item.string("weights"))
        for (number, (name, shape)) in listed.enumerated() {
            guard let (_, parameter) = net.parameters.first(where: { $0.name == name }) else {
                throw BSSError(item.id, "no parameter '\(name)'")
            }
            let values = try Tensor.from(weights.values(name, shape, number), Shape(shape))
            try parameter.assign(net.transposed.contains(name) ? values.transposed(0, 1) : values)
        }
    }

    /// Names and shapes of the case's parameters.
    static func listed(_ item: FixtureCase) -> [(name: String, shape: [Int])] {
        (item.attrs["parameters"]?.table?.items ?? []).compactMap { entry in
            guard let pair = entry.table?.items, pair.count == 2, let name = pair[0].string,
                let shape = pair[1].table?.items
            else { return nil }
            return (name, shape.compactMap(\.int))
        }
    }

    func results() throws -> [String: NpyArray] {
        let isTraining = try item.string("mode") == "train"
        let out = try net.forward(ForwardContext(isTraining ? .training : .evaluation))
        var results = try out.values.mapValues { try NetCase.array($0) }
        results["loss"] = try NetCase.array(out.loss)
        let stages = try (item.attrs["stages"]?.table?.items ?? []).compactMap(\.string).map { name -> [Double] in
            guard let values = try out.stages[name]?.values(Double.self) else {
                throw BSSError(item.id, "no stage '\(name)'")
            }
            let count = Double(values.count)
            return [values.reduce(0, +) / count, (values.reduce(0) { $0 + $1 * $1 } / count).squareRoot()]
        }
        results["stage_stats"] = NpyArray(stages.flatMap { $0 }, shape: [stages.count, 2])
        try addGradients(out.loss, to: &results)
        try addWeights(to: &results)
        if isTraining {
            for (name, buffer) in net.buffers { results["running." + name] = try NetCase.array(buffer.value) }
            results["running_norm"] = NpyArray(try net.buffers.map { try NetCase.norm($0.buffer.value.values()) })
            let after = try Autograd.withoutRecording { try net.forward(ForwardContext(.evaluation)) }
            for (name, value) in after.values { results["eval_after." + name] = try NetCase.array(value) }
        }
        return results
    }

    private func addGradients(_ loss: Tensor, to results: inout [String: NpyArray]) throws {
        let gradients = try loss.backward()
        var norms: [String: Double] = [:]
        for (name, parameter) in net.parameters {
            let gradient = try gradients[parameter.value] ?? Tensor.zeros(parameter.value.shape)
            norms[name] = try NetCase.norm(gradient.values())
            results["d_" + name] = try NetCase.array(
                net.transposed.contains(name) ? gradient.transposed(0, 1) : gradient)
        }
        results["grad_norm"] = NpyArray(names.map { norms[$0]! })
    }

    /// The case's own check of the formula: a wrong weight would else look like a wrong network.
    private func addWeights(to results: inout [String: NpyArray]) throws {
        let weights = try FormulaWeights(item.string("weights"))
        let values = NetCase.listed(item).enumerated().map { weights.values($1.name, $1.shape, $0).map(Double.init) }
        let first = NpyArray(values.flatMap { $0.prefix(3) }, shape: [values.count, 3])
        let sums = NpyArray(values.map { $0.reduce(0, +) })
        for (name, array) in [("param_first3", first), ("param_sum", sums)] {
            if let mismatch = try item.mismatch(name, array) { throw BSSError(item.id, mismatch) }
        }
    }

    static func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    static func array(_ tensor: Tensor) throws -> NpyArray {
        NpyArray(try tensor.values(Float.self), shape: tensor.shape.array)
    }
    /// An input array of the case.
    static func tensor(_ item: FixtureCase, _ name: String) throws -> Tensor {
        try Tensor.from(item.floats(name), Shape(item.array(name).shape))
    }
}

/// The weights of the `nets` group (README of the reference numbers, "Formula weights").
struct FormulaWeights {
    private let isHash: Bool

    init(_ name: String) throws {
        guard name == "sin" || name == "hash" else { throw BSSError("fixtures", "unknown weights '\(name)'") }
        isHash = name == "hash"
    }

    /// Parameter number k in C order.
    func values(_ name: String, _ shape: [Int], _ k: Int) -> [Float] {
        let count = shape.reduce(1, *)
        let fanIn = Double(shape.dropFirst().reduce(1, *)).squareRoot()
        return (0..<count).map { i in
            let s = isHash ? hash(i, k) : sine((0.1 + 0.7 * Double(i)) + 1.3 * Double(k))
            if shape.count >= 2 { return Float((isHash ? s * 3.0.squareRoot() : s) / fanIn) }
            return Float(name.hasSuffix("weight") ? 1 + 0.1 * s : 0.1 * s)
        }
    }

    private func hash(_ i: Int, _ k: Int) -> Double {
        var x = UInt32(truncatingIfNeeded: i) &* 2_654_435_761 &+ UInt32(truncatingIfNeeded: k) &* 2_246_822_519
        x ^= x >> 16
        x = x &* 0x7feb_352d
        x ^= x >> 15
        x = x &* 0x846c_a68b
        x ^= x >> 16
        return 2 * (Double(x) / 4_294_967_296) - 1
    }
}
