import BSSCore
import Foundation
import Testing

/// Commands and options are declared once: what they accept, refuse, suggest and say of themselves.
@Suite(.oneAtATime) struct CommandTests {
    private func run(_ arguments: [String], _ files: [String: String] = [:]) throws -> BuiltProgram.Outcome {
        let program = try BuiltProgram()
        defer { program.remove() }
        for (name, text) in files { try program.write(name, text) }
        return try program.run(arguments)
    }

    static let declaring = "local p = bss.params{ epochs = 3 }\nprint(p.epochs, ...)"
    static let table = "x,y\n1,2\n2,4\n"
    static let refused: [(words: [String], texts: [String])] = [
        (["plot", "t.csv", "--seed", "3"], ["unknown option '--seed'"]),
        (["plot", "t.csv", "--knd", "bar"], ["unknown option '--knd'", "'--kind'"]),
        (["plot", "t.csv", "--bins", "0"], ["--bins", "from 1 to 10000", "'0'"]),
        (["plot", "t.csv", "u.csv"], ["takes no 'u.csv'"]),
        (["plot", "t.csv", "--title", "--x-log"], ["--title", "needs a value", "--x-log"]),
        (["plot"], ["which file?", "FILE.csv"]), (["plot", "nothing.csv"], ["there is no file 'nothing.csv'"]),
        (["nb", "chek", "s.lua"], ["'check'"]), (["nb", "check", "s.lua", "--run"], ["unknown option '--run'"]),
        (["nb", "run", "s.lua", "--rtol", "1"], ["unknown option '--rtol'"]),
        (["data", "check", "crema_d", "--epochs", "3"], ["unknown option '--epochs'"]),
        (["completions", "tcsh"], ["one of bash, zsh, fish"]), (["repl", "x"], ["takes no 'x'"]),
        (["plo", "t.csv"], ["did you mean the command 'plot'?"]), (["run"], ["which script?"]),
        (["s.lua", "--sed", "3"], ["--sed", "unknown option", "'--seed'"]),
        (["s.lua", "-x"], ["-x", "unknown option"]), (["s.lua", "epochs=4"], ["--set epochs=4"]),
        (["s.lua", "--out", "--quiet"], ["--out", "needs a value", "'--quiet' is an option"]),
        (["--threads", "0", "s.lua"], ["--threads", "an integer from 1 to 1024", "'0'"]),
        (["report", "x", "--format", "pdf"], ["--format", "list of csv, md, tex, svg, got 'pdf'"]),
        (["data", "check", "crema"], ["no dataset 'crema'"]), (["help", "--man", "run"], ["takes no 'run'"]),
        (["help", "--markdown", "bss.train"], ["takes no 'bss.train'"]),
        (["--seed", "18446744073709551615", "s.lua"], ["--seed", "from 0 to 9223372036854775807"]),
        (["."], ["'.' is a folder"]),
        (["--progress", "loud", "s.lua"], ["--progress", "one of auto, plain, json, none"]),
    ]

