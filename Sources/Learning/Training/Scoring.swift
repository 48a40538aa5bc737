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
        let evaluator = Evaluator(model: model, source: source) {
            Prediction(total: $0.fused, fused: $0.fused, unimodal: $0.unimodal)
        }
        return try measurer.score(
            evaluator.evidence(
                rows: rows, settings: settings, needs: measurer.needs, weights: weights, seed: seed,
                batchSize: batchSize, epoch: 0))
    }
}
