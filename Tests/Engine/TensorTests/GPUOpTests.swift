import BSSBackend
import Testing
import _BSSEmulatedCard
import _BSSOpTable
import _BSSTestSupport

/// Every operator on the emulated card: the conformance table and the reference numbers.
@Suite(.oneAtATime) struct GPUOpTests {
    @Test("the table of operators: every dtype, every layout")
    func table() throws {
        try EmulatedCard.runBothWays("op table") { card in
            // Opening and closing the card's memory at every operation takes as long as there is of it.
            card.emptyCache()
            var table = OpTable()
            try table.run(big: false)
            print("op table on the card: \(table.calls) calls, \(table.gradients) gradients")
            #expect(
                table.failures.isEmpty,
                "\(table.failures.count) failures, first: \(table.failures.prefix(20).joined(separator: "\n"))")
        }
    }

    @Test func ops() throws {
        try EmulatedCard.runBothWays("fixtures ops") { _ in try OpsFixtureTests().ops() }
    }

    @Test("numbers of 16 bits round, compute and are kept as on the CPU")
    func halves() throws {
        try EmulatedCard.run("halves") { _ in
            let tests = HalfTests()
            try tests.everyHalfComesBack()
            try tests.roundingIsToTheNearestAndTiesToEven()
            for dtype in [DType.float16, .bfloat16] {
                try tests.operationsGiveSingles(dtype: dtype)
                try tests.gradients(dtype: dtype)
                try tests.conversions(dtype: dtype)
            }
            try tests.numbersBesideHalves()
            try tests.files()
        }
    }
}
