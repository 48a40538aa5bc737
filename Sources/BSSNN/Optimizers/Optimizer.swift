import BSSBackend
import BSSCore
import BSSTensor

/// Parameters that share a scope; hooks set `multiplier` to scale the learning rate without fighting schedules.
public struct ParameterGroup {
    public let scope: Scope
    public let parameters: [(name: String, parameter: Parameter)]
    public var multiplier = 1.0
    /// False takes the group out of the step: no momentum, no weight decay moves it.
    public var isTrainable = true

    public init(scope: Scope, parameters: [(name: String, parameter: Parameter)]) {
        self.scope = scope
        self.parameters = parameters
    }
}

/// Updates parameters from gradients. One subclass a method; state is kept by parameter name for checkpoints.
open class Optimizer {
    public var groups: [ParameterGroup]
    /// The rate of the coming steps, set by the learning-rate schedule.
    public var learningRate: Double
    /// Buffers by "<kind>.<parameter name>".
    public private(set) var state: [String: Tensor] = [:]
    /// Updates made per parameter name.
    public private(set) var steps: [String: Int] = [:]

    public init(groups: [ParameterGroup], learningRate: Double) {
        self.groups = groups
        self.learningRate = learningRate
    }

    /// One update. A parameter without gradient is left alone entirely.
    public func step(_ gradients: Gradients) throws {
        try Autograd.withoutRecording {
            for group in groups where group.isTrainable {
                for (name, parameter) in group.parameters {
                    guard let gradient = gradients[parameter.value] else { continue }
                    let count = (steps[name] ?? 0) + 1
                    steps[name] = count
                    try update(name, parameter.value, gradient.contiguous(), rate: learningRate * group.multiplier, step: count)
                }
            }
        }
    }

    /// Changes `parameter` in place.
    open func update(_ name: String, _ parameter: Tensor, _ gradient: Tensor, rate: Double, step: Int) throws {
        throw BSSError("optimizer", "\(type(of: self)) has no update rule")
    }

    /// The buffer `kind` of a parameter, zero at first.
    public func buffer(_ kind: String, _ name: String, like parameter: Tensor) throws -> ArrayView {
        let key = kind + "." + name
        if let found = state[key] { return found.view }
        let made = try Tensor.zeros(parameter.shape, parameter.dtype, on: parameter.backend)
        state[key] = made
        return made.view
    }

    /// Puts back what a checkpoint saved.
    public func restore(state: [String: Tensor], steps: [String: Int]) {
        self.state = state
        self.steps = steps
    }
}

/// A configured optimizer before it has parameters: `bss.optimizer.sgd{ learning_rate = … }`.
public struct OptimizerRecipe: Family {
    public static let familyName = "optimizer"
    public static let noun = "optimizer"
    public static let help = "Update rules for the parameters."
    public static let parts: [Part<OptimizerRecipe>] = [SGD.part, Adam.part, Adam.decoupledPart, RMSprop.part]

    public let learningRate: Double
    public let make: ([ParameterGroup]) -> Optimizer

    public init(learningRate: Double, make: @escaping ([ParameterGroup]) -> Optimizer) {
        self.learningRate = learningRate
        self.make = make
    }

    static let rate = Argument("learning_rate", default: 1e-2, "step size before the schedule", check: .atLeast(0))
    static func rate(_ value: Double) -> Argument<Double> { Argument("learning_rate", default: value, "step size before the schedule", check: .atLeast(0)) }
    static func decay(_ value: Double) -> Argument<Double> { Argument("weight_decay", default: value, "L2 penalty", check: .atLeast(0)) }
}
