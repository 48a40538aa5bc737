import BSSCore
import Testing
import _BSSTestSupport

/// What a folder of results keeps of a script beside its runs: all that it printed, and its text.
@Suite(.oneAtATime) struct ScriptOutputTests {
    private static let script = """
        print("before")
        local d = bss.data.synthetic{ samples = 120, classes = 3 }
        local run = bss.train{ data = d, epochs = 2, on_epoch = function(e) print("epoch " .. e.epoch) end }
        io.write("after\\n")
        print(bss.experiment{ name = "two", arms = { { name = "a" } }, seeds = 1, metrics = { "y" },
          run = function() print("inside") return { y = 1 } end }.name)
        """

    @Test("a run keeps what it printed while it trained, the script's file everything, also when runs are reused")
    func everythingPrinted() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write("s.lua", ScriptOutputTests.script)
        for _ in 0..<2 {
            let outcome = try program.run(["--quiet", "--out", "o", "s.lua"])
            #expect(outcome.code == 0, "\(outcome.summary)")
            #expect(try Files.readText("\(program.folder)/o/results/output/s.txt") == outcome.output)
            #expect(outcome.output.hasPrefix("before\nepoch 1\nepoch 2\nafter\ninside\n"))
        }
        let run = try Files.list("\(program.folder)/o/runs").map { "\(program.folder)/o/runs/\($0)/output.txt" }
        #expect(try run.filter(Files.exists).map(Files.readText).contains("epoch 1\nepoch 2\n"))
    }

    @Test("a script that fails leaves what it had printed")
    func failing() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write("s.lua", ScriptOutputTests.script + "\nerror('no')\n")
        let outcome = try program.run(["--quiet", "--out", "o", "s.lua"])
        #expect(outcome.code == 1)
        #expect(try Files.readText("\(program.folder)/o/results/output/s.txt") == outcome.output)
    }

    @Test("sources have one form, and reasons name the line or the other script")
    func sources() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        func run(_ name: String, _ value: Int) throws -> String {
            try program.write(
                name,
                """
                local value = \(value)
                bss.experiment{ name = "demo", arms = { { name = "one" } }, seeds = 1, metrics = { "y" },
                  run = function(_, _, seed)
                    bss.train{ data = bss.data.synthetic{ samples = 120 }, epochs = 1, seed = seed }
                    return { y = value }
                  end }
                """)
            return try program.run(["--out", "o", name]).errors
        }
        _ = try run("e.lua", 1)
        #expect(try run("e.lua", 2).contains("reused 0 of 1: the script changed (tokens differ at line 1)"))
        #expect(try run("f.lua", 2).contains("reused 0 of 1: the script is 'f.lua', was 'e.lua'"))
        #expect(try run("e.lua", 3).contains("tokens differ at line 1"))
        let kept = try Files.list("\(program.folder)/o/sources")
        #expect(kept.count == 4 && kept.allSatisfy { Files.isFolder("\(program.folder)/o/sources/\($0)") }, "\(kept)")
    }

    @Test("the page about files names every field of a record")
    func fieldsAreDocumented() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write("s.lua", ScriptOutputTests.script)
        #expect(try program.run(["--quiet", "--out", "o", "s.lua"]).code == 0)
        let page = try Files.readText(GuideTests.folder + "/files.lua")
        for id in try Files.list("\(program.folder)/o/runs")
        where Files.exists("\(program.folder)/o/runs/\(id)/run.json") {
            for key in try program.read("o/runs/\(id)/run.json").keys where key != "returned" {
                #expect(page.contains("`\(key)`"), "\(key)")
            }
        }
    }
}
