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
    /// False keeps weight decay away.
    public let decays: Bool

    public init(scope: Scope, parameters: [(name: String, parameter: Parameter)], decays: Bool = true) {
        self.scope = scope
        self.parameters = parameters
        self.decays = decays
    }
}

/// What an optimizer keeps for one parameter.
public final class ParameterState {
    public let name: String
    /// Updates made.
    public fileprivate(set) var step = 0
    fileprivate var buffers: [(kind: String, tensor: Tensor)] = []

    fileprivate init(_ name: String) { self.name = name }

    /// The buffer `kind`, in the parameter's memory layout; zero at first.
    public func buffer(_ kind: String, like parameter: Tensor) throws -> ArrayView {
        if let index = buffers.firstIndex(where: { $0.kind == kind }) {
            let found = buffers[index].tensor
            if found.view.hasLayout(of: parameter.view) { return found.view }
            let turned = try found.laidOut(like: parameter)
            buffers[index].tensor = turned
            return turned.view
        }
        let made = try Tensor.zeros(parameter.shape, parameter.dtype, on: parameter.backend).laidOut(like: parameter)
        buffers.append((kind, made))
        return made.view
    }

    fileprivate func copy() throws -> ParameterState {
        let copy = ParameterState(name)
        copy.step = step
        copy.buffers = try buffers.map { ($0.kind, try $0.tensor.duplicate()) }
        return copy
    }
}

/// What an optimizer kept for some parameters at one moment.
public struct OptimizerSnapshot {
    fileprivate let scopes: Set<Scope>?
    fileprivate let states: [(parameter: Parameter, state: ParameterState)]

    /// Buffers by "optimizer.<kind>.<parameter name>" and updates made by "updates.<parameter name>", for checkpoints.
    public var tensors: [String: Tensor] {
        get throws {
            var tensors: [String: Tensor] = [:]
            for (_, state) in states {
                for (kind, tensor) in state.buffers { tensors["optimizer.\(kind).\(state.name)"] = tensor }
                tensors["updates." + state.name] = try Tensor.from([state.step])
            }
            return tensors
        }
    }
}

/// Updates parameters from gradients. One subclass a method; state is kept by parameter name for checkpoints.
open class Optimizer {
    public var groups: [ParameterGroup]
    /// The rate of the coming steps, set by the learning-rate schedule.
    public var learningRate: Double
    /// L2 penalty of the groups that decay.
    public var weightDecay = 0.0
    private var states: [ObjectIdentifier: ParameterState] = [:]
    /// From a checkpoint, by parameter name; taken over when the parameter is first updated.
    private var saved: [String: ParameterState] = [:]

    public init(groups: [ParameterGroup], learningRate: Double) {
        self.groups = groups
        self.learningRate = learningRate
    }

    /// One update, one call of the backend. A parameter without gradient is left alone entirely.
    ///
    /// `scale`: of all gradients, a scalar f64 of the device. `log`: what keeps a broken step from being made
    /// (`StepBackend`).
    public func step(_ gradients: Gradients, scale: Tensor? = nil, log: Tensor? = nil) throws {
        try Autograd.withoutRecording {
            var parts: [ParameterUpdate] = []
            var moved: [(state: ParameterState, storage: Storage)] = []
            let isRecorded = KernelCall.isWatched
            for group in groups where group.isTrainable {
                for (name, parameter) in group.parameters {
                    guard let gradient = gradients[parameter.value] else { continue }
                    let state = self.state(of: parameter, name)
                    state.step += 1
                    if isRecorded { moved.append((state, parameter.value.view.storage)) }
                    parts.append(
                        try update(
                            state, parameter.value, gradient.laidOut(like: parameter.value),
                            rate: learningRate * group.multiplier, decay: group.decays ? weightDecay : 0))
                }
            }
            if isRecorded { recorded = moved }
            guard let first = parts.first else { return }
            try first.parameter.backend.update(parts, scale: scale?.view, log: log?.view)
            for part in parts { part.parameter.storage.markChanged() }
        }
    }

    /// What the last recorded step moved.
    private var recorded: [(state: ParameterState, storage: Storage)] = []

    /// The recorded step was made once more: it counts as another.
    public func stepRepeated() {
        for (state, storage) in recorded {
            state.step += 1
            storage.markChanged()
        }
    }

    /// True if a constant factor on all gradients changes nothing in the long run (Adam, RMSprop): methods that scale
    /// gradients then scale the learning rate.
    open var isScaleInvariant: Bool { false }

