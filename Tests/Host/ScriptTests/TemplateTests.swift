import BSSCore
import Testing

/// What `bss-lua new` writes runs as it stands, and never over something.
@Suite struct TemplateTests {
    @Test(arguments: ["pace", "scheduler", "criterion", "loss", "method", "experiment", "notebook"])
    func everyTemplateRuns(_ kind: String) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let made = try program.run(["new", kind, "mine"])
        #expect(made.code == 0 && made.output.hasPrefix("mine.lua"), "\(made.summary)")
        let run = try program.run(kind == "notebook" ? ["nb", "run", "mine.lua"] : ["--quiet", "mine.lua"])
        #expect(run.code == 0, "\(run.summary)")
        let again = try program.run(["new", kind, "mine"])
        #expect(again.code == 2 && again.errors.contains("--force"), "\(again.summary)")
    }

    @Test func namesAreNamesOfVariables() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        for name in ["9x", "a-b", "end", "a b", "é"] {
            let run = try program.run(["new", "pace", name])
            #expect(run.code == 2 && run.errors.contains("no name for a variable"), "\(name): \(run.summary)")
        }
    }

    @Test func siteAndStubsAreWritten() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let docs = try program.run(["docs", "-o", "site", "--guide", GuideTests.folder])
        #expect(docs.code == 0 && Files.exists("\(program.folder)/site/first-hour.html"), "\(docs.summary)")
        #expect(Files.exists("\(program.folder)/site/search.js"))
        let stubs = try program.run(["stubs", "-o", "library"])
        #expect(stubs.code == 0, "\(stubs.summary)")
        let text = try Files.readText("\(program.folder)/library/bss.lua")
        #expect(text.hasPrefix("---@meta bss\n"))
    }
}
