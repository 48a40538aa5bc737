import BSSCore
import BSSLua
import Testing

@testable import BSSSession

@Suite struct SessionTests {
    private func session() throws -> (Session, LuaState) {
        let state = try LuaState()
        state.installStandardReplacements(seed: 0)
        let root = Namespace("bss", "For tests.") { [.namespace(Session.functions(state))] }
        try state.install(root)
        return (Session(state, root: root), state)
    }

    @Test(arguments: [
        ("for i = 1, 3 do", false), ("for i = 1, 3 do\nend", true), ("f(", false), ("x = ", false), ("1 +", false),
        ("[[ open", false),
        ("--[[ open", false), ("x = 'open", true), ("x = = 1", true), ("", true), ("%time x", true), ("?x", true),
        ("return", true), ("{ 1,", false),
    ])
    func knowsWhenInputIsComplete(text: String, complete: Bool) throws {
        let (session, _) = try session()
        #expect(session.isComplete(text) == complete)
    }

    @Test func cellsShareLocalsAndResults() throws {
        let (session, _) = try session()
        #expect(session.evaluate("local x = 20").error == nil)
        #expect(session.evaluate("x + 1").lines == ["21"])
        #expect(session.evaluate("_ * 2").lines == ["42"])
        #expect(session.evaluate("_2").lines == ["21"])
        #expect(session.evaluate("x;").lines == [])
        #expect(session.evaluate("print('p')\nlocal y = 3\ny * x").lines == ["p", "60"])
        #expect(session.evaluate("1, 'a'").lines == ["1", "\"a\""])
        let failed = session.evaluate("local z = 1\nerror('boom')")
        #expect(failed.error?.located == "cell 8:2: boom")
        #expect(ErrorReport.text(failed.error!, sources: session.sources).contains("| error('boom')"))
    }

    @Test func tablesPrintSortedWithBudgets() throws {
        let (session, _) = try session()
        #expect(
            session.evaluate("{ 3, 2, zebra = 1, apple = 'x', [10] = true }").lines == [
                "{ 3, 2, [10] = true, apple = \"x\", zebra = 1 }"
            ])
        #expect(
            session.evaluate("(function() local t = { 1 } t.me = t return t end)()").lines == ["{ 1, me = <cycle> }"])
        #expect(session.evaluate("{ { { { { { 1 } } } } } }").lines.first?.contains("…") == true)
        let long = session.evaluate("(function() local t = {} for i = 1, 1000 do t[i] = i end return t end)()").lines
        #expect(long.last == "}" && long.joined().contains("… 960 more"))
        #expect(session.evaluate("{ ['a b'] = 1, ['end!'] = 2 }").lines == ["{ [\"a b\"] = 1, [\"end!\"] = 2 }"])
        #expect(session.evaluate("setmetatable({}, { __tostring = function() return 'mine' end })").lines == ["mine"])
    }

    @Test func logRunsUnchangedAndSaveSelects() throws {
        let (first, _) = try session()
        for code in ["local a = 2", "local unused = 9", "b = a * 3", "b", "error('x')", "_ + 1;", "c = 1\nc + b"] {
            _ = first.evaluate(code)
        }
        let log = first.notebook(first.cells)
        let (_, plain) = try session()
        try plain.run(log.text(), name: "=log")
        #expect(try plain.global("c").int == 1 && plain.global("_").int == 7)
        let (_, clean) = try session()
        let report = NotebookCheck().run(NotebookFile.parse(log.text()), path: "log", runner: CellRunner(clean))
        guard case .equal = report.verdict else {
            Issue.record("\(report.text("log"))")
            return
        }
        let good = first.cells.filter { $0.error == nil }
        #expect(try CellSelection.cells(good, ["b"]).map(\.number) == [1, 3])
        #expect(try CellSelection.cells(good, ["2"]).map(\.number) == [2])
        #expect(throws: BSSError.self) { try CellSelection.cells(good, ["nothing"]) }
    }

    @Test func lookupsSeeCellLocals() throws {
        let (session, state) = try session()
        _ = session.evaluate("local config = { rate = 0.5 }")
        guard case .value(let value)? = state.lookUp(["config", "rate"]) else {
            Issue.record("not found")
            return
        }
        #expect(value.type == "number")
        guard case .value(let table)? = state.lookUp(["config"]) else {
            Issue.record("not found")
            return
        }
        #expect(state.names(of: .value(table), isMethod: false) == ["rate"])
    }
}