    /// What is to be done to `parameter`; the gradient lies in memory as the parameter does.
    open func update(
        _ state: ParameterState, _ parameter: Tensor, _ gradient: Tensor, rate: Double, decay: Double
    ) throws -> ParameterUpdate {
        throw BSSError("optimizer", "\(type(of: self)) has no update rule")
    }

    private func state(of parameter: Parameter, _ name: String) -> ParameterState {
        let key = ObjectIdentifier(parameter)
        if let known = states[key] { return known }
        let made = saved.removeValue(forKey: name) ?? ParameterState(name)
        states[key] = made
        return made
    }

    // MARK: By scope

    /// The scopes that can be named, each once.
    public var scopes: [Scope] {
        var found: [Scope] = []
        for group in groups where !found.contains(group.scope.whole) { found.append(group.scope.whole) }
        return found
    }

    /// Changes the groups of a scope.
    public func modify(_ scope: Scope, _ change: (inout ParameterGroup) -> Void) {
        let chosen: Set = [scope]
        for index in groups.indices where chosen.covers(groups[index].scope) { change(&groups[index]) }
    }

    /// Starts over for the parameters of some scopes (nil = all), as a new optimizer would.
    public func forget(_ scopes: Set<Scope>?) {
        for (name, parameter) in parameters(scopes) {
            states[ObjectIdentifier(parameter)] = nil
            saved[name] = nil
        }
    }

    /// A copy of what is kept for the parameters of some scopes (nil = all); `restore` puts it back.
    public func snapshot(_ scopes: Set<Scope>?) throws -> OptimizerSnapshot {
        OptimizerSnapshot(
            scopes: scopes,
            states: try parameters(scopes).compactMap { name, parameter in
                try (states[ObjectIdentifier(parameter)] ?? saved[name]).map { (parameter, try $0.copy()) }
            })
    }

    /// A snapshot from its `tensors`.
    public func snapshot(_ scopes: Set<Scope>?, tensors: [String: Tensor]) throws -> OptimizerSnapshot {
        OptimizerSnapshot(
            scopes: scopes,
            states: try parameters(scopes).compactMap { name, parameter in
                guard let updates = tensors["updates." + name] else { return nil }
                let state = ParameterState(name)
                state.step = Int(try updates.item())
                for (key, tensor) in tensors where key.hasPrefix("optimizer.") && key.hasSuffix("." + name) {
                    let kind = key.dropFirst("optimizer.".count).dropLast(name.count + 1)
                    if !kind.contains(".") { state.buffers.append((String(kind), tensor)) }
                }
                return (parameter, state)
            })
    }

    public func restore(_ snapshot: OptimizerSnapshot) throws {
        forget(snapshot.scopes)
        for (parameter, state) in snapshot.states { states[ObjectIdentifier(parameter)] = try state.copy() }
    }

    public func parameters(_ scopes: Set<Scope>?) -> [(name: String, parameter: Parameter)] {
        groups.filter { scopes?.covers($0.scope) ?? true }.flatMap(\.parameters)
    }

    // MARK: State

    private var all: [ParameterState] { Array(states.values) + saved.values }

    /// Buffers by "<kind>.<parameter name>".
    public var state: [String: Tensor] {
        Dictionary(
            uniqueKeysWithValues: all.flatMap { state in state.buffers.map { ($0.kind + "." + state.name, $0.tensor) } }
        )
    }
    /// Updates made per parameter name.
    public var steps: [String: Int] { Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.step) }) }

    /// Puts back what a checkpoint saved.
    public func restore(state: [String: Tensor], steps: [String: Int]) {
        states = [:]
        saved = [:]
        func entry(_ name: String) -> ParameterState {
            if let known = saved[name] { return known }
            let made = ParameterState(name)
            saved[name] = made
            return made
        }
        for (name, count) in steps { entry(name).step = count }
        for (key, tensor) in state {
            guard let dot = key.firstIndex(of: ".") else { continue }
            entry(String(key[key.index(after: dot)...])).buffers.append((String(key[..<dot]), tensor))
        }
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
    static func rate(_ value: Double) -> Argument<Double> {
        Argument("learning_rate", default: value, "step size before the schedule", check: .atLeast(0))
    }
    static func decay(_ value: Double) -> Argument<Double> {
        Argument("weight_decay", default: value, "L2 penalty", check: .atLeast(0))
    }
}
