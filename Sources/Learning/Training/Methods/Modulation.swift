import BSSCore
import BSSNetworks
import BSSTensor

/// How a coefficient k_m reaches encoder m.
///
/// Adam and RMSprop divide gradients by their own size, so that a factor on gradients acts only through its variation;
/// there the learning rate of the encoder is scaled instead.
public enum Modulation: String, CaseIterable {
    case auto, gradient
    case learningRate = "learning_rate"

    static let argument = Argument(
        "apply_to", default: "auto",
        "what a coefficient multiplies: \"gradient\", \"learning_rate\" (of the encoder, for this step), or \"auto\": the learning rate under Adam and RMSprop, else the gradient",
        check: .oneOf(allCases.map(\.rawValue)))

    init(_ a: Arguments) { self = Modulation(rawValue: a[Modulation.argument]) ?? .auto }

    func scalesRate(_ optimizer: Optimizer) -> Bool {
        self == .learningRate || (self == .auto && optimizer.isScaleInvariant)
    }

    /// Multiplies by `coefficients`, one a scope; `includes` says which tensors.
    func apply(
        _ coefficients: [(scope: Scope, factor: Double)], to gradients: inout Gradients, _ optimizer: Optimizer,
        where includes: (Parameter) -> Bool = { _ in true }
    ) throws {
        for (scope, factor) in coefficients {
            if scalesRate(optimizer) {
                optimizer.modify(scope) { $0.multiplier = factor }
            } else if factor != 1 {
                for (_, parameter) in optimizer.parameters([scope]) where includes(parameter) {
                    if let gradient = gradients[parameter.value] {
                        gradients[parameter.value] = try gradient.multiplied(by: factor)
                    }
                }
            }
        }
    }
}
