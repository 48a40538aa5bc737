import BSSCore
import BSSSession
import Glibc
import Testing
import _BSSTestSupport

@Suite struct NotebookFileTests {
    static let texts = [
        "", "\n", "x = 1", "x = 1\n", "-- %%", "-- %%\n",
        "-- %%\nx = 1\n\n\n-- %% [markdown]\n-- # Title\n--\n-- text\n",
        "#!/usr/bin/env bss-lua\n-- first\nx = 1\n-- %%   titled [markdown]  \n-- a\n--b\n",
        "--%%\nx = 1\n--%% [raw]\n-- r\n",
        "-- %%\r\nx = 1\r\n--> 1\r\n--= {\"kind\":\"integer\",\"value\":1}\r\n\r\n-- %%\r\ny = 2\r\n",
        "-- %%\nx = 1\r\ny = 2\n",
        """
        -- %%
        s = [==[
        -- %%
        --> no output
        ]==]
        --[[
        -- %% [markdown]
        ]]
        --> out
        --= {"kind":"text"}

        after = 1

        """,
        "-- %% [markdown]\n--[[\n# In one comment\n]]\n-- %%\n-->\n--> a\n-->\n", "-- %%%\n-- %%x\nz = 1\n",
        "-- %%\nx = \"unfinished\n-- %%\ny = 2\n",
        "-- %%\n--~ <svg/>\n--= {\"kind\":\"figure\",\"value\":\"1\"}\n--> tail", "é = 'ü' -- 世界\n-- %% 数\n--> π\n",
    ]

    @Test("a file that nobody changed is written byte for byte", arguments: texts) func roundTrip(text: String) {
        #expect(Array(NotebookFile.parse(text).text().utf8) == Array(text.utf8))
    }

    @Test("random cuts of all of them too") func manyCuts() {
        let all = Array(NotebookFileTests.texts.joined(separator: "\n").unicodeScalars)
        for cut in 0..<all.count {
            let text = String(String.UnicodeScalarView(all[cut...]))
            #expect(Array(NotebookFile.parse(text).text().utf8) == Array(text.utf8))
        }
    }

    @Test("a byte order mark hides no marker") func byteOrderMark() throws {
        let path = "/tmp/bss-mark-\(getpid()).lua"
        defer { Files.remove(path) }
        try Files.write("\u{FEFF}-- %% [markdown]\n-- # T\n-- %%\nx = 1\n", to: path)
        #expect(try NotebookFile(reading: path).cells.map(\.kind) == [.markdown, .code])
    }

    @Test("cells nest as deep as Lua lets them, not as deep as they like") func deepNesting() {
        func code(_ depth: Int) -> String {
            "x = " + String(repeating: "(", count: depth) + "1" + String(repeating: ")", count: depth)
        }
        #expect(CellParser.names(in: code(150)).isUnderstood)
        for text in [
            code(100_000), String(repeating: "do ", count: 100_000), "x = " + String(repeating: "{", count: 100_000),
        ] {
            #expect(!CellParser.names(in: text).isUnderstood)
        }
    }

    @Test func cellsAndTheirParts() {
        let file = NotebookFile.parse(
            """
            a = 1
            -- %% [markdown]
            -- # T
            --
            -- t
            -- %% tags=["no-check", "slow"]
            b = [[
            --> in a string
            ]]

            --> 1
            --> 2
            --= {"kind":"text"}
            --~ <svg>
            --~ </svg>
            --> fig
            --= {"kind":"figure","value":"x"}
            --> loose


            """
        )
        #expect(file.cells.map(\.kind) == [.code, .markdown, .code])
        #expect(file.cells[0].header == nil && file.cells[0].source == "a = 1")
        #expect(file.cells[1].source == "# T\n\nt")
        let cell = file.cells[2]
        #expect(cell.tags == ["no-check", "slow"] && cell.line == 7)
        #expect(cell.source == "b = [[\n--> in a string\n]]")
        #expect(
            cell.outputs == [
                CellOutput(.stream, text: "1\n2"),
                CellOutput(.value, text: "fig", typed: #"{"kind":"figure","value":"x"}"#, svg: "<svg>\n</svg>\n"),
                CellOutput(.unchecked, text: "loose"),
            ])
        #expect(file.codeCells == [0, 2])
    }

    @Test("what is written after a change reads back as the same cells") func changed() {
        for end in ["\n", "\r\n"] {
            var file = NotebookFile.parse(
                "-- %%\nx = 1\n--> old\n\n-- %% [markdown]\n-- t\n-- %%\n\n".split(
                    separator: "\n", omittingEmptySubsequences: false
                ).joined(separator: end))
            file.cells[0].outputs = [
                CellOutput(.stream, text: "a\n\n b "),
                CellOutput(.value, text: "", typed: #"{"kind":"string","value":""}"#),
                CellOutput(.value, text: "fig", typed: #"{"kind":"figure","value":"c"}"#, svg: "<svg>\n</svg>\n"),
                CellOutput(.error, text: "error: e", typed: #"{"kind":"error","message":"e"}"#),
            ]
            file.cells[1].source = "two\n\nlines"
            let text = file.text()
            let again = NotebookFile.parse(text)
            #expect(again == file, "\(text)")
            #expect(again.text() == text)
            #expect(text.utf8.filter { $0 == 13 }.count == (end == "\n" ? 0 : text.utf8.filter { $0 == 10 }.count))
        }
    }
}
