import Glibc
import Testing
import _BSSEmulatedCard
import _BSSTestSupport

/// Whole networks on the emulated card: convolutions, attention, normalisation, weights from files.
@Suite(.oneAtATime) struct GPUNetworkTests {
    /// What fits into a run of CI on the checked card; `BSS_TEST_GPU=whole` (scripts/check-gpu) takes every case.
    private static let small: Set = ["nets/resnet18_audio_hash_train"]

    @Test func nets() throws {
        let isWhole = getenv("BSS_TEST_GPU").map { String(cString: $0) } == "whole"
        try EmulatedCard.runBothWays("fixtures nets\(isWhole ? "" : ", small")") { _ in
            try NetsFixtureTests().check { isWhole || Self.small.contains($0.id) }
        }
    }

    @Test func hf() throws {
        try EmulatedCard.runBothWays("fixtures hf") { _ in try HuggingFaceFixtureTests().hf() }
    }
}
