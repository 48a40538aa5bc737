import BSSBackend
import BSSCore

// Evidential classification: a Dirichlet distribution over class probabilities, alpha = evidence + 1.
// Sensoy, Kaplan and Kandemir, NeurIPS 2018; Han, Zhang, Fu and Zhou, "Trusted multi-view classification", ICLR 2021.

extension Tensor {
    /// Per-sample loss [N, 1] of Dirichlet parameters `alpha` [N, K] against class indices [N] (Han et al. 2021,
    /// section 3).
    ///
    ///     l = Σ_k y_k (ψ(S) - ψ(α_k)) + λ KL(Dir(α̃) ‖ Dir(1)),
    ///     S = Σ α,  α̃ = y + (1 - y) α,  λ = min(1, step / annealing)
    public static func evidenceCrossEntropy(
        _ alpha: Tensor, _ label: Tensor, step: Double, annealing: Double
    ) throws -> Tensor {
        let y = try evidenceTarget("evidence_ce_loss", alpha, label, annealing)
        let total = try alpha.sum([1], keepsAxes: true)
        let own = try y.multiplied(by: alpha).sum([1], keepsAxes: true)
        let fit = try total.unary(.digamma).subtracting(own.unary(.digamma))
        return try fit.adding(evidencePenalty(alpha, y, step: step, annealing: annealing))
    }

    /// Per-sample loss [N, 1]: expected squared error under the Dirichlet (Sensoy et al. 2018, Eq. 5) plus the same
    /// penalty.
    ///
    ///     l = Σ_k (y_k - α_k/S)² + α_k (S - α_k) / (S² (S + 1)) + λ KL(Dir(α̃) ‖ Dir(1))
    public static func evidenceMeanSquaredError(
        _ alpha: Tensor, _ label: Tensor, step: Double, annealing: Double
    ) throws -> Tensor {
        let y = try evidenceTarget("evidence_mse_loss", alpha, label, annealing)
        let total = try alpha.sum([1], keepsAxes: true)
        let error = try y.subtracting(alpha.divided(by: total)).square().sum([1], keepsAxes: true)
        let variance = try (alpha * (total - alpha) / (total.square() * (total + 1))).sum([1], keepsAxes: true)
        return try error + variance + evidencePenalty(alpha, y, step: step, annealing: annealing)
    }

    private static func evidenceTarget(
        _ name: String, _ alpha: Tensor, _ label: Tensor, _ annealing: Double
    ) throws -> Tensor {
        guard alpha.rank == 2, alpha.dtype.isFloat, label.shape == [alpha.shape[0]], label.dtype == .int64 else {
            throw BSSError(
                name,
                "alpha \(alpha.dtype.name) \(alpha.shape) and label \(label.dtype.name) \(label.shape) do not fit",
                hint: "float [N, K] and i64 [N]")
        }
        guard annealing > 0 else { throw BSSError(name, "annealing step must be positive, got \(annealing)") }
        return try label.oneHot(classes: alpha.shape[1], alpha.dtype)
    }

    /// λ KL(Dir(α̃) ‖ Dir(1)), [N, 1]: evidence for wrong classes is pulled to zero.
    ///
    ///     KL = ln Γ(S̃) - Σ ln Γ(α̃) - ln Γ(K) + Σ (α̃ - 1)(ψ(α̃) - ψ(S̃))
    ///     dKL/dα_k = (α̃_k - 1) ψ'(α̃_k) - (S̃ - K) ψ'(S̃), 0 for the label
    private static func evidencePenalty(_ alpha: Tensor, _ y: Tensor, step: Double, annealing: Double) throws -> Tensor
    {
        let weight = min(1, step / annealing)
        let classes = Double(alpha.shape[1])
        if weight == 0 { return try zeros([alpha.shape[0], 1], alpha.dtype, on: alpha.backend) }
        let isWrong = try -1 * y + 1
        let evidence = try (alpha.detached + -1) * isWrong
        let wrong = try evidence + 1
        let allEvidence = try evidence.sum([1], keepsAxes: true)
        let total = try allEvidence + classes
        let slope =
            try (evidence * wrong.unary(.digamma)).sum([1], keepsAxes: true) - allEvidence * total.unary(.digamma)
        let normaliser = try total.unary(.lgamma) - wrong.unary(.lgamma).sum([1], keepsAxes: true)
        // ln B of the uniform Dirichlet: Σ lgamma(1) - lgamma(K) = -lgamma(K)
        let uniform = try scalar(classes, .float64, on: alpha.backend).unary(.lgamma).item()
        let divergence = try (slope + normaliser + -uniform).multiplied(by: weight)
        return recorded("evidence_penalty", divergence.view, [alpha]) { g in
            let slope = try evidence * wrong.unary(.trigamma) - allEvidence * total.unary(.trigamma)
            return [try weight * g * (isWrong * slope)]
        }
    }

