import BSSNetworks
import BSSTensor

/// One forward, backward and update inside a batch: methods that alternate modalities yield several.
public struct SubStep {
    /// The loss is a scalar of the device: the loop does not look at it.
    public typealias Result = (loss: Tensor, gradients: Gradients)

    /// The scopes that may move; nil = all. Others keep parameters, momentum and decay untouched.
    public let scopes: Set<Scope>?
    /// This sub-step's loss and its gradients.
    let gradients: (BatchPass) throws -> Result

    /// Of a loss: the usual case.
    public init(scopes: Set<Scope>? = nil, terms: @escaping (BatchPass) throws -> [LossTerm]) {
        self.init(scopes: scopes) { pass in
            let loss = try terms(pass).total(pass.batch)
            return (loss.detached, try loss.backward())
        }
    }

    /// Of several losses whose gradients the method combines itself.
    public init(scopes: Set<Scope>? = nil, gradients: @escaping (BatchPass) throws -> Result) {
        self.scopes = scopes
        self.gradients = gradients
    }

    func moves(_ scope: Scope) -> Bool { scopes?.contains(scope) ?? true }
    var movesEncoders: Bool { scopes?.contains { if case .encoder = $0 { return true } else { return false } } ?? true }
}
