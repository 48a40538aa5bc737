import BSSNetworks
import BSSTensor

/// One classifier for the features of every modality, as MLA and ReconBoost train it: z_m = g(P_m h_m).
///
/// Features of different sizes are first projected (P_m) to the largest of them; features of equal sizes are not. The
/// projections move with their encoders. A model with `head_sharing = true` lends its own head.
struct SharedHead {
    let scope: Scope
    private let classifier: (Tensor, ForwardContext) throws -> Tensor
    private let projections: [Linear]?

    /// `make` gives the classifier for features of a size; nil = one linear layer, or the model's shared head.
    init(_ setup: MethodSetup, make: ((_ features: Int, _ classes: Int) throws -> Module)? = nil) throws {
        let model = setup.context.model
        let sizes = model.encoders.map(\.featureCount)
        let width = sizes.max() ?? 1
        if let head = model.sharedHead, make == nil {
            scope = .head("shared")
            classifier = { try head($0, $1) }
            weight = head.weight
        } else {
            scope = .method
            let module = try make?(width, model.classes) ?? Linear(width, model.classes)
            try setup.add("head", module)
            classifier = { try module($0, $1) }
            weight = (module as? Linear)?.weight
        }
        if Set(sizes).count > 1 {
            projections = try zip(model.modalities, sizes).map { name, size in
                let layer = try Linear(size, width)
                try setup.add("projection." + name, layer, scope: .encoder(name))
                return layer
            }
        } else {
            projections = nil
        }
    }

    /// Of a linear head: [d, C].
    let weight: Parameter?

    /// g's input, [B, d].
    func projected(_ feature: Tensor, _ modality: Int, _ context: ForwardContext) throws -> Tensor {
        try projections.map { try $0[modality](feature, context) } ?? feature
    }

    func logits(_ projected: Tensor, _ context: ForwardContext) throws -> Tensor { try classifier(projected, context) }
}
