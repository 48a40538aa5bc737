import BSSCore
import BSSLua
import BSSSession
import Foundation
import Testing
import _BSSTestSupport

@Suite(.oneAtATime, .serialized) struct CellRunnerTests {
    private func text(_ outcome: CellRunner.Outcome, _ runner: CellRunner) -> [String] {
        outcome.values.map { runner.show($0, runner.state) }
    }

    /// Cells whose result depends on locals being real variables: closures, shadowing, constants, recursion.
    static let programs: [[String]] = [
        ["local x = 1", "local y = x + 1\nx = x + 1", "print(x, y)"],
        [
            "local x = 1\nfunction get() return x end", "x = 5\nprint(get())", "local x = 9\nprint(get(), x)",
            "x = 10\nprint(get(), x)",
        ],
        ["local n = 0\nlocal function tick() n = n + 1 return n end", "tick() tick()", "print(n, tick())"],
        ["local k <const>, name = 5, 'a'", "local f = function() return k, name end\nname = 'b'", "print(k, f())"],
        ["local a <const> = 'c'; local b <const> = {}", "b.x = a", "print(a, b.x)"],
        ["local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end", "print(fib(15))"],
        ["local x = 1 -- note", "do local x = 2 end for x = 3, 4 do end", "local x = x + 10\nprint(x)"],
        [
            "local t = {}\nfor i = 1, 3 do local j = i; t[i] = function() j = j + 1 return j end end",
            "print(t[1](), t[1](), t[2]())",
        ],
        ["local a, b, c = (function() return 1, 2, 3 end)()", "print(a, b, c)", "a, b = b, a", "print(a, b)"],
        ["local s = [[\nlocal z = 1\n]]", "print(#s) local u", "print(u)"],
        ["local x = 1; local y = 2;", "print(x + y)", "local _ = 3", "_ = 4", "print(_)"],
        ["x = 1 local function g() return x end", "local x = 7", "print(g(), x, _G.x)"],
    ]

    @Test("cells do what the whole file does as one chunk", arguments: programs) func asOneChunk(cells: [String]) throws
    {
        let runner = try Notebooks.runner()
        var printed = ""
        for cell in cells {
            let outcome = runner.run(cell, name: "=cell")
            #expect(outcome.error == nil, "\(outcome.error.map(\.located) ?? "")")
            printed += outcome.printed
        }
        let whole = try Notebooks.runner().run(cells.joined(separator: "\n"), name: "=chunk")
        #expect(whole.error == nil && whole.printed == printed && !printed.isEmpty)
    }

    @Test func expressionsStatementsAndShownResults() throws {
        let runner = try Notebooks.runner()
        #expect(text(runner.run("1 + 1, 'a'", name: "=c"), runner) == ["2", "\"a\""])
        #expect(runner.run("x = 7", name: "=c").values.isEmpty)
        #expect(text(runner.run("local d = 2\n_ = x * d -- shown", name: "=c"), runner) == ["14"])
        #expect(text(runner.run("_ + d", name: "=c"), runner) == ["16"])
        var silent = runner.run("x;", name: "=c")
        let unseen = runner.outputs(of: &silent)
        #expect(silent.isSilent && silent.values.count == 1 && unseen.isEmpty)
        #expect(runner.run("", name: "=c").error == nil && runner.run("-- only a note", name: "=c").error == nil)
        #expect(text(runner.run("...", name: "=c"), runner).isEmpty)
        runner.arguments = [.string("given")]
        #expect(text(runner.run("...", name: "=c"), runner) == ["\"given\""])
    }

    @Test("a cell runs once, whichever form compiles") func once() throws {
        let runner = try Notebooks.runner()
        _ = runner.run("n = 0 function bump() n = n + 1 return n end", name: "=c")
        for code in ["bump()", "_ = bump()", "bump() ;", "local v = bump()"] {
            #expect(runner.run(code, name: "=c").error == nil)
        }
        #expect(try runner.state.global("n").int == 4)
    }

