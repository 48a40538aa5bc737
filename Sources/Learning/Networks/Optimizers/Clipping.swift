import BSSBackend
import BSSCore
import BSSTensor

extension Gradients {
    /// Scales all gradients so that their joint p-norm is at most `maximum`: factor = min(1, maximum / (norm + 1e-6)).
    ///
    /// Returns the norm before clipping. Source: Pascanu, Mikolov, Bengio, ICML 2013.
    @discardableResult
    public mutating func clip(norm maximum: Double, p: Double = 2, _ parameters: [Parameter]) throws -> Double {
        let total = try norm(p: p, parameters)
        let factor = maximum / (total + 1e-6)
        if factor < 1 {
            for parameter in parameters {
                if let gradient = self[parameter.value] { self[parameter.value] = try gradient.multiplied(by: factor) }
            }
        }
        return total
    }

    /// The joint p-norm of the gradients of `parameters`.
    public func norm(p: Double = 2, _ parameters: [Parameter]) throws -> Double {
        try Autograd.withoutRecording {
            let gradients = parameters.compactMap { self[$0.value] }
            if p == 2 {
                return try gradients.reduce(0.0) { try $0 + $1.backend.sumOfSquares($1.contiguous().view) }.squareRoot()
            }
            let norms = try gradients.map { try $0.norm(p: p).item() }
            if p.isInfinite { return norms.max() ?? 0 }
            return Math.pow(norms.reduce(0) { $0 + Math.pow($1, p) }, 1 / p)
        }
    }

    /// Limits every element to [-limit, limit].
    public mutating func clip(value limit: Double, _ parameters: [Parameter]) throws {
        for parameter in parameters {
            if let gradient = self[parameter.value] { self[parameter.value] = try gradient.clamped(-limit, limit) }
        }
    }
}
