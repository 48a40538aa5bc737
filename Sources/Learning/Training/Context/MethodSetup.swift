import BSSNetworks

/// What a method is made with: everything that its hooks see, and layers of its own, which only now can be added.
public struct MethodSetup {
    public let context: TrainingContext
    private let updates: Optimizer
    private let streams: RandomStreams

    init(_ context: TrainingContext, _ updates: Optimizer, _ streams: RandomStreams) {
        (self.context, self.updates, self.streams) = (context, updates, streams)
    }

    /// Adds a method's own layers to the model: trained, saved and hashed with it.
    /// - Parameter isTrainable: false leaves them to whoever adds them.
    public func add(_ name: String, _ module: Module, scope: Scope = .method, isTrainable: Bool = true) throws {
        let model = context.model
        try module.initialize(model.initialWeights, from: streams("init"), prefix: "method.\(name).")
        _ = model.add("method." + name, module)
        var group = ParameterGroup(scope: scope, parameters: module.parameters(prefix: "method.\(name)."))
        group.isTrainable = isTrainable
        updates.groups.append(group)
    }
}
