import BSSCore
import BSSNetworks
import BSSTensor

/// Parameters, buffers and optimizer state of some scopes at one moment.
public struct Snapshot {
    private let parameters: [(name: String, parameter: Parameter, values: Tensor)]
    private let buffers: [(name: String, buffer: StateTensor, values: Tensor)]
    private let optimizer: OptimizerSnapshot

    /// `scopes` = nil: everything.
    init(_ model: MultimodalModel, _ optimizer: Optimizer, _ scopes: Set<Scope>?) throws {
        parameters = try optimizer.parameters(scopes).map {
            ($0.name, $0.parameter, try $0.parameter.value.duplicate())
        }
        buffers = try model.buffers(scopes).map { ($0.name, $0.buffer, try $0.buffer.value.duplicate()) }
        self.optimizer = try optimizer.snapshot(scopes)
    }

    /// The values by name, for checkpoints.
    public var tensors: [String: Tensor] {
        get throws {
            let values =
                parameters.map { ("value." + $0.name, $0.values) } + buffers.map { ("value." + $0.name, $0.values) }
            return try Dictionary(uniqueKeysWithValues: values).merging(optimizer.tensors) { $1 }
        }
    }

    /// From the `tensors` of a snapshot of the same scopes.
    /// - Throws: kind `.data` for a tensor that is missing or has another shape.
    init(_ model: MultimodalModel, _ optimizer: Optimizer, _ scopes: Set<Scope>?, tensors: [String: Tensor]) throws {
        func value(_ name: String, like present: Tensor) throws -> Tensor {
            guard let found = tensors["value." + name], found.shape == present.shape else {
                throw BSSError("resume", "the saved snapshot lacks '\(name)' of shape \(present.shape)", kind: .data)
            }
            return found
        }
        parameters = try optimizer.parameters(scopes).map {
            ($0.name, $0.parameter, try value($0.name, like: $0.parameter.value))
        }
        buffers = try model.buffers(scopes).map { ($0.name, $0.buffer, try value($0.name, like: $0.buffer.value)) }
        self.optimizer = try optimizer.snapshot(scopes, tensors: tensors)
    }

    /// `includingOptimizer` = false leaves momentum and step counts as they are now.
    func restore(_ target: Optimizer, includingOptimizer: Bool = true) throws {
        for (_, parameter, values) in parameters { try parameter.assign(values) }
        for (_, buffer, values) in buffers { try buffer.assign(values) }
        if includingOptimizer { try target.restore(optimizer) }
    }
}

extension MultimodalModel {
    /// Buffers of some scopes (nil = all), by checkpoint name.
    func buffers(_ scopes: Set<Scope>?) -> [(name: String, buffer: StateTensor)] {
        guard let scopes else { return buffers() }
        return zip(modalities, encoders).filter { scopes.contains(.encoder($0.0)) }.flatMap {
            $1.buffers(prefix: "encoder.\($0).")
        }
            + (scopes.contains(.fusion) ? fusion.buffers(prefix: "fusion.") : [])
    }
}
