import BSSCore
import BSSCurriculum

/// `bss.rebalance.<part>{…}`; a fresh method object is made for every training.
public struct RebalanceRecipe: Family {
    public static let familyName = "rebalance"
    public static let noun = "rebalancing method"
    public static let help = "Losses and gradients against modality imbalance; combines with any scheduler."
    public static let parts: [Part<RebalanceRecipe>] = [
        Joint.part, FusedOnly.part, MSES.part, GradientBlending.part, DOMFN.part, OGM.part, OGM.enhancedPart, MSLR.part,
        AGM.part, PMR.part, ReconBoost.part, MMPareto.part, SMV.part, MLA.part, CustomMethod.part,
    ]

    public let traits: MethodTraits
    public let make: (MethodSetup) throws -> RebalanceMethod

    public init(_ traits: MethodTraits = MethodTraits(), make: @escaping (MethodSetup) throws -> RebalanceMethod) {
        (self.traits, self.make) = (traits, make)
    }
}

/// What a training has to know of a method before it makes one.
public struct MethodTraits {
    /// Loss weights of Eq. 5 that the method uses; also those of the scheduler's loss criterion.
    public enum Weights {
        /// As `bss.train` is told.
        case given
        /// The fused loss alone.
        case fused
        /// 1 for every loss.
        case multitask
        /// 1 / (K + 1) for every loss.
        case even
    }

    public var weights: Weights
    /// True if the losses are the method's own, so that `bss.train`'s option `loss` has no place.
    public var ownsLoss: Bool
    /// True if the total prediction is the method's own, so that `bss.train`'s option `inference_heads` has no place.
    public var ownsPrediction = false
    /// Fraction of the training split that is kept out of training for the method to monitor (`context.monitorRows`).
    public var holdout: Double
    /// What the hooks of a step do beside enqueueing work.
    public enum Steps {
        /// They look at values: on a GPU each look is a wait, and the loop looks at the loss before them.
        case reading
        /// They do not.
        case silent
        /// Nor do they change from batch to batch of an epoch: one sub-step, whose calls may be made again.
        case fixed
    }
    public var steps: Steps

    public init(
        weights: Weights = .given, ownsLoss: Bool = false, holdout: Double = 0, steps: Steps = .reading
    ) {
        (self.weights, self.ownsLoss, self.holdout, self.steps) = (weights, ownsLoss, holdout, steps)
    }

    func lossWeights(_ options: TrainingOptions, modalities: Int) -> LossWeights {
        func equal(_ multi: Double, _ uni: Double) -> LossWeights {
            LossWeights(multi: multi, uni: Array(repeating: uni, count: modalities))
        }
        switch weights {
        case .given: return options.lossWeights(modalities: modalities)
        case .fused: return equal(1, 0)
        case .multitask: return equal(1, 1)
        case .even: return equal(1 / Double(modalities + 1), 1 / Double(modalities + 1))
        }
    }
}

extension Part where Product == RebalanceRecipe {
    /// A method and its options.
    init<O: OptionGroup>(
        _ name: String, _ summary: String, options: O.Type, source: String, example: String,
        traits: @escaping (O) -> MethodTraits, make: @escaping (O, MethodSetup) throws -> RebalanceMethod
    ) {
        self.init(name, summary, options: options, source: source, example: example) { options in
            RebalanceRecipe(traits(options)) { try make(options, $0) }
        }
    }
}
