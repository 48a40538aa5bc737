import BSSCore
import BSSLuaHost

/// `bss-lua nb run|check|export FILE.lua`
public enum NotebookCommand {
    static let usage = """
        usage: bss-lua nb run FILE.lua [-o OUT.lua]          run every cell; -o writes the file with its outputs
               bss-lua nb check FILE.lua [--tolerance R]     run in a clean state, compare with the recorded outputs
               bss-lua nb export FILE.lua -o OUT             run, then write .ipynb, .md or .html

        """

    /// Exit code 0; 1: a cell failed; 3: `check` found a difference.
    public static func run(_ context: CommandContext) throws -> Int32 {
        var words = context.words
        guard let action = words.first else {
            print(usage, terminator: "")
            return 2
        }
        words.removeFirst()
        let out = try option("-o", &words), tolerance = try option("--tolerance", &words)
        guard words.count == 1 else { throw BSSError("nb \(action)", words.isEmpty ? "which file?" : "unknown word '\(words[1])'", kind: .usage) }
        guard ["run", "check", "export"].contains(action) else {
            throw BSSError("nb", "unknown action '\(action)'", hint: "known: run, check, export", kind: .usage)
        }
        let path = words[0]
        guard Files.exists(path) else { throw BSSError("nb \(action)", "cannot open '\(path)'", kind: .usage) }
        let notebook = Notebook(try Files.readText(path))
        let (state, _) = try context.fresh(context.options)
        switch action {
        case "check":
            let relative = try tolerance.map { text -> Double in
                guard let value = Double(text), value >= 0 else { throw BSSError("--tolerance", "expects a number at least 0, got '\(text)'", kind: .usage) }
                return value
            }
            return check(notebook, state, path, OutputComparison(tolerance: relative ?? 1e-6))
        case "export":
            guard let out else { throw BSSError("nb export", "needs -o OUT.ipynb, OUT.md or OUT.html", kind: .usage) }
            return try export(notebook, state, path, out)
        default: return try execute(notebook, state, path, out)
        }
    }

    private static func option(_ name: String, _ words: inout [String]) throws -> String? {
        guard let at = words.firstIndex(of: name) else { return nil }
        guard at + 1 < words.count else { throw BSSError(name, "needs a value", kind: .usage) }
        defer { words.removeSubrange(at...(at + 1)) }
        return words[at + 1]
    }

    /// Runs the sections in order; stops after the first error.
    private static func evaluate(_ notebook: Notebook, _ state: LuaState, each: (Notebook.Section, Cell?) throws -> Bool) rethrows {
        let session = Session(state, isSilent: true)
        for section in notebook.sections {
            let cell = section.isEmpty || section.kind == .markdown ? nil : session.evaluate(section.text)
            if try !each(section, cell) || cell?.error != nil { return }
        }
    }

    private static func report(_ cell: Cell, _ section: Notebook.Section, _ path: String) {
        guard let error = cell.error else { return }
        Terminal.error("\(path): cell at line \(section.line): " + ErrorReport.text(error, sources: ["cell \(cell.number)": section.text]))
    }

    private static func exitCode(_ cell: Cell?) -> Int32 { cell?.error.map { $0.kind == .cancelled ? 130 : 1 } ?? 0 }

    private static func execute(_ notebook: Notebook, _ state: LuaState, _ path: String, _ out: String?) throws -> Int32 {
        var updated = notebook
        var at = 0
        var code: Int32 = 0
        try evaluate(notebook, state) { section, cell in
            defer { at += 1 }
            guard let cell else { return true }
            for line in cell.output { print(line) }
            report(cell, section, path)
            code = exitCode(cell)
            updated.sections[at].output = cell.output
            return true
        }
        if let out { try Files.write(updated.text, to: out) }
        return code
    }

    private static func check(_ notebook: Notebook, _ state: LuaState, _ path: String, _ comparison: OutputComparison) -> Int32 {
        var checked = 0, silent = 0
        var code: Int32 = 0
        evaluate(notebook, state) { section, cell in
            guard let cell else { return true }
            report(cell, section, path)
            code = exitCode(cell)
            if cell.error != nil { return false }
            if section.output.isEmpty, !cell.output.isEmpty {
                silent += 1  // nothing recorded to compare with
                return true
            }
            if let difference = comparison.difference(section.output, cell.output) {
                Terminal.error("\(path): cell at line \(section.line): \(difference)\n")
                code = 3
                return false
            }
            checked += 1
            return true
        }
        if code == 0 { print("\(path): \(checked) cells agree" + (silent > 0 ? ", \(silent) have no recorded output" : "")) }
        return code
    }

    private static func export(_ notebook: Notebook, _ state: LuaState, _ path: String, _ out: String) throws -> Int32 {
        var executed: [NotebookExport.Executed] = []
        var code: Int32 = 0
        evaluate(notebook, state) { section, cell in
            executed.append((section, cell))
            if let cell { report(cell, section, path) }
            code = exitCode(cell)
            return true
        }
        executed += notebook.sections.dropFirst(executed.count).map { ($0, nil) }
        if out.hasSuffix(".ipynb") {
            try Files.write(NotebookExport.jupyter(executed), to: out)
        } else if out.hasSuffix(".html") {
            try Files.write(NotebookExport.html(executed, title: path), to: out)
        } else if out.hasSuffix(".md") {
            var count = 0
            let text = try NotebookExport.markdown(executed) { svg in
                count += 1
                let file = out.dropLast(3) + "-\(count).svg"
                try Files.write(svg, to: String(file))
                return String(file.split(separator: "/").last!)
            }
            try Files.write(text, to: out)
        } else {
            throw BSSError("nb export", "the format is chosen by the ending: .ipynb, .md or .html; got '\(out)'", kind: .usage)
        }
        return code
    }
}
