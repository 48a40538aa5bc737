import BSSCore
import BSSTensor
import Testing
import _BSSTestSupport

/// The `ops` group of the reference numbers: forward and backward of every operation.
@Suite(.oneAtATime) struct OpsFixtureTests {
    @Test func ops() throws {
        let failures = try FixtureGroup.run("ops") { item in
            let operation = try OpCase(item)
            guard let outputs = try ElementwiseOpCases.outputs(operation) ?? StructuredOpCases.outputs(operation) else {
                throw BSSError(item.id, "unknown operation \(item.op)")
            }
            return try operation.results(outputs)
        }
        for failure in failures { Issue.record("\(failure)") }
    }
}
