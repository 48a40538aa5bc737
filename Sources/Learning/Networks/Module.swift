import BSSBackend
import BSSCore
import BSSTensor

/// How a forward pass treats dropout and batch statistics. Always an argument, never a hidden mode.
public enum Phase: Sendable {
    /// Dropout on; batch norm uses and records batch statistics.
    case training
    /// Dropout off; batch norm uses running statistics.
    case evaluation
    /// Dropout off; batch norm uses batch statistics and records nothing: a sound way to score an untrained network.
    case batchStatistics
}

/// What travels with a forward pass.
public final class ForwardContext {
    public let phase: Phase
    /// Draws dropout masks.
    public var random: RandomStream

    public init(_ phase: Phase, random: RandomStream = RandomStream(seed: 0, name: "forward")) {
        self.phase = phase
        self.random = random
    }

    /// x with dropout of `rate` in training, x itself else.
    func dropout(_ x: Tensor, _ rate: Double) throws -> Tensor {
        phase == .training && rate > 0 ? try x.dropout(rate: rate, using: &random) : x
    }
}

/// A part of a network: owns parameters, buffers and smaller modules, each under the name it has in checkpoints.
open class Module {
    public private(set) var children: [(name: String, module: Module)] = []
    public private(set) var ownParameters: [(name: String, parameter: Parameter)] = []
    public private(set) var ownBuffers: [(name: String, buffer: StateTensor)] = []

    public init() {}

    public func add<M: Module>(_ name: String, _ module: M) -> M {
        children.append((name, module))
        return module
    }

    public func add(_ name: String, _ parameter: Parameter) -> Parameter {
        ownParameters.append((name, parameter))
        return parameter
    }

    public func add(_ name: String, _ buffer: StateTensor) -> StateTensor {
        ownBuffers.append((name, buffer))
        return buffer
    }

    /// Gives a smaller module away: it stays in use here, but its parameters count as another's from now on (shared
    /// layers).
    public func release(_ module: Module) { children.removeAll { $0.module === module } }

    /// Every module below with its dotted path and the module that holds it, in declaration order.
    public func descendants(prefix: String = "") -> [(path: String, owner: Module, module: Module)] {
        children.flatMap {
            [(prefix + $0.name, self, $0.module)] + $0.module.descendants(prefix: prefix + $0.name + ".")
        }
    }

    /// x → y; most modules take one tensor.
    open func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        throw BSSError("\(type(of: self))", "has no single-tensor forward pass")
    }

    /// How the weights of this module alone start under `weights`; by default each parameter's own initialiser.
    open func initializer(for name: String, _ parameter: Parameter, _ weights: InitialWeights) -> Initializer {
        parameter.initializer
    }

    /// Every parameter below, by dotted name in declaration order.
    public func parameters(prefix: String = "") -> [(name: String, parameter: Parameter)] {
        ownParameters.map { (prefix + $0.name, $0.parameter) }
            + children.flatMap { $0.module.parameters(prefix: prefix + $0.name + ".") }
    }

    public func buffers(prefix: String = "") -> [(name: String, buffer: StateTensor)] {
        ownBuffers.map { (prefix + $0.name, $0.buffer) }
            + children.flatMap { $0.module.buffers(prefix: prefix + $0.name + ".") }
    }

    /// Draws every parameter from its own stream (named by its path), so that adding a layer changes no other.
    public func initialize(_ weights: InitialWeights, from random: RandomStream, prefix: String = "") throws {
        for (name, parameter) in ownParameters {
            var stream = random.child(prefix + name)
            try parameter.initialize(initializer(for: name, parameter, weights), using: &stream)
        }
        for (name, module) in children { try module.initialize(weights, from: random, prefix: prefix + name + ".") }
    }

    public var parameterCount: Int { parameters().reduce(0) { $0 + $1.parameter.value.elementCount } }
}
