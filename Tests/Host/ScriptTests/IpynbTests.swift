import BSSCore
import Testing
import _BSSTestSupport

/// `nb` reads what Jupyter writes, and writes what each ending asks for.
@Suite(.oneAtATime) struct IpynbTests {
    private func book(_ cells: String, language: String = "lua") -> String {
        """
        {"cells": [\(cells)], "metadata": {"kernelspec": {"name": "x"}, "language_info": {"name": "\(language)"},
         "authors": [{"name": "me"}]}, "nbformat": 4, "nbformat_minor": 5}
        """
    }
    private func code(_ source: String, _ outputs: String = "") -> String {
        "{\"cell_type\": \"code\", \"id\": \"c1\", \"metadata\": {\"tags\": [\"keep\"], \"slide\": \"x\"}, "
            + "\"execution_count\": null, \"outputs\": [\(outputs)], \"source\": \(JSON.text(.string(source)))}"
    }

    @Test("run, check and export take .ipynb; ids, tags and metadata stay")
    func roundTrip() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let folder = program.folder
        func nb(_ words: [String]) throws -> BuiltProgram.Outcome { try program.run(["nb"] + words) }
        let text = "{\"cell_type\": \"markdown\", \"id\": \"m\", \"metadata\": {}, \"source\": [\"# T\\n\", \"x\"]}"
        try Files.write(book(text + "," + code("local a = 4\na + 1")), to: folder + "/n.ipynb")
        #expect(try nb(["run", "--quiet", "n.ipynb"]).code == 0)
        let written = try JSON.parse(Files.readText(folder + "/n.ipynb")).table
        #expect(written?.value(atPath: "metadata.authors.1.name")?.string == "me")
        #expect(written?.value(atPath: "metadata.kernelspec.name")?.string == "bss-lua")
        #expect(written?.value(atPath: "cells.2.id")?.string == "c1")
        #expect(written?.value(atPath: "cells.2.metadata.slide")?.string == "x")
        #expect(written?.value(atPath: "cells.2.metadata.tags.1")?.string == "keep")
        #expect(
            written?.value(atPath: "cells.2.outputs.1.data")?.table?["text/plain"]?.table?.items.first?.string == "5")
        #expect(try nb(["check", "n.ipynb"]).output.hasPrefix("n.ipynb: equal, 1 outputs"))
        #expect(try nb(["export", "--quiet", "n.ipynb", "-o", "n.lua"]).code == 0)
        let lua = try Files.readText(folder + "/n.lua")
        #expect(
            lua.contains("-- %% [markdown]\n-- # T") && lua.contains("a + 1\n--> 5") && lua.contains("tags=[\"keep\"]"))
        #expect(try nb(["export", "--quiet", "n.ipynb", "-o", "n.html"]).code == 0)
    }

    @Test("what a kernel recorded is compared by what it shows; a changed number differs, an error has its cell")
    func recorded() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let folder = program.folder
        func nb(_ words: [String]) throws -> BuiltProgram.Outcome { try program.run(["nb"] + words) }
        func result(_ shown: String) -> String {
            "{\"output_type\": \"execute_result\", \"execution_count\": 1, \"metadata\": {}, "
                + "\"data\": {\"text/plain\": [\"\(shown)\"]}}"
        }
        let stream = "{\"output_type\": \"stream\", \"name\": \"stdout\", \"text\": [\"hi\\n\"]},"
        try Files.write(book(code("print('hi')\n6 * 7", stream + result("42"))), to: folder + "/a.ipynb")
        try Files.write(book(code("print('hi')\n6 * 7", stream + result("43"))), to: folder + "/b.ipynb")
        try Files.write(book(code("x = 1\nerror('no')")), to: folder + "/c.ipynb")
        try Files.write(book(code("1 + 1"), language: "python"), to: folder + "/d.ipynb")
        #expect(try nb(["check", "a.ipynb"]).code == 0)
        #expect(try nb(["check", "b.ipynb"]).code == 3)
        let failed = try nb(["run", "c.ipynb"])
        #expect(failed.code == 1 && failed.errors.contains("c.ipynb, cell 1:2: no"), "\(failed.errors)")
        let foreign = try nb(["run", "d.ipynb"])
        #expect(foreign.code == 8 && foreign.errors.contains("a notebook in python"), "\(foreign.errors)")
    }

    @Test("Markdown has its figures as files beside it, with alternative texts; --embed puts them in")
    func markdown() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let folder = program.folder
        func nb(_ words: [String]) throws -> BuiltProgram.Outcome { try program.run(["nb"] + words) }
        let figure = "bss.plot.line{ x = {1, 2}, y = {1, 4}, title = \"Squares\", x_label = \"n\" }"
        try Files.write("-- %%\n\(figure)\n", to: folder + "/my n.lua")
        #expect(try nb(["export", "--quiet", "my n.lua", "-o", "my n.md"]).code == 0)
        let text = try Files.readText(folder + "/my n.md")
        #expect(text.contains("](my%20n_files/figure-1.svg)") && !text.contains("data:"))
        #expect(text.contains("![line chart of Squares"), "\(text)")
        #expect(try Files.readText(folder + "/my n_files/figure-1.svg").contains("<title>line chart of Squares"))
        #expect(try nb(["export", "--quiet", "--embed", "my n.lua", "-o", "e.md"]).code == 0)
        #expect(try Files.readText(folder + "/e.md").contains("](data:image/svg+xml;base64,"))
        #expect(try nb(["export", "--quiet", "--embed", "my n.lua", "-o", "e.html"]).code == 2)
    }

    @Test("Quarto gets cells that its own run executes, and the title")
    func quarto() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let folder = program.folder
        func nb(_ words: [String]) throws -> BuiltProgram.Outcome { try program.run(["nb"] + words) }
        try Files.write(
            "-- %% [markdown]\n-- # A \"title\"\n--\n-- text\n-- %% tags=[\"raises-exception\"]\nerror('x')\n",
            to: folder + "/n.lua")
        #expect(try nb(["export", "n.lua", "-o", "n.qmd"]).code == 0)
        #expect(
            try Files.readText(folder + "/n.qmd") == """
                ---
                title: "A \\"title\\""
                jupyter: bss-lua
                ---

                text

                ```{lua}
                --| tags: ["raises-exception"]
                --| error: true
                error('x')
                ```

                """)
        let wrong = try nb(["export", "n.lua", "-o", "n.pdf"])
        #expect(wrong.code == 2 && wrong.errors.contains(".qmd"))
    }
}
