import BSSStatistics

/// Permutation tests by what they were made of: the forms of a table (text, CSV, LaTeX, Markdown) ask the same ones.
final class KnownTests {
    private struct Question: Hashable {
        let x: [Double]
        let y: [Double]
        let isPaired: Bool
    }
    private var known: [Question: Statistics.TestResult] = [:]

    /// - Throws: cancellation.
    func result(_ x: [Double], _ y: [Double], isPaired: Bool) throws -> Statistics.TestResult {
        let question = Question(x: x, y: y, isPaired: isPaired)
        if let result = known[question] { return result }
        let result = try isPaired ? Statistics.pairedPermutationTest(x, y) : Statistics.permutationTest(x, y)
        known[question] = result
        return result
    }
}
