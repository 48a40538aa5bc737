import BSSCore
import BSSLua
import BSSSession
import Glibc

/// `bss-lua nb run|check|export FILE`: `.lua` in the percent format, or `.ipynb`
public enum NotebookCommand {
    private static let output = Argument<String?>("output", default: nil, "where to"),
        relative = Argument(
            "rtol", default: 0.0, "relative difference of numbers that is no difference", check: .atLeast(0)),
        absolute = Argument("atol", default: 0.0, "absolute difference of numbers that is none", check: .atLeast(0)),
        again = Argument("run", default: false, "run it first, even if it has outputs"),
        embed = Argument("embed", default: false, "Markdown: figures in the text, not as files beside it")

    public static var command: ProgramCommand {
        ProgramCommand(
            "nb", "run, check and export notebooks (.lua in the percent format, .ipynb)",
            [
                member("run", "run it and fill in the outputs", [CommandOption(output, short: "-o", value: "FILE")]) {
                    file, call, runner in try run(&file, call, runner, to: call[output] ?? call.operand)
                },
                member(
                    "check", "run it and compare with its outputs (exit 3: differs, 4: none there)",
                    [CommandOption(relative), CommandOption(absolute)]
                ) { file, call, runner in try check(file, call, runner) },
                member(
                    "export", "write it as .ipynb, .html, .md, .qmd or .lua",
                    [CommandOption(output, short: "-o", value: "FILE"), CommandOption(again), CommandOption(embed)]
                ) { file, call, runner in try export(&file, call, runner) },
            ])
    }

    private static func member(
        _ name: String, _ summary: String, _ options: [CommandOption],
        _ body: @escaping (inout NotebookFile, ProgramCommand.Call, CellRunner) throws -> Int32
    ) -> ProgramCommand {
        ProgramCommand(
            name, summary, operand: .init("FILE", .script), options: options, shared: ProgramOption.running,
            takesArguments: true
        ) { call in
            var file = try read(call.operand)
            let runner = CellRunner(try call.state())
            runner.arguments = call.rest.map(Value.string)
            runner.endsCellOnExit = true
            return try body(&file, call, runner)
        }
    }

    private static func read(_ path: String) throws -> NotebookFile {
        let text = try Files.readText(path)
        return Format(path: path) == .ipynb ? try IpynbReader.file(text, path: path) : NotebookFile.parse(text)
    }

    // MARK: run

    private static func run(
        _ file: inout NotebookFile, _ call: ProgramCommand.Call, _ runner: CellRunner, to target: String
    ) throws -> Int32 {
        let (failure, code) = try execute(&file, call, runner)
        if failure?.error.kind == .cancelled {
            note("\(call.operand): interrupted, nothing was written", call)
            return code
        }
        let format = Format(path: target) ?? .lua
        guard format == .ipynb || format == .lua else {
            throw BSSError("-o", "a run is kept as .lua or .ipynb, got '\(target)'", hint: "nb export", kind: .usage)
        }
        try write(format.text(file, title: ""), to: target)
        note(
            "\(target): \(file.codeCells.count) cells"
                + (failure.map { ", stopped at \(place(file.cells[$0.cell]))" } ?? ""), call)
        return code
    }

    private static func place(_ cell: NotebookFile.Cell) -> String { cell.place ?? "line \(cell.line)" }

    /// Runs everything; the error, if any, has been reported.
    private static func execute(
        _ file: inout NotebookFile, _ call: ProgramCommand.Call, _ runner: CellRunner
    ) throws -> (NotebookRun.Failure?, Int32) {
        let text = file.text()
        var notebook = NotebookRun(file, path: call.operand, runner: runner)
        let cells = file.codeCells.map { file.cells[$0] }
        let failure = notebook.run { number, count, outcome in
            let cell = cells[number - 1]
            progress("cell \(number)/\(count)  \(place(cell))  \(Text.fixed(outcome.seconds, 2)) s", call)
        }
        file = notebook.file
        guard let failure else { return (nil, 0) }
        if failure.error.kind != .cancelled {
            let named = file.cells.compactMap { cell in cell.place.map { ($0, cell.source) } }
            let sources = Dictionary([(call.operand, text)] + named, uniquingKeysWith: { first, _ in first })
            Terminal.error("bss-lua: " + ErrorReport.text(failure.error, sources: sources))
        }
        if let code = failure.exitCode { return (failure, code == 0 ? 1 : code) }
        return (failure, ErrorReport.exitCode(failure.error))
    }

    // MARK: check

