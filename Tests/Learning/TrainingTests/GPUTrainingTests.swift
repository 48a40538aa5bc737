import Testing
import _BSSEmulatedCard
import _BSSTestSupport

/// Metrics and whole trainings on the emulated card.
@Suite(.oneAtATime) struct GPUTrainingTests {
    @Test func metrics() throws {
        try EmulatedCard.run("fixtures metrics") { _ in try MetricsFixtureTests().metrics() }
    }

    @Test func train() throws {
        try EmulatedCard.run("fixtures train") { _ in try TrainFixtureTests().train() }
    }
}
