import BSSNetworks

/// The optimizer as hooks see it: what it updates, by scope, and how fast. Steps are the loop's.
public struct OptimizerControl {
    private let optimizer: Optimizer
    init(_ optimizer: Optimizer) { self.optimizer = optimizer }

    /// The scopes that can be named, each once.
    public var scopes: [Scope] { optimizer.scopes }
    /// True if updates do not depend on the size of gradients (Adam, RMSprop).
    public var isScaleInvariant: Bool { optimizer.isScaleInvariant }
    /// Parameters of some scopes; nil = all.
    public func parameters(_ scopes: Set<Scope>?) -> [(name: String, parameter: Parameter)] {
        optimizer.parameters(scopes)
    }
    /// Changes the groups of a scope.
    public func modify(_ scope: Scope, _ change: (inout ParameterGroup) -> Void) { optimizer.modify(scope, change) }
    /// Multiplies the scheduled learning rate of a scope, from now on.
    public func scaleRate(_ scope: Scope, by factor: Double) { modify(scope) { $0.multiplier = factor } }
    /// Starts over for the parameters of some scopes (nil = all), as a new optimizer would.
    public func forget(_ scopes: Set<Scope>?) { optimizer.forget(scopes) }
}
