import BSSCore
import BSSRuns
import Testing

@testable import BSSArtifact

/// Numbers of a LaTeX text against those of experiments.
@Suite struct PaperCheckTests {
    private func numbers() throws -> ReportedNumbers {
        func row(_ name: String, _ values: [Double]) -> ExperimentRecord.Row {
            let answers = values.enumerated().map {
                ExperimentRecord.Answer(
                    seed: $0.offset, runs: ["\(name)\($0.offset)"], isRun: true, values: ["acc": $0.element], facts: [:]
                )
            }
            return .init(name: name, arm: Table(), answers: answers)
        }
        let record = ExperimentRecord(
            name: "t3", title: "Table 3", metrics: ["acc"], control: "uniform order",
            rows: [row("uniform order", [0.8724, 0.8750, 0.8698]), row("BSS-L, Loss", [0.8844, 0.8846, 0.8848])])
        return try ReportedNumbers([record])
    }

    private func found(_ text: String) throws -> [String] { try PaperCheck(text, numbers()).findings.map(\.text) }

    @Test("macros have every mean, spread, difference and count; a slug for names")
    func macros() throws {
        let text = try numbers().macros
        #expect(text.contains(#"\expandafter\def\csname bss@t3.acc.BSS-L-Loss\endcsname{0.8846}"#), "\(text)")
        #expect(text.contains("bss@t3.acc.uniform-order.seeds\\endcsname{3}"))
        #expect(text.contains("bss@t3.acc.BSS-L-Loss.difference\\endcsname{0.0122}"))
        #expect(text.contains("% runs of t3, uniform order: uniform order0 uniform order1"))
    }

    @Test("a number is found as it is rounded, as a share or in percent; one digit off it is not")
    func literals() throws {
        #expect(
            try found("BSS-L reaches 0.8846, 88.5\\%, or $88.46$ against 87.2\\,\\% (+1.2 points, p = 0.25).") == [])
        #expect(try found("BSS-L reaches 0.8847.") == ["0.8847 has no source"])
        #expect(try found("It reaches 91\\%.") == ["91% has no source"])
        #expect(try found("\\bssnum{t3.acc.BSS-L-Loss} and \\bssnum{t3.acc.BSS-L-Los}").count == 1)
    }

    @Test("what is no result is not looked at")
    func silence() throws {
        let text = """
            \\documentclass[11.5pt]{article} % 0.123
            \\includegraphics[width=0.48\\textwidth]{fig1.2.pdf} \\vspace{1.5em}
            See Section~\\ref{sec:1.5}, version 1.2.3, 12 runs, \\cite{x2020.5}, x_0.5, lambda0.3
            The authors report 74.25. % cited
            """
        #expect(try found(text) == [])
    }
}