    /// Dempster's rule for two Dirichlet opinions over K classes (Han et al. 2021, section 3).
    ///
    ///     b = (α - 1)/S, u = K/S;  C = Σ_{i≠j} b1_i b2_j
    ///     b = (b1 b2 + b1 u2 + b2 u1)/(1 - C), u = u1 u2/(1 - C);  α = b K/u + 1
    ///
    /// In the evidence e = α - 1 the factor 1 - C cancels: e = e1 + e2 + e1 e2/K, which is how it is computed. It needs
    /// no guard where two sure opinions contradict each other (C → 1).
    ///
    /// alpha1, alpha2: [N, K] → [N, K].
    public static func dempsterShafer(_ alpha1: Tensor, _ alpha2: Tensor) throws -> Tensor {
        guard alpha1.rank == 2, alpha1.shape == alpha2.shape else {
            throw BSSError(
                "dempster_shafer_combine", "opinions \(alpha1.shape) and \(alpha2.shape) must have one shape [N, K]")
        }
        let classes = Double(alpha1.shape[1])
        return try alpha1 + (alpha2 + -1) * (1 / classes * (alpha1 + (classes - 1)))
    }

    // MARK: Fusion of two feature vectors (as in Peng et al., "Balanced multimodal learning", CVPR 2022, and its code)

    /// FiLM (Perez et al., AAAI 2018): [γ, β] = weight x + bias, y = outWeight (γ v + β) + outBias.
    ///
    /// x: [N, I], v: [N, D], weight: [2D, I], outWeight: [O, D] → [N, O].
    public static func fusionFiLM(
        _ x: Tensor, _ v: Tensor, weight: Tensor, bias: Tensor?, outWeight: Tensor, outBias: Tensor?
    ) throws -> Tensor {
        let modulation = try linear(x, weight.transposed(0, 1), bias)
        guard v.rank == 2, modulation.rank == 2, modulation.shape[1] == 2 * v.shape[1] else {
            throw BSSError(
                "fusion_film", "weight \(weight.shape) does not fit features \(v.shape), needs twice their size")
        }
        let parts = try modulation.chunks(2, axis: 1)
        return try linear(parts[0] * v + parts[1], outWeight.transposed(0, 1), outBias)
    }

    /// Gated fusion (Kiela et al., AAAI 2018): y = outWeight (σ(xWeight x + xBias) · (vWeight v + vBias)) + outBias.
    public static func fusionGated(
        _ x: Tensor, _ v: Tensor, xWeight: Tensor, xBias: Tensor?, vWeight: Tensor, vBias: Tensor?, outWeight: Tensor,
        outBias: Tensor?
    ) throws -> Tensor {
        let gate = try linear(x, xWeight.transposed(0, 1), xBias).sigmoid()
        return try linear(gate * linear(v, vWeight.transposed(0, 1), vBias), outWeight.transposed(0, 1), outBias)
    }

    /// y = xWeight x + xBias + vWeight v + vBias
    public static func fusionSum(
        _ x: Tensor, _ v: Tensor, xWeight: Tensor, xBias: Tensor?, vWeight: Tensor, vBias: Tensor?
    ) throws -> Tensor {
        try linear(x, xWeight.transposed(0, 1), xBias) + linear(v, vWeight.transposed(0, 1), vBias)
    }
}
