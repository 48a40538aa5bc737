import BSSNetworks
import BSSTensor

extension Gradients {
    /// Only the gradients of parameters in `scopes`: the rest is left alone by the optimizer, momentum and decay
    /// included.
    func keeping(_ scopes: Set<Scope>, _ groups: [ParameterGroup]) -> Gradients {
        var kept = self
        for group in groups where !scopes.covers(group.scope) {
            for (_, parameter) in group.parameters { kept[parameter.value] = nil }
        }
        return kept
    }

    /// Adds the gradients of another pass with respect to `leaves`.
    mutating func add(_ other: Gradients, _ leaves: [Tensor]) throws {
        for leaf in leaves {
            guard let more = other[leaf] else { continue }
            self[leaf] = try self[leaf].map { try $0.adding(more) } ?? more
        }
    }

    /// Multiplies those of some parameters; a parameter without gradient keeps none.
    mutating func scale(_ parameters: [(name: String, parameter: Parameter)], by factor: Double) throws {
        for (_, parameter) in parameters {
            self[parameter.value] = try self[parameter.value]?.multiplied(by: factor)
        }
    }
}
