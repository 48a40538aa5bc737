import BSSCore
import BSSCurriculum
import BSSData
import BSSNetworks
import BSSTensor

/// Balance scores outside a training.
public enum Scoring {
    /// Scores `rows` with a network as it is (Eqs. 4–6); changes nothing.
    public static func measure(
        _ model: MultimodalModel, _ source: any SampleSource, rows: [Int], _ measurer: Measurer,
        _ settings: ScanSettings, _ weights: LossWeights, seed: Int,
        batchSize: Int
    ) throws -> Measurement {
        try measurer.score(
            Evaluator(model, source).evidence(
                rows: rows, Prediction.init, settings: settings, needs: measurer.needs, weights: weights, seed: seed,
                batchSize: batchSize, epoch: 0))
    }
}
