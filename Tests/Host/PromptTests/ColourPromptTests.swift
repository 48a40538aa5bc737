import BSSCore
import Foundation
import Testing

@testable import BSSPrompt

/// The prompt in colours on a real terminal: what it draws while one types.
@Suite(.serialized) struct ColourPromptTests {
    private func started(columns: UInt16 = 100, _ environment: [String: String] = [:]) throws -> PseudoTerminal {
        let home = NSTemporaryDirectory() + "bss-colour-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        let variables = ["NO_COLOR": "", "TERM": "xterm-256color", "LANG": "C.UTF-8"].merging(environment) { $1 }
        let terminal = try PseudoTerminal(home: home, environment: variables, columns: columns)
        #expect(terminal.wait(for: "bss[1]> ") != nil)
        return terminal
    }

    @Test("keywords, strings, numbers, comments and calls have colours while one types", arguments: [60, 120, 200])
    func highlighting(columns: Int) throws {
        let terminal = try started(columns: UInt16(columns))
        terminal.send("local x = f(\"s\", 42) -- why")
        let shown = terminal.wait(for: "\u{1B}[90m-- why") ?? ""
        for part in [
            "\u{1B}[35mlocal\u{1B}[0m", "\u{1B}[34mf\u{1B}[0m", "\u{1B}[32m\"s\"\u{1B}[0m", "\u{1B}[36m42\u{1B}[0m",
        ] {
            #expect(shown.contains(part), "\(part)")
        }
    }

    @Test("a block is pasted as it is, in colours too: the terminal is asked to mark what is pasted")
    func pastes() throws {
        let terminal = try started()
        #expect(terminal.marksPastes)
        terminal.send("\u{1B}[200~text = [[\n  a\n  b]]\nfor _ = 1, 1 do\n\tn = #text\nend\u{1B}[201~\r")
        #expect(terminal.wait(for: "bss[2]> ") != nil)
        terminal.send("n * 100\r")
        #expect(terminal.wait(for: "\r\n700\r\n") != nil, "\(terminal.text)")
    }

    @Test("files of a shell command are completed", arguments: ["!ls /et", "x = !ls /et", "%cd /et"])
    func shellFiles(typed: String) throws {
        let terminal = try started()
        terminal.send(typed + "\t")
        #expect(terminal.wait(for: "etc/") != nil || terminal.text.contains("etc"))
    }

    @Test("matching brackets at the cursor are marked, one without a partner is red")
    func brackets() throws {
        let terminal = try started()
        terminal.send("f(x)")
        #expect(terminal.wait(for: "\u{1B}[1;4m(\u{1B}[0mx\u{1B}[1;4m)") != nil)
        terminal.send("]")
        #expect(terminal.wait(for: "\u{1B}[31m]") != nil)
    }

    @Test(
        "ghost text: an earlier input that begins alike is suggested, and taken over by Right and End",
        arguments: ["\u{1B}[C", "\u{1B}[F", "\u{05}"])
    func suggestion(key: String) throws {
        let terminal = try started()
        terminal.send("answer = 6 * 7\r")
        #expect(terminal.wait(for: "bss[2]> ") != nil)
        terminal.send("ans")
        #expect(terminal.wait(for: "\u{1B}[90mwer = 6 * 7") != nil)
        terminal.send(key)
        terminal.send(" + 1\r")
        #expect(terminal.wait(for: "bss[3]> ") != nil)
        terminal.send("answer * 100\r")
        #expect(terminal.wait(for: "\r\n4300\r\n") != nil)
    }

    @Test("a block indents itself, and what ends it stands where it began; the cell is as it was drawn")
    func autoIndent() throws {
        let terminal = try started(columns: 60)
        for line in ["function twice(x)", "if x then", "return 2 * x", "end", "end"] { terminal.send(line + "\r") }
        #expect(terminal.wait(for: "bss[2]> ") != nil)
        terminal.send("??twice\r")
        let source = terminal.wait(for: "\r\nend\r\n") ?? ""
        let text = source.replacingOccurrences(of: "\r", with: "")
        #expect(text.contains("function twice(x)\n  if x then\n    return 2 * x\n  end\nend\n"), "\(source)")
    }

    @Test("in a POSIX locale as well, deleting é leaves whole characters", arguments: ["C", "C.UTF-8"])
    func wholeCharacters(locale: String) throws {
        let terminal = try started(["LC_ALL": locale, "LANG": ""])
        terminal.send("x = 'añé")
        terminal.send("\u{7F}\u{7F}z'; #x\r")
        #expect(terminal.wait(for: "bss[2]> ")?.contains("\r\n2\r\n") == true)
    }