    private static func check(_ file: NotebookFile, _ call: ProgramCommand.Call, _ runner: CellRunner) throws -> Int32 {
        let check = NotebookCheck(tolerance: Tolerance(relative: call[relative], absolute: call[absolute]))
        let report = check.run(file, path: call.operand, runner: runner) { number, count in
            progress("cell \(number)/\(count)", call)
        }
        print(call.options.json ? JSON.text(.table(table(report, call.operand))) : report.text(call.operand))
        switch report.verdict {
        case .equal: return 0
        case .differs, .stopped: return 3
        case .nothingToCheck: return 4
        case .interrupted:
            return ErrorReport.exitCode(BSSError.cancelled(""), signal: runner.state.lastSignal)
        }
    }

    private static func table(_ report: NotebookCheck.Report, _ path: String) -> Table {
        var fields: [(String, Value)] = [
            ("file", .string(path)), ("compared", .int(report.compared)), ("cells", .int(report.ran)),
            ("unchecked", .int(report.unchecked)),
        ]
        switch report.verdict {
        case .equal: fields.append(("verdict", .string("equal")))
        case .nothingToCheck: fields.append(("verdict", .string("nothing to check")))
        case .interrupted: fields.append(("verdict", .string("interrupted")))
        case .stopped(let line, let code):
            fields += [("verdict", .string("stopped")), ("line", .int(line)), ("exit_code", .int(Int(code)))]
        case .differs(let d):
            fields += [
                ("verdict", .string("differs")), ("cell", .int(d.number)), ("line", .int(d.line)),
                ("output", d.output.map(Value.int) ?? .null),
                ("path", .string(d.value.path)), ("expected", .string(d.value.expected)), ("got", .string(d.value.got)),
            ]
        }
        return Table(fields: fields)
    }

    // MARK: export

    private static func export(
        _ file: inout NotebookFile, _ call: ProgramCommand.Call, _ runner: CellRunner
    ) throws -> Int32 {
        let endings = "a file that ends in .ipynb, .html, .md, .qmd or .lua"
        guard let target = call[output] else {
            throw BSSError("-o", "where to? give \(endings)", kind: .usage)
        }
        guard let format = Format(path: target) else {
            throw BSSError("-o", "expects \(endings), got '\(target)'", kind: .usage)
        }
        guard !call[embed] || format == .md else {
            throw BSSError("--embed", "is about Markdown, got '\(target)'", kind: .usage)
        }
        var code: Int32 = 0
        // Quarto runs the code itself.
        if call[again] || format != .qmd && !file.cells.contains(where: { !$0.outputs.isEmpty }) {
            note("\(call.operand): \(call[again] ? "" : "no outputs yet, ")running it", call)
            let (failure, status) = try execute(&file, call, runner)
            code = status
            if failure?.error.kind == .cancelled { return code }
        }
        guard format == .md else {
            try write(format.text(file, title: title(file, call.operand)), to: target)
            return code
        }
        let name = target.split(separator: "/").last.map { String($0.dropLast(3)) } ?? "figures"
        let made = MarkdownExport.text(file, figures: call[embed] ? nil : "\(name)_files")
        let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? ""
        for picture in made.pictures { try write(picture.svg, to: folder + picture.path) }
        try write(made.text, to: target)
        return code
    }

    public enum Format: String {
        case ipynb, html, md, qmd, lua

        public init?(path: String) {
            guard let dot = path.lastIndex(of: ".") else { return nil }
            self.init(rawValue: String(path[path.index(after: dot)...]).lowercased())
        }

        /// With figures in the text.
        public func text(_ file: NotebookFile, title: String) -> String {
            switch self {
            case .ipynb: return IpynbExport.text(file)
            case .html: return HTMLExport.text(file, title: title)
            case .md: return MarkdownExport.text(file, figures: nil).text
            case .qmd: return QuartoExport.text(file, title: title)
            case .lua: return file.text()
            }
        }
    }

    /// The first heading, or the file's name.
    private static func title(_ file: NotebookFile, _ path: String) -> String {
        for cell in file.cells where cell.kind == .markdown {
            for line in cell.source.split(separator: "\n") where line.hasPrefix("# ") {
                return String(line.dropFirst(2))
            }
        }
        return path.split(separator: "/").last.map(String.init) ?? path
    }

    // MARK: Output

    private static func write(_ text: String, to path: String) throws {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try Files.makeFolder(String(path[..<slash]))
        }
        try Files.write(text, to: path)
    }

    private static func note(_ text: String, _ call: ProgramCommand.Call) {
        if !call.options.quiet { Terminal.error(text + "\n") }
    }

    /// On a terminal only: how far it is.
    private static func progress(_ text: String, _ call: ProgramCommand.Call) {
        if !call.options.quiet, call.options.progress != .none, isatty(STDERR_FILENO) != 0 {
            Terminal.error(text + "\n")
        }
    }
}
