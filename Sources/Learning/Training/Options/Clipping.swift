import BSSCore
import BSSNetworks
import BSSTensor

/// Limits of the gradients, between `adjust` and the update.
public struct Clipping: OptionGroup {
    @Option("clip_norm", "largest joint 2-norm of the gradients", .optional(.above(0)))
    public var norm: Double? = nil

    public init() {}

    /// What the update multiplies gradients by: a scalar of the device.
    func factor(_ gradients: Gradients, _ optimizer: Optimizer) throws -> Tensor? {
        try norm.flatMap { try gradients.clippingFactor(norm: $0, optimizer.parameters(nil).map(\.parameter)) }
    }
}
