import BSSCore
import BSSSession
import Foundation
import Testing
import _BSSTestSupport

/// `bss-lua nb …` as users run it.
@Suite(.oneAtATime, .serialized) struct NotebookProgramTests {
    struct Outcome {
        var code: Int32
        var output: String
        var errors: String
        var seconds: Double
    }

    /// Beside the test bundle: both are products of one build.
    static let program: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let folders = ([own] + CommandLine.arguments).map {
            $0.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        }
        return folders.map { $0 + "/bss-lua" }.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "bss-lua"
    }()

    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.path + "/nb-\(UUID().uuidString)"
        try Files.makeFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func run(_ folder: String, _ arguments: [String], interruptAfter: Double? = nil) throws -> Outcome {
        let child = Process()
        child.executableURL = URL(fileURLWithPath: NotebookProgramTests.program)
        child.arguments = arguments
        child.currentDirectoryURL = URL(fileURLWithPath: folder)
        for name in ["out", "err"] { _ = FileManager.default.createFile(atPath: "\(folder)/.\(name)", contents: nil) }
        child.standardOutput = FileHandle(forWritingAtPath: "\(folder)/.out")
        child.standardError = FileHandle(forWritingAtPath: "\(folder)/.err")
        child.standardInput = FileHandle.nullDevice
        let start = Date()
        try child.run()
        var sent: Date?
        while child.isRunning {
            if let interruptAfter, sent == nil, Date().timeIntervalSince(start) > interruptAfter {
                kill(child.processIdentifier, SIGINT)
                sent = Date()
            }
            if Date().timeIntervalSince(start) > 60 { kill(child.processIdentifier, SIGKILL) }
            usleep(2000)
        }
        child.waitUntilExit()
        return Outcome(
            code: child.terminationStatus, output: try Files.readText("\(folder)/.out"),
            errors: try Files.readText("\(folder)/.err"),
            seconds: Date().timeIntervalSince(sent ?? start))
    }

    /// The example notebook gives what it recorded (to the digits that other instruction sets may change), and exports.
    @Test func tourHoldsAndExports() throws {
        let root = Repository.root
        try inFolder { folder in
            let checked = try run(
                folder, ["nb", "check", "\(root)/experiments/tour.lua", "--rtol", "0.1", "--atol", "0.05"])
            #expect(checked.code == 0, "\(checked)")
            let exported = try run(folder, ["nb", "export", "\(root)/experiments/tour.lua", "-o", "tour.ipynb"])
            #expect(exported.code == 0, "\(exported)")
            let book =
                try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: folder + "/tour.ipynb")))
                as? [String: Any]
            let cells = book?["cells"] as? [[String: Any]] ?? []
            #expect(book?["nbformat"] as? Int == 4 && book?["nbformat_minor"] as? Int == 5 && cells.count >= 10)
            #expect(Set(cells.compactMap { $0["id"] as? String }).count == cells.count)
            let outputs = cells.flatMap { $0["outputs"] as? [[String: Any]] ?? [] }
            #expect(outputs.contains { ($0["data"] as? [String: Any])?["image/svg+xml"] != nil })
        }
    }

    @Test func runCheckAndExport() throws {
        try inFolder { folder in
            try Files.write(Notebooks.example, to: "\(folder)/a.lua")
            #expect(try run(folder, ["nb", "check", "a.lua"]).code == 4)
            let filling = try run(folder, ["nb", "run", "a.lua", "-o", "sub/b.lua"])
            #expect(filling.code == 0 && filling.output.isEmpty, "\(filling)")
            #expect(try Files.readText("\(folder)/a.lua") == Notebooks.example)
            let equal = try run(folder, ["nb", "check", "sub/b.lua"])
            #expect(equal.code == 0 && equal.output == "sub/b.lua: equal, 8 outputs of 8 cells\n", "\(equal)")
            // The filled file is a plain script with the same output.
            let plain = try run(folder, ["--quiet", "sub/b.lua"])
            #expect(plain.code == 0 && plain.output == "rate\t0.1\n", "\(plain)")
            let text = try Files.readText("\(folder)/sub/b.lua")
            try Files.write(
                try Notebooks.replacing("0.8125", "0.8126", in: text, after: "\"accuracy\":"), to: "\(folder)/c.lua")
            let different = try run(folder, ["nb", "check", "c.lua"])
            let line = 1 + (text.components(separatedBy: "_ = { accuracy").first ?? "").filter { $0 == "\n" }.count
            #expect(
                different.code == 3
                    && different.output
                        == """
                        c.lua:\(line): cell 4, output 1, value.fields.accuracy differs
                          expected 0.8126
                          got      0.8125

                        """,
                "\(different)")
            #expect(try run(folder, ["nb", "check", "--rtol", "1e-3", "c.lua"]).code == 0)
            #expect(try JSON.parse(run(folder, ["nb", "check", "--json", "c.lua"]).output).table?["cell"]?.int == 4)
            for (name, start) in [
                ("x.ipynb", "{\n \"cells\": ["), ("x.html", "<!DOCTYPE html>"), ("x.md", "# An example"),
            ] {
                #expect(try run(folder, ["nb", "export", "sub/b.lua", "-o", name]).code == 0)
                #expect(try Files.readText("\(folder)/\(name)").hasPrefix(start))
            }
            // Without outputs it is run first; the result is the same.
            #expect(try run(folder, ["nb", "export", "a.lua", "-o=y.ipynb"]).code == 0)
            #expect(try Files.readText("\(folder)/y.ipynb") == Files.readText("\(folder)/x.ipynb"))
        }
    }

    /// `os.exit` ends the notebook, not the program that runs it: what there is stays, and the exit code tells.
    @Test(arguments: ["os.exit(0)", "pcall(os.exit, 0)", "os.exit(true)"])
    func exitInACellStopsTheNotebook(call: String) throws {
        try inFolder { folder in
            let text = "-- %%\nprint('first')\n-- %%\nprint('second') \(call)\n-- %%\nprint('never')\n"
            try Files.write(text, to: "\(folder)/a.lua")
            let ran = try run(folder, ["nb", "run", "a.lua", "-o", "b.lua"])
            #expect(ran.code == 1 && ran.errors.contains("stopped"), "\(ran)")
            let filled = try Files.readText("\(folder)/b.lua")
            #expect(filled.contains("--> first") && filled.contains("--> second") && !filled.contains("--> never"))
            let checked = try run(folder, ["nb", "check", "b.lua"])
            #expect(checked.code == 3 && checked.output.contains("stopped the notebook by os.exit(0)"), "\(checked)")
            try Files.write(text.replacingOccurrences(of: call, with: "os.exit(7)"), to: "\(folder)/a.lua")
            #expect(try run(folder, ["nb", "run", "a.lua"]).code == 7)
        }
    }

    @Test func runKeepsModeAndLink() throws {
        try inFolder { folder in
            try Files.write("-- %%\n_ = 2\n", to: "\(folder)/real.lua", mode: 0o640)
            #expect(chmod("\(folder)/real.lua", 0o750) == 0 && symlink("real.lua", "\(folder)/link.lua") == 0)
            #expect(try run(folder, ["nb", "run", "link.lua"]).code == 0)
            #expect(try Files.readText("\(folder)/real.lua").contains("--> 2"))
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/link.lua") == "real.lua")
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/real.lua")
            #expect(attributes[.posixPermissions] as? Int == 0o750)
        }
    }

    @Test func lengthAndEqualSignInCells() throws {
        try inFolder { folder in
            try Files.write("-- %%\nx = { 1, 2 }\n-- %%\n#x\n-- %%\n=x[1]\n", to: "\(folder)/a.lua")
            #expect(try run(folder, ["nb", "run", "a.lua"]).code == 0)
            let filled = try Files.readText("\(folder)/a.lua")
            #expect(filled.contains("#x\n--> 2\n") && filled.contains("=x[1]\n--> 1\n"), "\(filled)")
        }
    }

    @Test func wrongUse() throws {
        try inFolder { folder in
            try Files.write("-- %%\nx = 1\n", to: "\(folder)/a.lua")
            for arguments in [
                ["nb"], ["nb", "rum", "a.lua"], ["nb", "run"], ["nb", "run", "none.lua"], ["nb", "export", "a.lua"],
                ["nb", "export", "a.lua", "-o", "a.txt"], ["nb", "check", "a.lua", "--rtol"],
                ["nb", "check", "--sed", "1", "a.lua"],
            ] {
                let outcome = try run(folder, arguments)
                #expect(
                    outcome.code == 2 && outcome.errors.hasPrefix("bss-lua: ") && outcome.output.isEmpty,
                    "\(arguments): \(outcome)")
            }
            try Files.write("-- %%\n_ = 1\n--> 1\n--= {\"kind\":\"integer\",\"value\":1}\n", to: "\(folder)/b.lua")
            #expect(try run(folder, ["nb", "check", "b.lua", "--rtol", "-1"]).code == 2)
        }
    }

    @Test func anErrorIsReportedInPlace() throws {
        try inFolder { folder in
            try Files.write(
                "-- %%\nprint(1)\n-- %%\nlocal t = nil\nprint(t.x)\n-- %%\nprint(3)\n", to: "\(folder)/a.lua")
            let outcome = try run(folder, ["nb", "run", "a.lua"])
            #expect(
                outcome.code == 1 && outcome.errors.contains("a.lua:5: ") && outcome.errors.contains("| print(t.x)")
                    && outcome.errors.contains("a.lua:5, in the cell"), "\(outcome)")
            let text = try Files.readText("\(folder)/a.lua")
            #expect(
                text.contains("--> 1\n") && text.contains("--> error: attempt to index a nil value (local 't')")
                    && !text.contains("--> 3"))
        }
    }

    @Test("Ctrl-C in a cell ends the run at once and leaves the file as it was") func interrupt() throws {
        try inFolder { folder in
            let text =
                """
                -- %%
                print(1)
                --> 1
                --= {"kind":"text"}
                -- %%
                while true do pcall(function() while true do end end) end

                """
            try Files.write(text, to: "\(folder)/a.lua")
            for action in ["run", "check"] {
                let outcome = try run(folder, ["nb", action, "a.lua"], interruptAfter: 0.5)
                #expect(outcome.code == 130 && outcome.seconds < 0.2, "\(outcome)")
                #expect(try Files.readText("\(folder)/a.lua") == text)
            }
        }
    }

    @Test("options of a script run count: arguments, --set, the strict check of globals") func options() throws {
        try inFolder { folder in
            try Files.write(
                "-- %%\nlocal p = bss.params{ n = 1 }\nmade = 1\n-- %%\n_ = { p.n, ..., arg[1] }\n",
                to: "\(folder)/a.lua")
            let outcome = try run(folder, ["nb", "run", "--set", "n=4", "a.lua", "word"])
            #expect(outcome.code == 0 && !outcome.errors.contains("warning"), "\(outcome)")
            #expect(try Files.readText("\(folder)/a.lua").contains("\"value\":[4,\"word\",\"word\"]"))
            try Files.write("-- %%\nprint(misspelt)\n", to: "\(folder)/b.lua")
            let strict = try run(folder, ["nb", "run", "b.lua"])
            #expect(strict.code == 1 && strict.errors.contains("undeclared variable 'misspelt'"))
            #expect(try run(folder, ["nb", "run", "--set", "m=4", "a.lua"]).code == 2)
        }
    }
}
