import BSSCore
import BSSNetworks
import BSSTensor

/// How a coefficient k_m reaches encoder m.
///
/// Adam and RMSprop divide gradients by their own size, so that a factor on gradients acts only through its variation;
/// there the learning rate of the encoder is scaled instead.
public struct Modulation: OptionGroup {
    public enum Target: String, Choice {
        case auto, gradient
        case learningRate = "learning_rate"
    }

    @Option(
        "apply_to",
        "what a coefficient multiplies: \"gradient\", \"learning_rate\" (of the encoder, for this step), or \"auto\": "
            + "the learning rate under Adam and RMSprop, else the gradient")
    public var target = Target.auto

    public init() {}

    func scalesRate(_ optimizer: OptimizerControl) -> Bool {
        target == .learningRate || (target == .auto && optimizer.isScaleInvariant)
    }

    /// Multiplies by `coefficients`, one a scope; `includes` says which tensors.
    func apply(
        _ coefficients: [(scope: Scope, factor: Double)], to gradients: inout Gradients, _ optimizer: OptimizerControl,
        where includes: (Parameter) -> Bool = { _ in true }
    ) throws {
        for (scope, factor) in coefficients {
            if scalesRate(optimizer) {
                optimizer.scaleRate(scope, by: factor)
            } else if factor != 1 {
                try gradients.scale(optimizer.parameters([scope]).filter { includes($0.parameter) }, by: factor)
            }
        }
    }
}
