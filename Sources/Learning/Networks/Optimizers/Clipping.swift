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

    /// The factor of `clip(norm:)` for the 2-norm as a scalar (f64) of the device, which `Optimizer.step` takes:
    /// nothing is read. nil without gradients.
    public func clippingFactor(norm maximum: Double, _ parameters: [Parameter]) throws -> Tensor? {
        try Autograd.withoutRecording {
            guard let total = try squaredSum(parameters)?.unary(.sqrt).adding(1e-6) else { return nil }
            return try Tensor.scalar(maximum, .float64, on: total.backend).divided(by: total).clamped(-.infinity, 1)
        }
    }

    /// The joint p-norm of the gradients of `parameters`.
    public func norm(p: Double = 2, _ parameters: [Parameter]) throws -> Double {
        try Autograd.withoutRecording {
            if p == 2 { return try squaredSum(parameters)?.item().squareRoot() ?? 0 }
            let norms = try parameters.compactMap { try self[$0.value]?.norm(p: p).item() }
            if p.isInfinite { return norms.max() ?? 0 }
            return Math.pow(norms.reduce(0) { $0 + Math.pow($1, p) }, 1 / p)
        }
    }

    /// The square of the joint 2-norm, on the device; nil without gradients.
    public func squaredNorm(_ parameters: [Parameter]) throws -> Tensor? {
        try Autograd.withoutRecording { try squaredSum(parameters) }
    }

    private func squaredSum(_ parameters: [Parameter]) throws -> Tensor? {
        // Of a convolution's weights they lie in the kernels' order: no copy for a sum that knows no order.
        let gradients = try parameters.compactMap { try self[$0.value]?.inMemoryOrder() }
        return gradients.isEmpty ? nil : try Tensor.sumOfSquares(gradients)
    }

    /// Limits every element to [-limit, limit].
    public mutating func clip(value limit: Double, _ parameters: [Parameter]) throws {
        for parameter in parameters {
            if let gradient = self[parameter.value] { self[parameter.value] = try gradient.clamped(-limit, limit) }
        }
    }
}
