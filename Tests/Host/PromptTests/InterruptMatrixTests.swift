import Foundation
import Testing

/// host.md H.1 on a real terminal: Ctrl-C ends everything within 100 ms, and the prompt lives.
@Suite(.serialized) struct InterruptMatrixTests {
    private func started() throws -> PseudoTerminal {
        let home = NSTemporaryDirectory() + "bss-repl-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        let terminal = try PseudoTerminal(home: home)
        #expect(terminal.wait(for: "bss[1]> ") != nil)
        return terminal
    }

    static let loops: [(name: String, code: String)] = [
        ("plain", "while true do end"), ("coroutine", "coroutine.wrap(function() while true do end end)()"),
        (
            "nested coroutines",
            "local function n(d) if d == 0 then while true do end end coroutine.wrap(n)(d - 1) end n(10)"
        ),
        ("pcall", "while true do pcall(function() while true do end end) end"),
        ("prompt function", "while true do bss.repl.show() end"),
        ("engine calls", "local a = bss.ones{1000, 1000} while true do a:matmul(a) end"),
        ("one engine call", "bss.ones{6000, 6000}:matmul(bss.ones{6000, 6000})"),
        ("sort in the engine", "local a = bss.randn{3000000} while true do a:sort() end"),
        ("training", "bss.train{ data = bss.data.synthetic{ samples = 3000 }, epochs = 100000 }"),
        ("capture", "bss.capture(function() while true do end end)"),
        ("profile", "bss.repl.profile(function() while true do end end)"),
        // Library functions that compute in C, where no hook runs.
        ("pattern that backtracks", "string.find(string.rep('a', 40), string.rep('a*', 20) .. 'b')"),
        ("gsub that backtracks", "string.gsub(string.rep('a', 40), string.rep('a-', 20) .. 'b', '')"),
        (
            "table.sort",
            "local t = {} for i = 1, 500000 do t[i] = i * 7919 % 1000003 end "
                + "while true do pcall(table.sort, { table.unpack(t, 1, 200000) }) end"
        ),
        ("table.move", "table.move({}, 1, math.maxinteger - 1, 2)"),
        ("table.insert", "table.insert(setmetatable({}, { __len = function() return 1 << 50 end }), 1, 0)"),
        ("string.rep", "while true do local s = string.rep('x', 1500000000) end"),
    ]

    @Test(arguments: loops) func interruptedCodeReturnsToThePrompt(loop: (name: String, code: String)) throws {
        let terminal = try started()
        var times: [Double] = []
        for _ in 0..<3 {
            terminal.send(loop.code + "\r")
            usleep(400_000)
            let start = Date()
            terminal.send("\u{03}")
            #expect(terminal.wait(for: "interrupted") != nil, "\(loop.name)")
            #expect(terminal.wait(for: "]> ") != nil, "\(loop.name)")
            times.append(Date().timeIntervalSince(start) * 1e3)
        }
        print("Ctrl-C at the prompt, \(loop.name): \(times.map { Int($0) }) ms")
        #expect(times.sorted()[1] < 100, "\(loop.name): \(times)")
        #expect(terminal.enter("1 + 1")?.contains("2") == true)
    }

    /// People hold the keys: repeated presses are one.
    @Test func heldKeysDoNotEndTheSession() throws {
        let terminal = try started()
        _ = terminal.enter("kept = 11")
        for code in ["local a = bss.ones{1000, 1000} while true do a:matmul(a) end", "while true do end"] {
            terminal.send(code + "\r")
            usleep(300_000)
            for _ in 0..<12 {
                terminal.send("\u{03}")
                usleep(30_000)
            }
            #expect(terminal.wait(for: "interrupted") != nil && terminal.wait(for: "]> ") != nil)
            usleep(200_000)
            // Every press drew a prompt: the answer is behind them all.
            terminal.send("kept * 3\r")
            #expect(terminal.wait(for: "33") != nil)
        }
    }

    /// The C library waits for a child that no Ctrl-C reaches, and no hook runs: the second press forces.
    @Test func twiceForces() throws {
        let terminal = try started()
        terminal.send("io.popen('exec setsid sleep 9 >/dev/null 2>&1'):close()\r")
        usleep(300_000)
        terminal.send("\u{03}")
        usleep(300_000)
        let start = Date()
        terminal.send("\u{03}")
        #expect(terminal.exitCode() == 130)
        #expect(Date().timeIntervalSince(start) < 0.2)
    }

    @Test func saysWhereAndWhatWasKept() throws {
        let terminal = try started()
        terminal.send("bss.train{ data = bss.data.synthetic{ samples = 3000 }, epochs = 100000 }\r")
        usleep(600_000)
        terminal.send("\u{03}")
        #expect(terminal.wait(for: "of 100000; nothing was kept") != nil)
        #expect(terminal.wait(for: "interrupted after ") != nil && terminal.wait(for: "cell 1:1") != nil)
    }

    @Test func interruptAtThePromptDropsTheInput() throws {
        let terminal = try started()
        terminal.send("half a line")
        usleep(100_000)
        terminal.send("\u{03}")
        #expect(terminal.wait(for: "^C") != nil && terminal.wait(for: "bss[1]> ") != nil)
        terminal.send("for i = 1, 3 do\r")
        usleep(100_000)
        terminal.send("\u{03}")
        #expect(terminal.wait(for: "^C") != nil && terminal.wait(for: "bss[1]> ") != nil)
        #expect(terminal.enter("5 + 5")?.contains("10") == true)
        // What was dropped is one Up away.
        terminal.send("\u{1B}[A\u{1B}[A")
        #expect(terminal.wait(for: "for i = 1, 3 do") != nil)
    }

}
