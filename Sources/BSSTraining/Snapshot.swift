import BSSNN
import BSSTensor

/// Parameters, buffers and optimizer state of some scopes at one moment.
public struct Snapshot {
    private let parameters: [(parameter: Parameter, values: Tensor)]
    private let buffers: [(buffer: StateTensor, values: Tensor)]
    private let optimizer: OptimizerSnapshot

    /// `scopes` = nil: everything.
    init(_ model: MultimodalModel, _ optimizer: Optimizer, _ scopes: Set<Scope>?) throws {
        parameters = try optimizer.parameters(scopes).map { ($0.parameter, try $0.parameter.value.duplicate()) }
        buffers = try model.buffers(scopes).map { ($0.buffer, try $0.buffer.value.duplicate()) }
        self.optimizer = try optimizer.snapshot(scopes)
    }

    /// `includingOptimizer` = false leaves momentum and step counts as they are now.
    func restore(_ target: Optimizer, includingOptimizer: Bool = true) throws {
        for (parameter, values) in parameters { try parameter.assign(values) }
        for (buffer, values) in buffers { try buffer.assign(values) }
        if includingOptimizer { try target.restore(optimizer) }
    }
}

extension MultimodalModel {
    /// Buffers of some scopes (nil = all), by checkpoint name.
    func buffers(_ scopes: Set<Scope>?) -> [(name: String, buffer: StateTensor)] {
        guard let scopes else { return buffers() }
        return zip(modalities, encoders).filter { scopes.contains(.encoder($0.0)) }.flatMap { $1.buffers(prefix: "encoder.\($0).") }
            + (scopes.contains(.fusion) ? fusion.buffers(prefix: "fusion.") : [])
    }
}