    @Test func errorsSayTheLineAndKeepWhatWasDeclared() throws {
        let runner = try Notebooks.runner()
        var failed = runner.run(
            "local data = { 3 }\nlocal more = data[1]\nerror('boom')\nlocal never = 1", name: "@book.lua", line: 40)
        #expect(failed.error?.located == "book.lua:42: boom" && failed.didRun)
        #expect(failed.error?.traceback?.contains("book.lua:42: in the cell") == true)
        #expect(text(runner.run("data[1] + more", name: "=c"), runner) == ["6"])
        #expect(text(runner.run("never", name: "=c"), runner) == ["nil"])
        let syntax = runner.run("x = = 1", name: "@book.lua", line: 7)
        #expect(!syntax.didRun && syntax.error?.message.contains("book.lua:7:") == true)
        #expect(runner.run("for i = 1, 2 do", name: "=c").error?.message.hasSuffix("<eof>") == true)
        #expect(runner.run("x = 1 end do", name: "=c").didRun == false)  // not closed by our own frame
        _ = runner.run("local k <const> = 1", name: "=c")
        #expect(runner.run("k = 2", name: "=c").error?.message.contains("const") == true)
        let told = runner.outputs(of: &failed, path: "book.lua").last
        #expect(
            told
                == CellOutput(.error, text: "error: boom", typed: #"{"kind":"error","message":"boom"}"#))
    }

    @Test func outputIsCapturedAtTheDescriptor() throws {
        let runner = try Notebooks.runner()
        let outcome = runner.run(
            """
            print('a', 1) io.write('b') os.execute('echo child') \
            io.write('10%\\r99%\\n\\27[1;31mred\\27[0m \\27]0;title\\7ok\\n') print(print)
            """,
            name: "=c")
        #expect(outcome.error == nil)
        let lines = outcome.printed.split(separator: "\n").map(String.init)
        #expect(lines.count == 5 && lines[0] == "a\t1")
        #expect(Array(lines[1...2]) == ["child", "99%%"])  // "b10%" with "99%" over it
        #expect(lines[3] == "red ok" && lines[4] == "function: builtin: 0x…" || lines[4].hasPrefix("function: 0x…"))
        let large = runner.run("for i = 1, 200000 do print('line', i) end", name: "=c")
        #expect(large.error == nil && large.printed.hasSuffix("more bytes"))
        #expect(runner.run("print 'still here'", name: "=c").printed == "still here\n")
    }

    @Test("the state is clean after an interrupt in a cell") func interrupt() throws {
        let runner = try Notebooks.runner()
        _ = runner.run("local kept = 5", name: "=c")
        let thread = Thread {
            usleep(200_000)
            Cancellation.request()
        }
        thread.start()
        let outcome = runner.run(
            "local t = bss.randn({ 200, 200 })\nwhile true do t = t:matmul(t):tanh() end", name: "=c")
        #expect(outcome.wasInterrupted)
        #expect(text(runner.run("kept + 1", name: "=c"), runner) == ["6"])
        #expect(runner.run("_ = bss.ones({ 2 }):sum()", name: "=c").error == nil)
    }

    @Test func figuresCarryTheirDrawing() throws {
        let runner = try Notebooks.runner()
        var outcome = runner.run("_ = bss.plot.line{ 1, 4, 9 }", name: "=c")
        let outputs = runner.outputs(of: &outcome)
        #expect(
            outputs.count == 1 && outputs[0].svg?.hasPrefix("<svg") == true
                && outputs[0].typed?.contains("figure") == true)
    }

    @Test func sessionLogRunsAsPlainLua() throws {
        let runner = try Notebooks.runner()
        var file = NotebookFile()
        for (n, code) in [
            "x = 20", "x + 1", "_ * 2", "{ x, 'a' };", "error('no')", "y = = 2", "print('seen')", "'a', 'b'",
            "local z = x / 8\nlocal w = z", "w",
        ].enumerated() {
            var outcome = runner.run(code, name: "=cell \(n + 1)")
            if let cell = SessionLog.cell(code, outcome, outputs: runner.outputs(of: &outcome)) {
                file.cells.append(cell)
            }
        }
        #expect(file.cells.count == 9)
        let text = file.text()
        #expect(try Notebooks.difference(text) == nil)
        let report = try Notebooks.check(text)
        #expect(report.compared == 6)
        let state = try LuaState()
        _ = try state.run(text + "\nresult = _", name: "=log")
        #expect(try state.global("result").double == 2.5)
    }

    @Test func olderResultsInTheLog() throws {
        let runner = try Notebooks.runner()
        var older: [LuaValue] = []
        var entries: [(code: String, outcome: CellRunner.Outcome, outputs: [CellOutput])] = []
        for code in ["1", "20", "300", "_ + _2 + _3", "x = 5", "_2", "x = 6\n_ = x", "_2 + _3"] {
            var outcome = runner.run(code, name: "=cell")
            entries.append((code, outcome, runner.outputs(of: &outcome)))
            guard let first = outcome.values.first else { continue }
            older = Array(([first] + older).prefix(3))
            for (name, value) in zip(["_", "_2", "_3"], older) { try runner.state.setGlobal(name, value) }
        }
        let text = SessionLog.notebook(entries).text()
        #expect(text.contains("--> 321\n") && text.contains("_3, _2, _ = _2, _, _ + _2 + _3"))
        #expect(try Notebooks.difference(text) == nil && Notebooks.check(text).compared == 7)
        let state = try LuaState()
        _ = try state.run(text, name: "=log")
        #expect(try state.global("_").int == 621 && state.global("_2").int == 6)
        #expect(!SessionLog.notebook(Array(entries.prefix(3))).text().contains("_2"))
    }

    @Test func writesAreTapped() throws {
        let state = try LuaState()
        PrintTap.begin()
        _ = try state.run(
            "io.write('a', 1, 1.5, 2.0) io.stdout:write('b\\n') print('c') io.stderr:write('')", name: "=taps")
        let text = PrintTap.end()
        #expect("\(text)".contains("a11.52") && "\(text)".contains("b") && "\(text)".contains("c"))
        for code in ["io.write({})", "io.stdout:write({})"] {
            do {
                _ = try state.run(code, name: "=taps")
                Issue.record("must fail")
            } catch { #expect("\(error)".contains("bad argument #1 to 'write' (string expected, got table)")) }
        }
    }
}
