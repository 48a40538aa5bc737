import BSSCore
import BSSCurriculum
import BSSData
import BSSNetworks
import BSSTensor
import BSSTraining

/// `bss.measure{ data =, model =, measurer = }`: balance scores without training.
enum MeasureFunction {
    static func make(_ workbench: Workbench) -> Function {
        let data = Argument<Configured<Dataset>>("data", "whose samples are scored")
        let model = Argument<ModelObject?>(
            "model", default: nil,
            "a trained model (run.model), whose own standardisation samples get, or a recipe: then with initial "
                + "weights from seed")
        let measurer = Argument("measurer", default: Measurer.paper, "criteria and normalisation")
        let split = Argument(
            "split", default: "train", "which samples", check: .oneOf(SplitName.allCases.map(\.rawValue)))
        let alpha = Argument("alpha", default: 0.2, "weights of the loss criterion (Eq. 5)", check: .range(0...1))
        let mode = Argument(
            "score_mode", default: ScanSettings.Mode.eval,
            "how the network runs: \"eval\", or \"batch_statistics\" for an untrained one")
        let batch = Argument(
            "batch_size", default: 64, "samples a batch (matters for batch statistics)", check: .atLeast(1))
        let seed = Argument<Seed?>("seed", default: nil, "of initial weights and of the scan's order")
        return Function(
            "measure",
            "Balance scores of samples by a model, without training (Eqs. 4–6): score, ranking and every criterion.",
            [data, model, measurer, split, alpha, mode, batch, seed],
            returns: "table", example: "bss.measure{ data = bss.data.synthetic{ samples = 200 } }.score[1]",
            source: "Guan, Jiang, Yang, IJCAI 2025, Eqs. 4–6"
        ) { a in
            let dataset = a[data].product
            let rows = try PredictFunctions.rows(dataset, a[split], a.operation)
            let own = DatasetSource(dataset)
            let source: any SampleSource =
                try (a[model]?.card).map { try CardSource.adapting(own, to: $0, a.operation) } ?? own
            let root = a[seed]?.value ?? workbench.seed
            let network = try (a[model] ?? ModelObject.automatic(dataset)).instantiate(source, seed: root)
            var settings = ScanSettings()
            guard a[mode] != .lastEpoch else {
                throw BSSError(
                    "bss.measure", "score_mode = \"last_epoch\" belongs to a training; here nothing was trained",
                    hint: "use \"eval\" or \"batch_statistics\"", kind: .usage)
            }
            settings.mode = a[mode]
            let measurement = try Scoring.measure(
                network, source, rows: rows, a[measurer], settings,
                LossWeights(alpha: a[alpha], modalities: network.modalities.count), seed: root, batchSize: a[batch])
            return [.table(measurement.table)]
        }
    }
}
