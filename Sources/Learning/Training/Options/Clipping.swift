import BSSCore
import BSSNetworks
import BSSTensor

/// Limits of the gradients, between `adjust` and the update.
public struct Clipping: OptionGroup {
    @Option("clip_norm", "largest joint 2-norm of the gradients", .optional(.above(0)))
    public var norm: Double? = nil

    public init() {}

    func apply(_ gradients: inout Gradients, _ optimizer: Optimizer) throws {
        if let norm { try gradients.clip(norm: norm, optimizer.parameters(nil).map(\.parameter)) }
    }
}
