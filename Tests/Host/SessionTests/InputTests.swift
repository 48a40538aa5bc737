import BSSCore
import Foundation
import Testing

@testable import BSSLua
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

    @Test("names, commands and forms of IPython do what they do there, or say what does") func otherPrompts() throws {
        let (session, listener, _) = try session()
        func shown(_ input: String) -> String {
            session.run(input)
            return listener.shown.last ?? ""
        }
        #expect(
            shown("20") == "20" && shown("'x'") == "\"x\"" && shown("Out[1] + 1") == "21" && shown("Out[3]") == "21")
        session.run("Out[77]")
        #expect(listener.errors.last?.message.contains("cell 77 gave nothing") == true)
        listener.errors = []
        #expect(shown("%lsmagic") == Command.text && shown("%hist -n 2").hasPrefix("[5] "))
        #expect(shown("%pwd") == FileManager.default.currentDirectoryPath)
        #expect(shown("%%time\nfor i = 1, 9 do end").hasPrefix("wall "))
        #expect(shown("word = 'two words'; #word") == "9")
        #expect(shown("!!echo '{word}' '{nothing}' '{#word}'") == "{ \"two words {nothing} {#word}\" }")
        session.run("lines = !echo {word}")
        #expect(session.cells.last?.code == "lines = !echo {word}" && shown("lines[1]") == "\"two words\"")
        session.run("t = { { 5 } }")
        #expect(shown("t[1]?") == "table\n{ 5 }" && shown("print?").hasPrefix("print(…): "))
        #expect(shown("string?").contains("string.format(format, …) → text"))
        listener.errors = []
        session.run("f()[1]?")
        #expect(listener.errors.count == 1)  // nothing is called for its help
        for (name, sentence) in OtherPrompts.sentences {
            session.run("%" + name)
            #expect(listener.errors.last?.hint == sentence, "%\(name)")
        }
        for name in OtherPrompts.names.values { #expect(Command.all.contains { $0.name == name }, "%\(name)") }
        #expect(session.completeness(of: "%%time") == .incomplete)
        #expect(session.completeness(of: "%%time\nfor i = 1, 2 do") == .incomplete)
        #expect(session.completeness(of: "%%time\nf()") == .complete)
    }

    @Test("a session that used Out leaves a log that runs as plain Lua") func outInTheLog() throws {
        let (session, _, _) = try session()
        for code in ["20", "x = 1", "_ + x", "x = 5; math.max(x, 2)", "Out[1] + Out[3] + _"] { session.run(code) }
        let log = session.notebook(session.cells).text()
        let state = try LuaState()
        try state.run(log, name: "=log")
        #expect(try state.global("_").int == 46, "\(log)")
        let report = NotebookCheck().run(NotebookFile.parse(log), path: "log", runner: CellRunner(try LuaState()))
        guard case .equal = report.verdict else { return #expect(Bool(false), "\(report.text("log")) \(log)") }
    }

    @Test("every function of Lua's libraries has a line of help") func manual() throws {
        let state = try LuaState()
        let known = Set(LuaManual.functions.map(\.name))
        let code = """
            local names = {}
            for name, value in pairs(_G) do
              if type(value) == "function" then names[#names + 1] = name end
              if type(value) == "table" and package.loaded[name] == value and name ~= "_G" then
                for key, f in pairs(value) do
                  if type(f) == "function" then names[#names + 1] = name .. "." .. key end
                end
              end
            end
            return names
            """
        let names = try state.run(code, name: "=names").first?.table?.items.compactMap(\.string) ?? []
        let missing = names.filter { !known.contains($0) && !$0.hasPrefix("debug.") && !$0.hasPrefix("package.") }
        #expect(names.count > 100 && missing.isEmpty, "\(missing)")
    }

    @Test func commandsTakeWhatTheyTake() throws {
        let (session, listener, _) = try session()
        session.run("%timeit -n 3 1 + 1")
        // On a busy machine a second line says so.
        #expect(listener.shown.contains { $0.contains("7 rounds of 3") }, "\(listener.shown)")
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
