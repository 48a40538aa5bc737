import BSSCore
import BSSNotebook
import BSSSession
import Foundation
import Testing
import _BSSTestSupport

@Suite(.oneAtATime, .serialized) struct ExportTests {
    private func example() throws -> NotebookFile {
        NotebookFile.parse(
            try Notebooks.filled(
                Notebooks.example
                    + """
                    -- %% [raw]
                    -- raw & text
                    -- %% tags=["raises-exception"]
                    error('<boom>')
                    -- %%

                    -- %%
                    print('a < b & "c"')

                    """
            ))
    }

    @Test("the structure of nbformat 4.5, checked by hand") func ipynb() throws {
        let file = try example()
        let text = IpynbExport.text(file)
        #expect(text == IpynbExport.text(file))  // nothing of the moment in it
        let book = try #require(try JSON.parse(text).table)
        #expect(
            Set(book.keys) == ["cells", "metadata", "nbformat", "nbformat_minor"] && book["nbformat"]?.int == 4
                && book["nbformat_minor"]?.int == 5)
        #expect(
            book.value(atPath: "metadata.kernelspec.name")?.string == "bss-lua"
                && book.value(atPath: "metadata.language_info.name")?.string == "lua")
        let cells = try #require(book["cells"]?.table).items.compactMap(\.table)
        #expect(cells.count == 12)
        let ids = cells.compactMap { $0["id"]?.string }
        #expect(
            Set(ids).count == cells.count
                && ids.allSatisfy { (1...64).contains($0.count) && $0.allSatisfy { $0.isHexDigit } })
        var kinds: [String: Int] = [:]
        for cell in cells {
            let type = try #require(cell["cell_type"]?.string)
            let source = try #require(cell["source"]?.table).items.compactMap(\.string)
            #expect(
                !source.isEmpty && source.dropLast().allSatisfy { $0.hasSuffix("\n") }
                    && source.last?.hasSuffix("\n") == false)
            #expect(
                Set(cell.keys)
                    == (type == "code"
                        ? ["cell_type", "execution_count", "id", "metadata", "outputs", "source"]
                        : ["cell_type", "id", "metadata", "source"]))
            for output in cell["outputs"]?.table?.items.compactMap(\.table) ?? [] {
                let kind = try #require(output["output_type"]?.string)
                kinds[kind, default: 0] += 1
                switch kind {
                case "stream":
                    #expect(Set(output.keys) == ["name", "output_type", "text"] && output["name"]?.string == "stdout")
                case "execute_result":
                    #expect(
                        Set(output.keys) == ["data", "execution_count", "metadata", "output_type"]
                            && output["execution_count"]?.int == cell["execution_count"]?.int)
                case "display_data":
                    #expect(
                        Set(output.keys) == ["data", "metadata", "output_type"]
                            && output.value(atPath: "data")?.table?["image/svg+xml"] != nil)
                case "error":
                    #expect(
                        Set(output.keys) == ["ename", "evalue", "output_type", "traceback"]
                            && output["evalue"]?.string == "<boom>")
                default: Issue.record("unknown output \(kind)")
                }
            }
        }
        #expect(kinds == ["stream": 2, "execute_result": 6, "display_data": 1, "error": 1])
        // Empty objects are objects.
        #expect(text.contains("\"metadata\": {}") && !text.contains("\"metadata\": []"))
        #expect(text.contains("\"tags\": [\n"))
    }

    @Test("nbformat accepts it and nbconvert renders it, where Python has them") func nbformat() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/nb-\(UUID().uuidString)"
        try Files.makeFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/book.ipynb"
        try Files.write(IpynbExport.text(try example()), to: path)
        func run(_ code: String) throws -> Int32 { try python(code, [path]) }
        var checks = 0
        if try run("import nbformat") == 0 {
            #expect(
                try run(
                    """
                    import sys, nbformat; nb = nbformat.read(sys.argv[1], as_version=4); nbformat.validate(nb); \
                    assert (nb.nbformat, nb.nbformat_minor) == (4, 5)
                    """
                ) == 0)
            checks += 1
        }
        if try run("import nbconvert") == 0 {
            #expect(
                try run(
                    """
                    import sys, nbconvert; body, _ = nbconvert.HTMLExporter().from_filename(sys.argv[1]); \
                    assert 'An example' in body and 'svg' in body and '0.8125' in body
                    """
                ) == 0)
            checks += 1
        }
        print("checks by nbformat and nbconvert: \(checks) of 2")
    }

    @Test("jupytext reads what we write: the same cells, code cells stay code, where Python has it")
    func jupytext() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/nb-\(UUID().uuidString)"
        try Files.makeFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = try example()
        try Files.write(file.text(), to: folder + "/book.lua")
        guard try python("import jupytext", []) == 0 else { return print("notebooks by jupytext: 0 of 1") }
        let code = """
            import sys, jupytext
            cells = jupytext.read(sys.argv[1]).cells
            kinds = ' '.join(cell.cell_type for cell in cells)
            assert kinds == sys.argv[2], kinds
            assert 'steps = 3' in cells[1].source and cells[0].source.startswith('# An example')
            assert cells[-3].metadata.get('tags') == ['raises-exception'], cells[-3].metadata
            """
        #expect(try python(code, [folder + "/book.lua", file.cells.map(\.kind.rawValue).joined(separator: " ")]) == 0)
        print("notebooks by jupytext: 1 of 1")
    }

    private func python(_ code: String, _ words: [String]) throws -> Int32 {
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        child.arguments = [ProcessInfo.processInfo.environment["BSS_PYTHON"] ?? "python3", "-c", code] + words
        try child.run()
        child.waitUntilExit()
        return child.terminationStatus
    }

    @Test func html() throws {
        let text = HTMLExport.text(try example(), title: "A & B")
        #expect(
            text.contains("<title>A &amp; B</title>") && text.contains("<h1 id=\"an-example\">An example</h1>")
                && text.contains("<em>text</em>") && text.contains("<code>code &lt; 1</code>"))
        #expect(text.contains("<span class=\"k\">local</span> rate = <span class=\"n\">0.1</span>"))
        #expect(
            text.contains("<img src=\"data:image/svg+xml;base64,PHN2Zy")
                && text.contains("a &lt; b &amp; &quot;c&quot;")
                && text.contains("error: &lt;boom&gt;") && text.contains("raw &amp; text"))
        #expect(!text.contains("http://") || !text.contains("src=\"http"))  // nothing from elsewhere
        for tag in ["section", "pre", "figure", "body", "html"] {
            #expect(
                text.components(separatedBy: "<\(tag)").count == text.components(separatedBy: "</\(tag)>").count,
                "\(tag)")
        }
    }

    /// Nothing that a stranger's notebook holds runs in the page.
    @Test func foreignNotebooksRunNothing() {
        let attack = "<svg onload=\"alert(1)\"><script>alert(2)</script></svg>"
        let output = CellOutput(.value, text: "<img src=x onerror=alert(3)>", typed: attack, svg: attack)
        let links = [
            "[a](javascript:alert(4))", "[b]( JavaScript:alert(5))", "[c](java\tscript:alert(6))", "[d](vbscript:x)",
            "![e](data:text/html;base64,PHNjcmlwdD4=)", "[f](data:image/svg+xml,<svg/>)", "<b onclick=x>",
            "[g](x\" onx=y)",
        ]
        let file = NotebookFile(cells: [
            .init(source: "x = '</pre><script>alert(7)</script>'", outputs: [output]),
            .init(.markdown, source: (["# <script>alert(8)</script>"] + links).joined(separator: "\n\n")),
            .init(.raw, source: "<script>alert(9)</script>"),
        ])
        let text = HTMLExport.text(file, title: "</title><script>alert(10)</script>")
        for sign in [
            "<script", "<svg", "onload=\"", "href=\"java", "href=\" Java", "href=\"vb", "src=\"data:text", "<b ",
            "\" onx",
        ] {
            #expect(!text.contains(sign), "\(sign)")
        }
        #expect(text.components(separatedBy: "onerror").count == 2)  // escaped, as the figure's description
        #expect(text.contains("default-src 'none'"))
        let kept = HTMLExport.text(
            NotebookFile(cells: [.init(.markdown, source: "[a](https://x.org/y:z) [b](b/c.html#d) [c](mailto:x@y)")]),
            title: "")
        for target in ["https://x.org/y:z", "b/c.html#d", "mailto:x@y"] { #expect(kept.contains("href=\"\(target)\"")) }
    }

    @Test func markdown() throws {
        let text = MarkdownExport.text(try example(), figures: nil).text
        #expect(text.hasPrefix("# An example\nwith *text*"))
        #expect(
            text.contains("```lua\nlocal rate = 0.1\n") && text.contains("```text\nrate\t0.1\n```")
                && text.contains("](data:image/svg+xml;base64,PHN2Zy"))
        let fenced = MarkdownExport.text(NotebookFile(cells: [.init(source: "s = '```'")]), figures: nil).text
        #expect(fenced == "````lua\ns = '```'\n````\n")
    }

    @Test func listsNest() {
        let html = Markdown.html("- a\n  - b\n  - c\n\n    more\n- d\n\n1. x\n   - y\n\nend")
        #expect(
            html == """
                <ul>
                <li>a<ul>
                <li>b</li>
                <li><p>c</p>
                <p>more</p>
                </li>
                </ul>
                </li>
                <li>d</li>
                </ul>
                <ol>
                <li>x<ul>
                <li>y</li>
                </ul>
                </li>
                </ol>
                <p>end</p>

                """)
    }

    @Test func mathematicsNeedsNoNetwork() {
        #expect(
            Markdown.inline("so $\\lambda_0 \\le 1$ holds")
                == "so <math><mrow><msub><mi>λ</mi><mn>0</mn></msub><mo>≤</mo><mn>1</mn></mrow></math> holds")
        #expect(
            Markdown.inline("$$\\sum_{i=1}^n x_i$$").contains(
                "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover>"))
        #expect(Markdown.inline("$\\frac{a}{\\sqrt b}$").contains("<mfrac><mrow><mi>a</mi></mrow><mrow><msqrt>"))
        #expect(Markdown.inline("$$ a $$") == "<math display=\"block\"><mrow><mi>a</mi></mrow></math>")
        #expect(Markdown.inline("$\\unknown{x}$ and 5 $ or $6") == "$\\unknown{x}$ and 5 $ or $6")
    }

    @Test func colouredCodeKeepsEveryCharacter() {
        let code = "-- naïve → \nlocal s = \"é\" --[[ ∑ ]] return 0x1p4 ≥ x"
        let text = HTMLExport.coloured(code)
        #expect(text.contains("<span class=\"c\">-- naïve → \n</span><span class=\"k\">local</span>"))
        #expect(text.contains("<span class=\"s\">&quot;é&quot;</span> <span class=\"c\">--[[ ∑ ]] </span>"))
        #expect(text.contains("<span class=\"n\">0x1p4</span> ≥ x"))
    }

    @Test func contentsAndNumbers() {
        let heads = "# T\n\n## One\n\n## Two\n\n### Three"
        let text = HTMLExport.text(
            NotebookFile(cells: [.init(.markdown, source: heads), .init(source: "x = 1")]), title: "t")
        for piece in [
            "<a href=\"#one\">One</a>", "<h3 id=\"three\">", "id=\"cell-1\"", "[1]</a>", "prefers-color-scheme",
            "@media print",
        ] {
            #expect(text.contains(piece), "\(piece)")
        }
    }

    @Test func notesInHTML() {
        let text = HTMLExport.text(
            NotebookFile(cells: [
                .init(
                    .markdown,
                    source: """
                        ## Two
                        para one
                        still one

                        - a **b**
                          more
                        - [l](http://x/?a&b)
                        1. one
                        2. two

                        | h | k |
                        |---|---|
                        | 1 | `2` |

                        > quoted

                        ```lua
                        x < 1
                        ```
                        ![alt](i.png) a*b and 2 * 3 * 4 <script>
                        """)
            ]), title: "t")
        for piece in [
            "<h2 id=\"two\">Two</h2>", "<p>para one\nstill one</p>", "<li>a <strong>b</strong>\nmore</li>",
            "<a href=\"http://x/?a&amp;b\">l</a>", "<ol>\n<li>one</li>",
            "<th>h</th>", "<td><code>2</code></td>", "<blockquote>\n<p>quoted</p>", "<code>x &lt; 1</code>",
            "<img src=\"i.png\" alt=\"alt\">", "2 * 3 * 4 &lt;script&gt;",
        ] {
            if piece.hasPrefix("<th>") || piece.hasPrefix("<td>") {
                #expect(text.replacing(" ", with: "").contains(piece.replacing(" ", with: "")), "\(piece)")
            } else {
                #expect(text.contains(piece), "\(piece)")
            }
        }
    }
}
