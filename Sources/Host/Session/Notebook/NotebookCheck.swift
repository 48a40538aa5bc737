import BSSCore
import BSSLua

/// Re-runs a notebook from the top and compares what comes with what the file says.
public struct NotebookCheck {
    /// With this tag a cell's outputs are not compared.
    public static let exemptTag = "no-check"

    public struct Difference {
        /// Number of the cell among the code cells, from 1.
        public var number: Int
        /// Line of the cell's first line of code in the file.
        public var line: Int
        /// Which output of the cell, from 1; nil: there are more or fewer than recorded.
        public var output: Int?
        public var value: ValueDifference
    }

    public enum Verdict {
        case equal
        case differs(Difference)
        /// No cell has a typed output.
        case nothingToCheck
        case interrupted
        /// The cell in this line called `os.exit(code)`.
        case stopped(line: Int, code: Int32)
    }

    public struct Report {
        public var verdict: Verdict
        /// Outputs compared and found equal.
        public var compared = 0
        /// Code cells run.
        public var ran = 0
        /// Code cells without recorded outputs, or exempt.
        public var unchecked = 0

        /// One line for equal notebooks; for others the place, what was expected and what came.
        public func text(_ path: String) -> String {
            switch verdict {
            case .equal:
                let rest = unchecked > 0 ? "; nothing recorded in \(unchecked)" : ""
                return "\(path): equal, \(compared) outputs of \(ran) cells\(rest)"
            case .nothingToCheck: return "\(path): no cell has recorded outputs (bss-lua nb run writes them)"
            case .interrupted: return "\(path): interrupted in cell \(ran)"
            case .stopped(let line, let code):
                return
                    "\(path):\(line): cell \(ran) stopped the notebook by os.exit(\(code)); the rest was not checked"
            case .differs(let d):
                let place = [
                    "cell \(d.number)", d.output.map { "output \($0)" }, d.value.path.isEmpty ? nil : d.value.path,
                ].compactMap { $0 }.joined(separator: ", ")
                return "\(path):\(d.line): \(place) differs\n  expected \(d.value.expected)\n  got      \(d.value.got)"
            }
        }
    }

    public var tolerance: Tolerance
    public init(tolerance: Tolerance = Tolerance()) { self.tolerance = tolerance }

    /// Runs `file` with a runner in a fresh state and stops at the first difference.
    public func run(
        _ file: NotebookFile, path: String, runner: CellRunner,
        each: (_ number: Int, _ count: Int) -> Void = { _, _ in }
    ) -> Report {
        var report = Report(verdict: .equal)
        let order = file.codeCells
        guard order.contains(where: { hasRecord(file.cells[$0]) }) else { return Report(verdict: .nothingToCheck) }
        for (n, i) in order.enumerated() {
            let cell = file.cells[i]
            each(n + 1, order.count)
            var outcome = runner.run(cell.source, name: "@" + (cell.place ?? path), line: cell.line)
            let got = runner.outputs(of: &outcome, path: cell.place ?? path)
            report.ran += 1
            if outcome.wasInterrupted {
                report.verdict = .interrupted
                return report
            }
            if let code = outcome.exitCode {
                report.verdict = .stopped(line: cell.line, code: code)
                return report
            }
            func differs(_ output: Int?, _ value: ValueDifference) -> Report {
                report.verdict = .differs(Difference(number: n + 1, line: cell.line, output: output, value: value))
                return report
            }
            if let error = outcome.error, !cell.outputs.contains(where: { $0.kind == .error }),
                !cell.tags.contains(NotebookRun.failureTag)
            {
                return differs(nil, ValueDifference(path: "", expected: "no error", got: "error: \(error.located)"))
            }
            guard hasRecord(cell) else {
                report.unchecked += 1
                continue
            }
            let expected = cell.outputs.filter { $0.kind != .unchecked }
            for k in 0..<min(expected.count, got.count) {
                if let found = difference(expected[k], got[k]) { return differs(k + 1, found) }
                report.compared += 1
            }
            if expected.count != got.count {
                func listed(_ outputs: [CellOutput]) -> String {
                    "\(outputs.count) output\(outputs.count == 1 ? "" : "s")"
                        + (outputs.last.map { ", the last: " + first($0) } ?? "")
                }
                return differs(nil, ValueDifference(path: "", expected: listed(expected), got: listed(got)))
            }
        }
        return report
    }

    private func hasRecord(_ cell: NotebookFile.Cell) -> Bool {
        cell.outputs.contains { $0.kind != .unchecked } && !cell.tags.contains(NotebookCheck.exemptTag)
    }

    private func first(_ output: CellOutput) -> String {
        output.typed ?? output.text.split(separator: "\n").first.map(String.init) ?? ""
    }

    func difference(_ expected: CellOutput, _ got: CellOutput) -> ValueDifference? {
        guard expected.kind == got.kind else {
            return ValueDifference(path: "", expected: first(expected), got: first(got))
        }
        let comparison = ValueComparison(tolerance: tolerance)
        if expected.kind == .stream { return comparison.textDifference(expected: expected.text, got: got.text) }
        if let a = expected.typed, let b = got.typed, let found = comparison.difference(expected: a, got: b) {
            return found
        }
        if expected.svg != nil { return nil }  // a chart as text depends on the display
        return comparison.shownNumbersDifference(
            expected: expected.text, got: got.text, isRounded: expected.typed != got.typed)
    }
}
