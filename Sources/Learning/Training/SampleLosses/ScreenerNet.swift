import BSSCore
import BSSNetworks
import BSSTensor

/// ScreenerNet: a small network says how much each sample counts. Kim & Choi, 2018 (arXiv 1801.00904).
///
///     main network: w_i l_i (w constant);   screener: (1 - w_i)² l_i + w_i² max(M - l_i, 0) (l constant),   w
///         = σ(net(x)) in (0, 1)
///
/// It learns to show hard samples. Its input is the sample itself: all modalities, flattened; [D] -> hidden -> 1. It
/// moves by SGD with momentum of its own. The reported loss is the sum of both parts.
final class ScreenerNet: SampleLoss {
    struct Options: OptionGroup {
        @Option("hidden", "units of its hidden layer", .range(1...1 << 20)) var hidden = 64
        @Option("margin", "M: losses below it should count less", .above(0)) var margin = 1.0
        @Option("rate", "its learning rate", .atLeast(0)) var rate = 1e-2
        @Option("momentum", "fraction of its last update kept", .range(0...1)) var momentum = 0.9
        @Option("on", SampleLoss.targetHelp) var target = Target.total
    }

    private let options: Options
    private let network: Network
    private var weightSum = 0.0, seen = 0

    final class Network: Module {
        let layers: Sequential
        private(set) var velocities: [StateTensor] = []
        init(_ inputs: Int, _ hidden: Int) throws {
            layers = Sequential([try Linear(inputs, hidden), Activation("relu"), try Linear(hidden, 1)])
            super.init()
            _ = add("layers", layers)
            for (name, parameter) in layers.parameters() {
                velocities.append(add("momentum." + name, StateTensor(try Tensor.zeros(parameter.value.shape))))
            }
        }
    }

    init(_ options: Options, _ setup: SampleLossSetup) throws {
        let source = setup.context.source
        let sizes = source.modalities.indices.map { source.sampleShape($0).reduce(1, *) }
        self.options = options
        network = try Network(sizes.reduce(0, +), options.hidden)
        super.init(options.target, setup.context)
        try setup.add(network)
    }

    /// w [B] of a batch.
    func weights(_ batch: TrainingBatch) throws -> Tensor {
        let flat = try batch.inputs.map {
            try $0.detached.flattenedRows()
        }
        return try network.layers(Tensor.concatenated(flat, axis: 1), ForwardContext(.training)).sigmoid().reshaped([
            flat[0].shape[0]
        ])
    }

    /// (1 - w)² l + w² max(M - l, 0).
    static func objective(_ weights: Tensor, _ losses: Tensor, margin: Double) throws -> Tensor {
        try weights.negated().adding(1).square() * losses + weights.square() * losses.negated().adding(margin).relu()
    }

    override func applied(_ terms: [LossTerm], _ batch: TrainingBatch) throws -> [LossTerm] {
        let weights = try weights(batch)
        weightSum += try weights.detached.sum().item()
        seen += weights.elementCount
        var screening: [LossTerm] = []
        let main = try replacing(terms) { term, scale in
            screening.append(
                LossTerm(
                    "screener." + term.name,
                    try ScreenerNet.objective(weights, term.perSample.detached, margin: options.margin * scale),
                    weight: 1))
            return try term.perSample * weights.detached
        }
        return main + screening
    }

    override func update(_ gradients: Gradients) throws {
        try Autograd.withoutRecording {
            for ((_, parameter), velocity) in zip(network.layers.parameters(), network.velocities) {
                guard let gradient = gradients[parameter.value] else { continue }
                try velocity.assign(velocity.value.multiplied(by: options.momentum) + gradient)
                try parameter.assign(parameter.value.detached - velocity.value.multiplied(by: options.rate))
            }
        }
    }

    override func report() -> Table? {
        defer { (weightSum, seen) = (0, 0) }
        return Table(fields: [("mean_weight", .number(seen == 0 ? 1 : weightSum / Double(seen)))])
    }

    static let part = Part<SampleLossRecipe>(
        "screener", "ScreenerNet: a small network learns from the losses how much each sample counts; hard ones more.",
        options: Options.self, source: "Kim, Choi, ScreenerNet, arXiv 1801.00904, 2018",
        example: "bss.sample_loss.screener{ hidden = 32 }", make: ScreenerNet.init)
}
