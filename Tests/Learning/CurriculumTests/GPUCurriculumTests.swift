import Testing
import _BSSEmulatedCard
import _BSSTestSupport

/// Measurer, pace, orders and criteria on the emulated card.
@Suite(.oneAtATime) struct GPUCurriculumTests {
    @Test func bss() throws {
        try EmulatedCard.run("fixtures bss") { _ in try CurriculumFixtureTests().bss() }
    }
}