    @Test("an input of several rows is drawn over itself: no row stands twice", arguments: [30, 60])
    func rows(columns: Int) throws {
        let terminal = try started(columns: UInt16(columns))
        let text = "x = 'a long text that needs more than a row of the terminal, whatever it says'"
        terminal.send(text)
        terminal.send("\u{01}")
        _ = terminal.wait(for: "\u{0}", seconds: 0.5)
        let last = terminal.text.components(separatedBy: "\u{1B}[?25l").last ?? ""
        #expect(last.components(separatedBy: "x = ").count == 2 && last.hasSuffix("\u{1B}[8C\u{1B}[?25h"), "\(last)")
        terminal.send("\r")
        #expect(terminal.wait(for: "bss[2]> ") != nil)
    }

    @Test("help that is higher than the screen goes through the pager")
    func pager() throws {
        let terminal = try started(["BSS_PAGER": "sed 's/^/paged: /'"])
        terminal.send("?bss.train\r")
        #expect(terminal.wait(for: "\r\npaged: bss.train") != nil)
        let without = try started(["BSS_PAGER": "no-such-pager"])
        without.send("?bss.train\r")
        #expect(without.wait(for: "sample_budget") != nil)
    }

    @Test(
        "indentation of lines",
        arguments: [
            ("f(", 2, 0), ("local t = {", 2, 0), ("if a then", 2, 0), ("if a then\n  b()\nelseif c then", 2, 0),
            ("if a then\n  b()\n  else", 2, 2), ("for i = 1, 2 do\n  print(i)\n  end", 0, 2), ("x = 1", 0, 0),
            ("f(function()\n  g()\n  end)", 0, 2), ("do\n  x = {\n    1,\n    }", 2, 2), ("", 0, 0),
            ("    keep()", 4, 0), ("repeat\n  x()\n  until y", 0, 2),
        ])
    func indent(text: String, next: Int, excess: Int) {
        let found = BlockIndent(text, at: text.utf8.count)
        #expect(found.next == next && found.excess == excess, "\(text): \(found)")
    }

    @Test("Ctrl-C drops an input of several rows, which stays on the screen once")
    func droppedBlocks() throws {
        let terminal = try started(columns: 60)
        terminal.send("for i = 1, 2 do\r")
        _ = terminal.wait(for: "..> ")
        _ = terminal.wait(for: "\u{0}", seconds: 0.4)
        terminal.send("\u{03}")
        let shown = terminal.wait(for: "bss[1]> ", seconds: 5) ?? ""
        _ = terminal.wait(for: "\u{0}", seconds: 0.4)
        #expect(shown.contains("^C") || terminal.text.contains("^C"))
        let after = (shown + terminal.text).components(separatedBy: "^C").last ?? ""
        #expect(!after.contains("for"), "\(after)")
        terminal.send("6 * 7\r")
        #expect(terminal.wait(for: "\r\n42\r\n") != nil)
    }

    @Test("Ctrl-C is the pager's while help is shown: the prompt stays")
    func interruptsInThePager() throws {
        let terminal = try started(["BSS_PAGER": "trap 'echo heard' INT; cat >/dev/null; echo ready; sleep 1; sleep 1"])
        terminal.send("?bss.train\r")
        #expect(terminal.wait(for: "ready\r\n") != nil)
        for _ in 0..<3 {
            terminal.send("\u{03}")
            _ = terminal.wait(for: "\u{0}", seconds: 0.2)
        }
        #expect(terminal.wait(for: "bss[1]> ") != nil)
        terminal.send("6 * 7\r")
        #expect(terminal.wait(for: "\r\n42\r\n") != nil)
    }

    @Test("the first line breaks between words at 60 columns, and a run's table fits")
    func narrow() throws {
        let home = NSTemporaryDirectory() + "bss-narrow-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        let terminal = try PseudoTerminal(home: home, columns: 60)
        let banner = terminal.wait(for: "bss[1]> ") ?? ""
        let lines = banner.components(separatedBy: "\r\n").dropLast()
        let longest =
            lines.map {
                $0.replacingOccurrences(of: "\u{1B}\\[[?0-9;]*[a-z]", with: "", options: .regularExpression).count
            }.max() ?? 99
        #expect(longest <= 60 && banner.contains("Ctrl-D leaves"), "\(banner)")
        terminal.send("bss.train{ data = bss.data.synthetic{ samples = 120 }, epochs = 1 }\r")
        let shown = terminal.wait(for: "bss[2]> ", seconds: 30) ?? ""
        let rows = shown.components(separatedBy: "\r\n").filter { $0.hasPrefix("test ") }
        #expect(rows.count == 4 && rows.allSatisfy { $0.count <= 60 }, "\(shown)")
    }
}
