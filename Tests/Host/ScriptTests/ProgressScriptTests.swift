import BSSCore
import Testing
import _BSSTestSupport

/// What experiments say in a log, and what `--resume` says of earlier runs.
@Suite(.oneAtATime) struct ProgressScriptTests {
    private static let script = """
        -- A comment.
        local exp = bss.experiment{
          name = "demo", params = { epochs = 2 }, arms = { { name = "one" }, { name = "two" } }, seeds = 2,
          metrics = { "test.total.accuracy" },
          run = function(p, arm, seed)
            return bss.train{ data = bss.data.synthetic{ samples = 200 }, epochs = p.epochs, seed = seed }
          end,
        }
        """

    private func program(_ text: String = script) throws -> BuiltProgram {
        let program = try BuiltProgram()
        try program.write("e.lua", text)
        return program
    }

    @Test("off a terminal one plain line per finished run, and never an escape code")
    func plain() throws {
        let program = try program()
        defer { program.remove() }
        let outcome = try program.run(["--out", "o", "e.lua"])
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.count == 4 && !outcome.errors.contains("\u{1B}") && !outcome.errors.contains("\r"))
        for (k, line) in lines.enumerated() {
            let run = ["one, seed 1", "one, seed 2", "two, seed 1", "two, seed 2"][k]
            #expect(line.hasPrefix("demo \(k + 1)/4  \(run): test.total.accuracy 0."), "\(line)")
        }
        #expect(try program.run(["--out", "o", "e.lua"]).errors == "demo: reused 4 of 4\n")
        #expect(try program.run(["--quiet", "--out", "p", "e.lua"]).errors.isEmpty)
        let json = try program.run(["--progress", "json", "--out", "q", "e.lua"]).errors.split(separator: "\n")
        let events = try json.map { try JSON.parse(String($0)).table }.filter { $0?["event"]?.string == "run" }
        #expect(events.count == 4 && events[3]?["done"]?.int == 4 && events[3]?["id"]?.string?.count == 12)
    }

    @Test("at least every so many seconds a line, over the experiment and whatever the script does")
    func heartbeat() throws {
        let program = try program(
            """
            bss.experiment{ name = "slow", arms = { { name = "one" } }, metrics = { "y" }, seeds = 1,
              run = function()
                local t = bss.clock()
                while bss.clock() - t < 1.6 do end
                bss.train{ data = bss.data.synthetic{ samples = 200 }, epochs = 1 }
                return { y = 1 }
              end }
            """)
        defer { program.remove() }
        let outcome = try program.run(["--out", "o", "e.lua"], environment: ["BSS_PROGRESS_SECONDS": "0.4"])
        let lines = outcome.errors.split(separator: "\n")
        #expect((3...6).contains(lines.count) && lines[0].hasPrefix("slow 0/1  one, seed 1"), "\(outcome.errors)")
    }

    @Test("workers of a sweep: a line per finished run")
    func sweep() throws {
        let program = try program()
        defer { program.remove() }
        let outcome = try program.run(["-j", "2", "--out", "o", "e.lua"])
        let runs = outcome.errors.split(separator: "\n").filter { $0.contains("of 4 done") }
        #expect(outcome.code == 0 && runs.count == 4 && !outcome.errors.contains("\u{1B}"), "\(outcome.summary)")
    }

    @Test("Ctrl-C in a redirected log writes no escape code")
    func interrupted() throws {
        let program = try program(Self.script.replacing("epochs = 2", with: "epochs = 20000"))
        defer { program.remove() }
        let outcome = try program.run(["--out", "o", "e.lua"], interrupt: (1.5, 2))
        #expect(outcome.code == 130 && outcome.errors.contains("stopped in epoch"), "\(outcome.summary)")
        #expect(!outcome.errors.contains("\u{1B}"), "\(outcome.errors)")
    }

    @Test("--resume says what it reused and why not; comments and white space do not count")
    func resume() throws {
        let program = try program()
        defer { program.remove() }
        func errors(_ options: String...) throws -> String {
            try program.run(["--out", "o", "--resume"] + options + ["e.lua"]).errors
        }
        #expect(try errors().hasPrefix("demo: reused 0 of 4: there is no earlier plan 'demo' in o\n"))
        // Other comments, other white space: the same tokens.
        try program.write(
            "e.lua", "\n\n" + Self.script.replacing("A comment", with: "Another").replacing(" = ", with: "="))
        #expect(try errors() == "demo: reused 4 of 4\n")
        try program.write("e.lua", Self.script.replacing("samples = 200", with: "samples = 220"))
        #expect(
            try errors().hasPrefix("demo: reused 0 of 4: the script changed (tokens differ at line 6)\n"))
        #expect(try errors("--set", "epochs=3").hasPrefix("demo: reused 0 of 4: epochs = 3, was 2\n"))
        #expect(
            try errors("--set", "seeds=3", "--set", "epochs=3").hasPrefix("demo: reused 4 of 6: 2 not planned before\n")
        )
        #expect(try errors("--set", "seeds=3", "--set", "epochs=3") == "demo: reused 6 of 6\n")
    }

    @Test("a module that changed is named with its line, also one beside the script's folder")
    func modules() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        for folder in ["study", "lib"] { try Files.makeFolder("\(program.folder)/\(folder)") }
        let find =
            "package.path = (arg[0]:match \"^(.*/)\") .. \"../?.lua;\" .. package.path\n"
            + "local samples = require \"lib.sizes\"\n"
        try program.write("lib/sizes.lua", "local sizes = { 200 }\nreturn sizes[1]")
        try program.write("study/e.lua", find + Self.script.replacing("samples = 200", with: "samples = samples"))
        func errors() throws -> String { try program.run(["--out", "o", "--resume", "study/e.lua"]).errors }
        _ = try errors()
        try program.write("lib/sizes.lua", "local sizes = { 200 }\nreturn sizes[1] + 20")
        let words = "demo: reused 0 of 4: 'sizes.lua' changed (tokens differ at line 2)\n"
        let told = try errors()
        #expect(told.hasPrefix(words), "\(told)")
    }

    @Test("--resume names the parameter of bss.params that changed")
    func parameters() throws {
        let text =
            "local given = bss.params{ epochs = 2 }\n"
            + Self.script.replacing("p.epochs", with: "given.epochs").replacing("params = { epochs = 2 }, ", with: "")
        let program = try program(text)
        defer { program.remove() }
        _ = try program.run(["--out", "o", "e.lua"])
        let changed = try program.run(["--out", "o", "--resume", "--set", "epochs=3", "e.lua"])
        #expect(changed.errors.hasPrefix("demo: reused 0 of 4: epochs = 3, was 2\n"), "\(changed.summary)")
    }
}
