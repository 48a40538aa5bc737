import BSSCore

extension CustomMethod {
    enum Hook: String, CaseIterable {
        case setup, epoch, plan, loss, step, grads, predict

        var signature: Signature {
            typealias Types = CallbackTypes
            switch self {
            case .setup: return Signature([Types.ctx])
            case .epoch: return Signature([Types.ctx, ("phase", "\"begin\"|\"end\"")], returns: "table?")
            case .plan: return Signature([Types.ctx, Types.named("plan")], returns: "table?")
            case .loss: return Signature([Types.ctx, Types.out, Types.labels], returns: "any")
            case .step: return Signature([Types.ctx, Types.named("batch")], returns: "table[]")
            case .grads: return Signature([Types.ctx, ("grads", "table"), Types.out, Types.labels], returns: "table?")
            case .predict: return Signature([Types.ctx, Types.out], returns: "any")
            }
        }

        var help: String {
            switch self {
            case .setup: return "function(ctx): before training"
            case .epoch:
                return
                    "function(ctx, phase): phase is \"begin\" or \"end\"; a returned table of names goes to this "
                    + "epoch's record as `method`, that of the end over that of the beginning"
            case .plan:
                return
                    "function(ctx, plan): plan has positions, weights, keeps (per entry a list of modalities; nil = "
                    + "all); returns one like it"
            case .loss:
                return
                    "function(ctx, out, labels): labels are class positions from 1; returns a tensor [B] or a scalar, "
                    + "or a table of such terms by name, each also { tensor, weight }"
            case .step:
                return
                    "function(ctx, batch): batch has labels (class positions from 1) and positions; returns a list of "
                    + "sub-steps { scopes = { \"encoder.audio\", … }, loss = function(out) … end } (scopes nil: "
                    + "everything moves)"
            case .grads:
                return
                    "function(ctx, grads, out, labels): grads[scope][parameter] are tensors; returns those that "
                    + "change, in the same form"
            case .predict:
                return "function(ctx, out): returns total logits [B, C], or { total =, fused =, unimodal = { … } }"
            }
        }
    }

    struct Options: OptionGroup {
        @Option("setup", Hook.setup.help, called: Hook.setup.signature) var setup: Callback? = nil
        @Option("epoch", Hook.epoch.help, called: Hook.epoch.signature) var epoch: Callback? = nil
        @Option("plan", Hook.plan.help, called: Hook.plan.signature) var plan: Callback? = nil
        @Option("loss", Hook.loss.help, called: Hook.loss.signature) var loss: Callback? = nil
        @Option("step", Hook.step.help, called: Hook.step.signature) var step: Callback? = nil
        @Option("grads", Hook.grads.help, called: Hook.grads.signature) var grads: Callback? = nil
        @Option("predict", Hook.predict.help, called: Hook.predict.signature) var predict: Callback? = nil
        @Option("label", "its name in records") var label = "custom"
        @Option(
            "holdout",
            "fraction of the training split kept out for ctx:scan(\"monitor\"); 0: the validation split",
            .range(0...0.9))
        var holdout = 0.0
        var base = BaseLoss()

        var hooks: [Hook: any Callable] {
            let given = [setup, epoch, plan, loss, step, grads, predict]
            let pairs = zip(Hook.allCases, given).compactMap { hook, callback in
                callback.map { (hook, $0.function) }
            }
            return Dictionary(uniqueKeysWithValues: pairs)
        }

        var traits: MethodTraits {
            var traits = base.traits
            (traits.ownsLoss, traits.holdout) = (loss != nil || step != nil, holdout)
            traits.ownsPrediction = predict != nil
            return traits
        }
    }
}
