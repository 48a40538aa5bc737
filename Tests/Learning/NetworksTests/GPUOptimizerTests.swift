import Testing
import _BSSEmulatedCard
import _BSSTestSupport

/// Optimizers on the emulated card.
@Suite(.oneAtATime) struct GPUOptimizerTests {
    @Test func optim() throws {
        try EmulatedCard.run("fixtures optim") { _ in try OptimizerFixtureTests().optim() }
    }
}