    @Test("refused with exit code 2 and what would be right", arguments: refused.indices)
    func refuses(index: Int) throws {
        let (words, texts) = Self.refused[index]
        let outcome = try run(words, ["s.lua": Self.declaring, "t.csv": Self.table])
        #expect(outcome.code == 2 && outcome.output.isEmpty, "\(words): \(outcome.summary)")
        for text in texts { #expect(outcome.errors.contains(text), "\(words): \(outcome.errors)") }
    }

    @Test func optionsStandBeforeAndAfterTheScript() throws {
        let files = ["s.lua": Self.declaring, "t.csv": Self.table]
        for words in [
            ["--set", "epochs=5", "s.lua"], ["s.lua", "--set=epochs=5"], ["run", "s.lua", "--set", "epochs=5"],
        ] {
            #expect(try run(words, files).output == "5\n", "\(words)")
        }
        let own = try run(["s.lua", "a", "--", "--sed", "-x", "epochs=4"], files)
        #expect(own.output == "3\ta\t--sed\t-x\tepochs=4\n", "\(own.summary)")
        #expect(try run(["s.lua", "-1.5"], files).output == "3\t-1.5\n")
        let early = try run(["--quiet", "plot", "t.csv", "-o", "t.svg"], files)
        #expect(early.code == 0 && early.errors.isEmpty, "\(early.summary)")
    }

    @Test func helpOfAScriptSaysWhatItTakes() throws {
        let script = """
            #!/usr/bin/env bss-lua
            -- Tries two rates.
            -- Takes a second.

            local p = bss.params{ epochs = 3, name = "x" }
            print("said by the script")
            io.write("and this")
            bss.experiment{ name = "e", params = p,
              arms = { { name = "slow" }, { name = "fast" } }, seeds = 4, metrics = { "y" },
              run = function() error("must not run") end }
            """
        let outcome = try run(["s.lua", "--help"], ["s.lua": script])
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.summary)")
        let parts = ["Tries two rates.\nTakes a second.", "epochs", "3", "\"x\"", "2 arms × 4 seeds", "slow", "fast"]
        for text in parts { #expect(outcome.output.contains(text), "\(outcome.output)") }
        // What the script itself prints is not part of it, and nothing stands twice.
        #expect(!outcome.output.contains("said by") && !outcome.output.contains("and this"))
        #expect(outcome.output.components(separatedBy: "parameters (").count == 2, "\(outcome.output)")
        let training = try run(
            ["s.lua", "--help"], ["s.lua": "-- Trains.\nbss.train{ data = bss.data.mosi{} }\nprint('no')"])
        #expect(training.code == 0 && training.output.hasPrefix("Trains."), "\(training.summary)")
        #expect(!training.output.contains("no\n"))
        #expect(try run(["s.lua", "--help"], ["s.lua": "print(...)"]).output == "--help\n")
    }

    @Test func everyCommandSaysWhatItTakes() throws {
        let usage = try run(["--help"]).output
        for command in [
            "run", "repl", "help", "nb", "data", "plot", "sweep SCRIPT", "sweep status", "completions", "docs", "stubs",
        ] {
            #expect(usage.contains("bss-lua \(command)"), "\(command)")
            let name = String(command.prefix { $0 != " " })
            let help = try run([name, "--help"])
            #expect(help.code == 0 && help.output.contains("bss-lua \(command)"), "\(help.summary)")
            #expect(try run(["help", name]).output == help.output)
        }
        #expect(usage.utf8.split(separator: 10).allSatisfy { $0.count < 180 })
    }

    /// Shells and man read what we write; where one is missing, its check is counted as not run.
    @Test func shellsAndManReadTheDeclarations() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        var ran = 0
        let tools: [(tool: String, words: [String], name: String, check: String)] = [
            (
                "bash", ["completions", "bash"], "c.bash",
                "source c.bash; COMP_WORDS=(bss-lua plot --ki); COMP_CWORD=2; _bss_lua; echo ${COMPREPLY[@]}"
            ),
            ("zsh", ["completions", "zsh"], "c.zsh", "zsh -n c.zsh && echo --kind"),
            ("fish", ["completions", "fish"], "c.fish", "fish -n c.fish && echo --kind"),
            ("man", ["help", "--man"], "c.1", "man --warnings -l c.1 2>&1 | grep -e --kind -e warning:"),
        ]
        for (tool, words, name, check) in tools {
            let text = try program.run(words)
            #expect(text.code == 0 && text.output.contains("kind"), "\(text.summary)")
            try program.write(name, text.output)
            guard try program.shell("command -v \(tool)").code == 0 else { continue }
            ran += 1
            let outcome = try program.shell(check)
            #expect(outcome.output.contains("--kind") && !outcome.output.contains("warning:"), "\(tool): \(outcome)")
        }
        print("completions and man page read by their tools: \(ran) of \(tools.count)")
    }

    @Test("signals: INT 130; TERM, HUP, USR1, USR2: 75", arguments: ["INT", "TERM", "HUP", "USR1", "USR2"])
    func signals(name: String) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write(
            "s.lua", "print('up') io.stdout:flush() while true do pcall(function() while true do end end) end")
        let script = """
            "\(BuiltProgram.path)" s.lua >out 2>err & pid=$!
            for i in $(seq 200); do grep -q up out 2>/dev/null && break; sleep 0.05; done
            kill -\(name) $pid; wait $pid; echo $?
            """
        let outcome = try program.shell(script)
        #expect(outcome.output.hasSuffix(name == "INT" ? "130\n" : "75\n"), "\(outcome)")
    }
}

extension CommandTests {
    @Test func doctorReportsAndTests() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.run(["doctor", "--json", "--data", "/nowhere"])
        let report = try JSON.parse(outcome.output).table ?? Table()
        #expect(outcome.code == 0 && report["failed"]?.int == 0 && report["checks"]?.int == 7, "\(outcome.summary)")
        #expect(report["data"]?.table?["/nowhere"]?.string == "missing")
        for path in [
            "build", "lua", "engine.backend", "engine.instruction_set", "devices.cpu", "sandbox",
            "libraries.libzmq", "libraries.readline", "libraries.gnuplot", "terminal.columns", "terminal.unicode",
        ] {
            #expect(report.value(atPath: path) != nil, "\(path): \(outcome.output)")
        }
        #expect(report.value(atPath: "devices.cpu")?.string?.contains("thread") == true)
        #if !DEBUG
        #expect((report["seconds"]?.double ?? 9) < 5)
        #endif
        #expect(try program.run(["doctor"]).output.contains("build"))
    }
}
