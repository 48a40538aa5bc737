import Testing
import _BSSOpTable
import _BSSTestSupport

/// Every operator × dtype × layout, generated from the declarations; scripts/check-asan runs the same under sanitizers.
@Suite(.oneAtATime) struct OpTableTests {
    @Test("every operator on every dtype and layout: the right value or one clear error")
    func table() throws {
        var table = OpTable()
        try table.run()
        print("op table: \(table.calls) calls, \(table.refusals) refused, \(table.gradients) gradients")
        #expect(
            table.failures.isEmpty,
            "\(table.failures.count) failures, first: \(table.failures.prefix(20).joined(separator: "\n"))")
        #expect(table.calls > 20_000)
    }
}
