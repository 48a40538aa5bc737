import BSSCore

/// Sample weights of self-paced learning as functions of the loss l and the age parameter lam.
public enum SelfPacedWeight: String, Choice {
    /// 1 if l < lam, else 0 (Kumar et al., NeurIPS 2010).
    case hard
    /// max(1 - l/lam, 0) (Jiang et al., ACM MM 2014).
    case linear
    /// ln(l + zeta) / ln(zeta), zeta = 1 - lam, for l < lam < 1 (Jiang et al., ACM MM 2014).
    case logarithmic
    /// 1 if l <= (lam g / (lam + g))^2, 0 if l >= lam^2, else g (1/sqrt(l) - 1/lam) (Jiang et al., ACM MM 2014).
    case mixture
    /// (1 + e^-lam) / (1 + e^(l - lam)) (Xu et al., IJCAI 2015).
    case logistic
    /// (1 - l/lam)^(1/(t - 1)), t > 1 (Gong et al., TEVC 2018).
    case polynomial

    /// - Parameters: `gamma` is g of the mixture, `order` is t of the polynomial.
    /// - Throws: `logarithmic` outside 0 < lam < 1.
    public func weights(
        _ losses: [Double], threshold lam: Double, gamma: Double = 0.5, order: Double = 3
    ) throws -> [Double] {
        switch self {
        case .hard: return losses.map { $0 < lam ? 1 : 0 }
        case .linear: return losses.map { lam > 0 ? max(1 - $0 / lam, 0) : 0 }
        case .logarithmic:
            guard lam > 0, lam < 1 else {
                throw BSSError(
                    "bss.scheduler.self_paced",
                    "the logarithmic weight needs a threshold between 0 and 1, it is \(Text.number(lam))",
                    hint: "set rescale = true")
            }
            let zeta = 1 - lam
            return losses.map { $0 < lam ? Math.log($0 + zeta) / Math.log(zeta) : 0 }
        case .mixture:
            let full = lam * gamma / (lam + gamma) * (lam * gamma / (lam + gamma))
            return losses.map { $0 <= full ? 1 : $0 >= lam * lam ? 0 : gamma * (1 / $0.squareRoot() - 1 / lam) }
        case .logistic: return losses.map { (1 + Math.exp(-lam)) / (1 + Math.exp($0 - lam)) }
        case .polynomial: return losses.map { $0 < lam ? Math.pow(1 - $0 / lam, 1 / (order - 1)) : 0 }
        }
    }
}
