import BSSCore
import BSSTensor

/// A multi-layer LSTM that reads one modality after the other.
///
///     u_m = P_m h_m ∈ R^d
///     sequence:    u_1 … u_K are the steps of an L-layer LSTM; z = W h_K^(L) + b
///     progressive: layer 1 reads u_1, layer m reads [hidden state of layer m - 1; u_m]; z from layer K
///
/// Parameters of one layer at d inputs: 4d (2d + 2); with d = 512 and L = 2 the LSTM has 4,202,496. Nie et al.,
/// "Multi-modal feature fusion based on multi-layers LSTM for video emotion recognition" (Multimedia Tools and
/// Applications 80, 2021).
///
/// Deviation: the paper's wiring is known from its abstract only; both variants are readings of it. Features are one
/// vector a modality, so `progressive` layers run one step from a zero state, which their recurrent weights do not see.
/// The order of modalities matters. The forget gate's bias starts at 1. Not a sum over modalities: no slices.
public final class MultilayerLSTMFusion: Fusion {
    public enum Variant: String, CaseIterable { case sequence, progressive }
    private var projections: [Linear] = []
    /// `sequence`: one stack; `progressive`: one layer a modality.
    private var stacks: [LSTM] = []
    private let classifier: Linear
    private let variant: Variant
    /// Between the layers of `progressive`.
    private let between: Dropout?

    init(
        _ setting: FusionSetting, _ variant: Variant, size: Int, layers: Int, dropout: Double, forgetBias: Double
    ) throws {
        self.variant = variant
        between = variant == .progressive && dropout > 0 ? Dropout(rate: dropout) : nil
        classifier = try Linear(size, setting.classes)
        super.init()
        for (name, features) in zip(setting.modalities, setting.features) {
            projections.append(add("projection." + name, try Linear(features, size)))
        }
        switch variant {
        case .sequence:
            stacks.append(add("lstm", try LSTM(size, size, layers: layers, dropout: dropout, forgetBias: forgetBias)))
        case .progressive:
            for (index, name) in setting.modalities.enumerated() {
                stacks.append(add("lstm." + name, try LSTM(index == 0 ? size : 2 * size, size, forgetBias: forgetBias)))
            }
        }
        _ = add("classifier", classifier)
    }

    public override func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> FusionResult {
        let steps = try zip(projections, features).map { try $0($1, context) }
        guard variant == .progressive else {
            return FusionResult(try classifier(stacks[0].last(Tensor.stacked(steps, axis: 1), context), context))
        }
        var hidden: Tensor?
        for (stack, step) in zip(stacks, steps) {
            let input =
                try hidden.map { try Tensor.concatenated([between?($0, context) ?? $0, step], axis: 1) } ?? step
            hidden = try stack.last(input.unsqueezed(1), context)
        }
        return FusionResult(try classifier(hidden ?? steps[0], context))
    }

    static let part: Part<FusionRecipe> = {
        let variant = Argument(
            "variant", default: "sequence",
            "\"sequence\": modalities are the time steps; \"progressive\": one layer a modality",
            check: .oneOf(Variant.allCases.map(\.rawValue)))
        let size = Argument(
            "hidden", default: 512, "d, width of the projections and of the hidden state", check: .atLeast(1))
        let layers = Argument<Int?>(
            "layers", default: nil, "layers L of variant \"sequence\" (2); \"progressive\" has one a modality",
            check: Check("at least 1") { $0 ?? 1 >= 1 })
        let dropout = Argument("dropout", default: 0.0, "rate between layers", check: .range(0...1))
        let forget = Argument("forget_bias", default: 1.0, "where the forget gate's bias starts", check: .finite)
        return Part(
            "ml_lstm", "A multi-layer LSTM over the modalities' features.", [variant, size, layers, dropout, forget],
            source: "after Nie et al., Multimedia Tools and Applications 80, 2021",
            example: "bss.fusion.ml_lstm{ hidden = 64, layers = 1 }"
        ) { a in
            let chosen = Variant(rawValue: a[variant]) ?? .sequence
            if chosen == .progressive, a[layers] != nil {
                throw BSSError(
                    a.operation,
                    "variant \"progressive\" has one layer a modality; option 'layers' belongs to \"sequence\"",
                    kind: .usage)
            }
            return FusionRecipe {
                try MultilayerLSTMFusion(
                    $0, chosen, size: a[size], layers: a[layers] ?? 2, dropout: a[dropout], forgetBias: a[forget])
            }
        }
    }()
}
