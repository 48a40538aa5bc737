import BSSCore
import Foundation
import Testing

/// What trainings and experiments show of themselves on a terminal.
@Suite(.serialized) struct LiveProgressTests {
    private func home() throws -> String {
        let path = NSTemporaryDirectory() + "bss-progress-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private static let experiment = """
        local exp = bss.experiment{ name = "demo", arms = { { name = "one" }, { name = "two" } }, seeds = 2,
          metrics = { "test.total.accuracy" }, run = function(p, arm, seed)
            print("at work")
            return bss.train{ data = bss.data.synthetic{ samples = 1500 }, epochs = 25, seed = seed }
          end }
        print("the end")
        """

    @Test(
        "one live line for the whole experiment: runs, time left, the current run; never wider than the terminal",
        arguments: [40, 60, 120, 200])
    func experiment(columns: Int) throws {
        let home = try home()
        try Files.write(Self.experiment, to: home + "/e.lua")
        let terminal = try PseudoTerminal(
            home: home, arguments: ["--out", home + "/o", home + "/e.lua"],
            environment: ["LANG": "C.UTF-8", "NO_COLOR": ""],
            columns: UInt16(columns))
        let text = try #require(terminal.wait(for: "the end", seconds: 60))
        let lines = text.components(separatedBy: "\r\u{1B}[K").dropFirst()
        // A print ends the line that was shown: it stands at the beginning of its own.
        let shown = lines.filter { $0.hasPrefix("demo ") }
        #expect(shown.allSatisfy { Text.columns($0) < columns && !$0.contains("\n") }, "\(shown)")
        #expect(lines.allSatisfy { !$0.dropFirst().contains("at work") }, "\(lines)")
        #expect(shown.contains { $0.hasPrefix("demo 3/4") && $0.contains(" s left") }, "\(shown)")
        guard columns > 40 else { return }
        #expect(shown.contains { $0.contains("two, seed 2: epoch ") }, "\(shown)")
        if columns > 100 { #expect(shown.contains { $0.contains("━") && $0.contains("loss 0.") }, "\(shown)") }
        #expect(terminal.exitCode() == 0)
    }

    @Test("a locale without UTF-8 sees ASCII, a dumb terminal no escape codes")
    func plain() throws {
        let home = try home()
        try Files.write(Self.experiment, to: home + "/e.lua")
        let arguments = ["--out", home + "/o", home + "/e.lua"]
        let posix = try PseudoTerminal(home: home, arguments: arguments, environment: ["LC_ALL": "C"], columns: 120)
        let text = try #require(posix.wait(for: "the end", seconds: 60))
        #expect(text.utf8.allSatisfy { $0 < 0x80 } && text.contains("demo 1/4 ####"), "\(text)")
        let dumb = try PseudoTerminal(
            home: home, arguments: ["--out", home + "/p", home + "/e.lua"], environment: ["TERM": "dumb"])
        let lines = try #require(dumb.wait(for: "the end", seconds: 60))
        #expect(
            !lines.contains("\u{1B}") && lines.contains("demo 1/4  one, seed 1: test.total.accuracy 0."), "\(lines)")
    }

    @Test("Ctrl-C in a training leaves _ as a partial run with its model and history")
    func partialRun() throws {
        let terminal = try PseudoTerminal(home: home())
        #expect(terminal.wait(for: "bss[1]> ") != nil)
        terminal.send("run = bss.train{ data = bss.data.synthetic{ samples = 1500 }, epochs = 100000 }\r")
        #expect(terminal.wait(for: "train 2", seconds: 20) != nil)
        terminal.send("\u{03}")
        let note = terminal.wait(for: "]> ") ?? ""
        #expect(
            note.contains("interrupted in epoch") && note.contains("_ is what there is so far"),
            "note: \(note) || \(terminal.text)")
        #expect(terminal.enter("part = _; #part.history > 0 and part.stop_reason")?.contains("of 100000") == true)
        #expect(terminal.enter("#part:predict('test').labels > 0 and #part.history[1].train > -1 or 'model'") != nil)
        #expect(terminal.enter("part.model")?.contains("parameters") == true)
        #expect(terminal.enter("rawget(_G, 'run') == nil")?.contains("true") == true)
        #expect(terminal.enter("part.result.last.test.total.accuracy > 0")?.contains("true") == true)
    }
}
