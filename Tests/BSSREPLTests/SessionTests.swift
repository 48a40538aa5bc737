import BSSCore
import BSSLuaHost
import Testing

@testable import BSSREPL

@Suite struct SessionTests {
    private func session() throws -> Session {
        let state = try LuaState()
        state.installStandardReplacements(seed: 0)
        try state.install(Namespace("bss", "For tests.") { [.namespace(REPL.namespace(state))] })
        return Session(state, isSilent: true)
    }

    @Test(arguments: [
        ("for i = 1, 3 do", false), ("for i = 1, 3 do\nend", true), ("f(", false), ("x = ", false), ("1 +", false), ("[[ open", false),
        ("--[[ open", false), ("x = 'open", true), ("x = = 1", true), ("", true), ("%time x", true), ("?x", true), ("return", true), ("{ 1,", false),
    ])
    func knowsWhenInputIsComplete(text: String, complete: Bool) throws {
        #expect(try session().isComplete(text) == complete)
    }

    @Test func cellsShareLocalsAndResults() throws {
        let session = try session()
        #expect(session.evaluate("local x = 20").error == nil)
        #expect(session.evaluate("x + 1").shown == ["21"])
        #expect(session.evaluate("_ * 2").shown == ["42"])
        #expect(session.evaluate("_2").shown == ["21"])
        #expect(session.evaluate("x;").shown == [])
        #expect(session.evaluate("print('p')\nlocal y = 3\ny * x").output == ["p", "60"])
        #expect(session.evaluate("nil").shown == [])
        #expect(session.evaluate("1, 'a'").shown == ["1", "\"a\""])
        let failed = session.evaluate("local z = 1\nerror('boom')")
        #expect(failed.error?.located == "cell 9:2: boom")
        #expect(ErrorReport.text(failed.error!, sources: session.sources).contains("| error('boom')"))
    }

    @Test func tablesPrintSortedWithBudgets() throws {
        let session = try session()
        #expect(session.evaluate("{ 3, 2, zebra = 1, apple = 'x', [10] = true }").shown == ["{ 3, 2, [10] = true, apple = \"x\", zebra = 1 }"])
        #expect(session.evaluate("(function() local t = { 1 } t.me = t return t end)()").shown == ["{ 1, me = <cycle> }"])
        #expect(session.evaluate("{ { { { { { 1 } } } } } }").shown.first?.contains("…") == true)
        let long = session.evaluate("(function() local t = {} for i = 1, 1000 do t[i] = i end return t end)()").shown
        #expect(long.last == "}" && long.joined().contains("… 960 more"))
        #expect(session.evaluate("{ ['a b'] = 1, ['end!'] = 2 }").shown == ["{ [\"a b\"] = 1, [\"end!\"] = 2 }"])
        #expect(session.evaluate("function(x) return x end").shown == ["function cell \(session.cells.count):1"])
        #expect(session.evaluate("setmetatable({}, { __tostring = function() return 'mine' end })").shown == ["mine"])
    }

    @Test func logRunsUnchangedAndSaveSelects() throws {
        let first = try session()
        for code in ["local a = 2", "local unused = 9", "b = a * 3", "b", "error('x')", "_ + 1;", "c = 1\nc + b"] { _ = first.evaluate(code) }
        let log = first.cells.map { SessionLog.text($0) }.joined(separator: "\n")
        let again = try session()
        try again.state.run(log, name: "=log")
        #expect(try again.state.global("b").int == nil)  // locals of a script stay local …
        #expect(try again.state.global("c").int == 1)
        let notebook = Notebook(log)
        #expect(notebook.sections.map(\.output) == [[], [], [], ["6"], ["error: cell 5:1: x"], [], ["7"]])
        let good = first.cells.filter { $0.error == nil }
        #expect(try CellSelection.cells(good, ["b"]).map(\.number) == [1, 3])
        #expect(try CellSelection.cells(good, ["2-4"]).map(\.number) == [2, 3, 4])
        #expect(throws: BSSError.self) { try CellSelection.cells(good, ["nothing"]) }
    }

    @Test func outputsCompareByValue() {
        let comparison = OutputComparison()
        #expect(comparison.difference(["loss 0.5000000", "ok"], ["loss 0.50000001", "ok"]) == nil)
        #expect(comparison.difference(["loss 0.5"], ["loss 0.6"])?.contains("line 1") == true)
        #expect(comparison.difference(["a"], ["a", "b"]) != nil)
        #expect(comparison.difference(["abc"], ["abd"]) != nil)
    }

    @Test func promptsAreStripped() {
        #expect(REPL.withoutPrompts("bss[3]> for i = 1, 2 do\n..> print(i)\n..> end\n1\n2") == "for i = 1, 2 do\nprint(i)\nend")
        #expect(REPL.withoutPrompts("> x = 1\n>> y") == "x = 1\ny")
        #expect(REPL.withoutPrompts("x > 1") == "x > 1")
    }

    @Test func notebookRoundTrip() {
        let text = "-- %% [markdown]\n-- # T\n\n-- %%\nx = 1\nprint(x)\n--> 1\n"
        #expect(Notebook(text).text == text)
    }
}
