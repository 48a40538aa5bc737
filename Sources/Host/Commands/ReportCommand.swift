import BSSArtifact
import BSSCore
import BSSLua
import BSSPlot
import BSSRuns

/// `bss-lua report DIR`: tables, figures and numbers of a folder of results, for a paper; and whether a paper's numbers
/// are among them.
public enum ReportCommand {
    enum Form: String, CaseIterable { case csv, md, tex, svg }

    private static let output = Argument<String?>("output", default: nil, "a folder; by default DIR/report"),
        formats = Argument<[OneOf<Form>]>(
            "format", default: Form.allCases.map { OneOf($0) }, "csv, md, tex, svg, between commas"),
        check = Argument<String?>("check", default: nil, "a LaTeX file: its numbers that no result gave (exit 3)")

    public static var command: ProgramCommand {
        ProgramCommand(
            "report", "tables, figures and numbers of a folder of results for a paper", operand: .init("DIR", .word),
            options: [
                CommandOption(output, short: "-o", value: "DIR"), CommandOption(formats),
                CommandOption(check, value: "FILE.tex"),
            ], shared: [ProgramOption.quiet, ProgramOption.json]
        ) { call in
            let experiments = try ExperimentRecord.all(in: call.operand)
            guard !experiments.isEmpty else {
                throw BSSError(
                    "report", "'\(call.operand)' holds no finished experiment",
                    hint: "run a script with bss.experiment and --out DIR first", kind: .usage)
            }
            let numbers = try ReportedNumbers(experiments)
            if let file = call[check] { return try self.check(file, numbers, call) }
            let folder = call[output] ?? call.operand + "/report"
            let files = try experiments.flatMap { try write($0, call[formats].map(\.value), to: folder) }
            let hasMacros = call[formats].contains { $0.value == .tex }
            if hasMacros { try Files.write(numbers.macros, to: folder + "/numbers.tex") }
            let all = files + (hasMacros ? [folder + "/numbers.tex"] : [])
            print(call.options.json ? JSON.text(.list(all)) : all.joined(separator: "\n"))
            for experiment in experiments where !call.options.quiet && !call.options.json {
                print("\n" + (try experiment.table.text() + experiment.claimsText()), terminator: "")
            }
            return 0
        }
    }

    private static func write(_ experiment: ExperimentRecord, _ forms: [Form], to folder: String) throws -> [String] {
        try Files.makeFolder(folder)
        let table = experiment.table
        let path = "\(folder)/\(RunStore.fileName(experiment.name))"
        return try forms.flatMap { form -> [String] in
            let file = "\(path).\(form.rawValue)"
            switch form {
            case .csv: try Files.write(try table.csv(), to: file)
            case .md: try Files.write(try table.markdown() + "\n" + experiment.claimsText(), to: file)
            case .tex: try Files.write(try table.latex(), to: file)
            case .svg:
                return try table.metrics.enumerated().flatMap { number, metric in
                    var figure = Figure(title: table.title, kind: .box)
                    figure.yLabel = metric
                    figure.series = table.rows.map { Figure.Series(name: $0.name, y: $0.values[metric] ?? []) }
                    return try figure.save("\(path)-\(number + 1).svg")
                }
            }
            return [file]
        }
    }

    private static func check(_ file: String, _ numbers: ReportedNumbers, _ call: ProgramCommand.Call) throws -> Int32 {
        guard Files.isFile(file) else { throw BSSError("--check", "there is no file '\(file)'", kind: .usage) }
        let check = PaperCheck(try Files.readText(file), numbers)
        if call.options.json {
            let findings = check.findings.map {
                Value.fields([("line", .int($0.line)), ("text", .string($0.text))])
            }
            print(JSON.text(.fields([("checked", .int(check.checked)), ("without_source", .list(findings))])))
        } else {
            for finding in check.findings { print("\(file):\(finding.line): \(Text.shown(finding.text))") }
            print("\(check.checked) numbers looked at, \(check.findings.count) without a source")
        }
        return check.findings.isEmpty ? 0 : 3
    }
}
