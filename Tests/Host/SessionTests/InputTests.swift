import BSSCore
import BSSLua
import Foundation
import Testing

@testable import BSSSession

/// What a session makes of inputs, shown to a front end that only listens.
@Suite struct InputTests {
    private final class Listener: FrontEnd {
        var shown: [String] = []
        var errors: [BSSError] = []
        func show(_ text: String) { shown.append(text) }
        func show(_ cell: Cell, seconds: Double) {
            shown += cell.lines
            cell.error.map { errors.append($0) }
        }
        func report(_ error: BSSError) { errors.append(error) }
        func note(_ text: String) {}
    }

    private func session() throws -> (Session, Listener, LuaState) {
        let state = try LuaState()
        let root = Namespace("bss", "For tests.") { [.namespace(Session.functions(state))] }
        try state.install(root)
        let session = Session(state, root: root)
        let listener = Listener()
        session.front = listener
        return (session, listener, state)
    }

    @Test func questionsStandBehindNamesToo() throws {
        let (session, listener, _) = try session()
        session.run("-- doubles\nlocal function twice(x) return 2 * x end")
        session.run("twice??")
        #expect(listener.shown.last?.contains("return 2 * x") == true && listener.errors.isEmpty)
        session.run("bss.repl?")
        #expect(listener.shown.last?.hasPrefix("bss.repl") == true)
        #expect(session.isComplete("bss.repl?") && Session.askedBehind("x = 1?") == nil)
    }

    @Test func wordsOfOtherPromptsLeave() throws {
        for word in ["exit", "quit", "exit()", "quit()", " quit "] {
            let (session, _, _) = try session()
            session.run(word)
            #expect(session.leaves == 0, "\(word)")
        }
        let (session, listener, _) = try session()
        session.run("quit = 5")
        session.run("quit")
        #expect(session.leaves == nil && listener.shown.last == "5")
    }

    @Test func lastExpressionsAreResults() throws {
        let (session, listener, _) = try session()
        for (code, expected) in [
            ("local a = 4 a * 2", "8"), ("x = 3\nx, 1", "1"), ("b = 1; #'abc'", "3"), ("c = 2\n{ c }", "{ 2 }"),
            ("d = 1\n'text'", "\"text\""), ("local t = { 1 }\nnot t", "false"),
            ("x = 1; x + 1", "2"), ("x = 1; math.max(x, 7)", "7"), ("local a = 2 a * 3", "6"), ("x = 4; x;;", "6"),
            ("x = 1\nmath.max(\n  x, 8\n) -- of two", "8"), ("x = 2; math.abs(-x) + 1", "3"),
            ("x = 5; ('y'):rep(x), x", "5"), ("x = 1; select(2, 'a', 'b', 'c')", "\"c\""),
        ] {
            listener.errors = []
            session.run(code)
            #expect(listener.shown.last == expected && listener.errors.isEmpty, "\(code): \(listener.errors)")
        }
        let text = "-- %%\nlocal a = 2\n-- %%\na + 1\n--> 3\n-- %%\nb = a; b * 10\n-- %%\n_ = _ + 1\n"
        let chunk = try #require(NotebookFile.withAssignedResults(Array(text.utf8)))
        let state = try LuaState()
        try state.run(String(decoding: chunk, as: UTF8.self), name: "=book")
        #expect(try state.global("_").int == 21)
        #expect(NotebookFile.withAssignedResults(Array("-- %%\nx = 1\n".utf8)) == nil)
    }

    @Test("a cell's result is the same at a prompt, in a notebook and in a script") func resultsEverywhere() throws {
        let cells = [
            "local a = 2 a * 3", "_ + 1", "print('seen')", "x = _; math.max(x, 10)", "f = function() end; f()", "_ * 2",
        ]
        let shown = ["6", "7", "10", "20"]
        let (session, listener, _) = try session()
        for cell in cells { session.run(cell) }
        #expect(listener.shown.filter { $0 != "seen" } == shown && listener.errors.isEmpty, "\(listener.shown)")
        let file = NotebookFile(cells: cells.map { .init(source: $0) })
        var book = NotebookRun(file, path: "book.lua", runner: CellRunner(try LuaState()))
        let failure = book.run()
        #expect(failure == nil)
        #expect(book.file.cells.flatMap(\.outputs).filter { $0.kind == .value }.map(\.text) == shown)
        let state = try LuaState()
        let chunk = try #require(NotebookFile.withAssignedResults(Array(file.text().utf8)))
        try state.run(String(decoding: chunk, as: UTF8.self), name: "=book")
        #expect(try state.global("_").int == 20)
        let log = session.notebook(session.cells).text()
        let again = try LuaState()
        try again.run(log, name: "=log")
        #expect(try again.global("_").int == 20, "\(log)")
    }

    @Test func aCellStandsInTheTracebackOfItsLastCall() throws {
        let (session, listener, _) = try session()
        session.run("function f() error('boom') end")
        for code in ["f()", "x = 1\nf()", "_ = f()"] {
            session.run(code)
            #expect(listener.errors.last?.traceback?.contains("in the cell") == true, "\(code)")
        }
    }

    @Test func commandsTakeWhatTheyTake() throws {
        let (session, listener, _) = try session()
        session.run("%timeit -n 3 1 + 1")
        #expect(listener.shown.last?.contains("7 rounds of 3") == true, "\(listener.shown)")
        session.run("%timeit -n x")
        let folder = FileManager.default.currentDirectoryPath
        session.run("%cd /tmp")
        #expect(FileManager.default.currentDirectoryPath == "/tmp")
        session.run("%cd " + folder)
        #expect(FileManager.default.currentDirectoryPath == folder && listener.errors.count == 1)
        session.run("%cd /nowhere/at/all")
        session.run("%history many")
        #expect(listener.errors.count == 3)
        session.run("value = 77")
        session.run("%history -g value")
        #expect(listener.shown.last == "value = 77")
    }

    @Test("an expression behind statements on one line is complete, and shown") func oneLine() throws {
        let (session, listener, _) = try session()
        for text in ["x = 1; x", "local a, b = 1, 2; a, b", "if true then y = 2 end y"] {
            #expect(session.completeness(of: text) == .complete, "\(text)")
        }
        for text in ["x = 1; f(", "for i = 1, 2 do x", "x = 1; x.", "x ="] {
            #expect(session.completeness(of: text) == .incomplete, "\(text)")
        }
        session.run("x = 41; x + 1")
        #expect(listener.shown.last == "42")
    }

    @Test("Ctrl-C while a large result is written down is heard, and the prompt goes on") func largeResults() throws {
        let (session, listener, _) = try session()
        session.run("big = {} for i = 1, 400000 do big[i] = i end")
        let start = Clock.seconds()
        let ticker = Ticker(every: 0.02) { Cancellation.request() }
        session.run("big")
        ticker.end()
        Cancellation.clear()
        session.state.regainControl()
        #expect(listener.errors.last?.kind == .cancelled && Clock.seconds() - start < 5, "\(listener.errors)")
        session.run("#big")
        #expect(listener.shown.last == "400000")
    }
}
