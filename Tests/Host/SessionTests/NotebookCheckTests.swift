import BSSCore
import BSSSession
import Testing
import _BSSTestSupport

@Suite(.oneAtATime, .serialized) struct NotebookCheckTests {
    @Test func anUnchangedNotebookIsEqual() throws {
        let text = try Notebooks.filled(Notebooks.example)
        let report = try Notebooks.check(text)
        guard case .equal = report.verdict else {
            Issue.record("\(report)")
            return
        }
        #expect(report.compared == 8 && report.ran == 8 && report.unchecked == 0)
        #expect(try Notebooks.filled(text) == text)  // running again changes nothing
    }

    struct Change: CustomTestStringConvertible {
        let name: String, old: String, new: String, anchor: String, cell: Int
        var testDescription: String { name }
    }

    static let changes = [
        Change(name: "printed text", old: "0.1", new: "0.2", anchor: "--> rate", cell: 1),
        Change(name: "number", old: "0.30000000000000004", new: "0.30000000000000014", anchor: "--= ", cell: 2),
        Change(name: "shown number", old: "0.3", new: "0.4", anchor: "--> ", cell: 2),
        Change(name: "integer", old: "\"value\":3", new: "\"value\":4", anchor: "", cell: 3),
        Change(name: "field of a table", old: "0.8125", new: "0.8126", anchor: "\"accuracy\":", cell: 4),
        Change(name: "entry of a list", old: "0.25", new: "0.26", anchor: "\"curve\":", cell: 4),
        Change(name: "small tensor", old: "4.5", new: "4.6", anchor: "\"values\":", cell: 5),
        Change(name: "shape of a tensor", old: "[2,2]", new: "[2,3]", anchor: "\"shape\":", cell: 5),
        Change(name: "large tensor, in the code", old: "1000", new: "1001", anchor: "arange(", cell: 6),
        Change(name: "digest of a tensor", old: "\"max\":999.0", new: "\"max\":998.0", anchor: "", cell: 6),
        Change(name: "string", old: "text 7", new: "text 8", anchor: "\"string\",\"value\":\"", cell: 7),
        Change(name: "figure's data", old: ",3,9", new: ",3,8", anchor: "\"kind\":\"figure\"", cell: 8),
    ]

    @Test("one changed digit is found, in its cell", arguments: changes) func changedDigit(change: Change) throws {
        let text = try Notebooks.filled(Notebooks.example)
        let anchor = change.name == "shown number" ? "_ = rate * steps\n--> " : change.anchor
        let damaged = try Notebooks.replacing(change.old, change.new, in: text, after: anchor)
        #expect(damaged != text)
        let difference = try #require(try Notebooks.difference(damaged))
        #expect(difference.number == change.cell, "\(difference)")
        let lines = damaged.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[difference.line - 2].hasPrefix("-- %%"))
        #expect(difference.value.expected != difference.value.got)
    }

    @Test("a changed input is found where its effect shows first") func changedInput() throws {
        let text = try Notebooks.replacing("steps = 3", "steps = 4", in: Notebooks.filled(Notebooks.example))
        let difference = try #require(try Notebooks.difference(text))
        #expect(
            difference.number == 2 && difference.value.path == "value" && difference.value.expected.hasPrefix("0.3")
                && difference.value.got == "0.4")
    }

    @Test func tolerances() throws {
        let text = try Notebooks.filled(Notebooks.example)
        let close = try Notebooks.replacing("0.8125", "0.8126", in: text, after: "\"accuracy\":")
        #expect(try Notebooks.difference(close, Tolerance(relative: 1e-3)) == nil)
        #expect(try Notebooks.difference(close, Tolerance(absolute: 2e-4)) == nil)
        #expect(try Notebooks.difference(close, Tolerance(relative: 1e-5)) != nil)
        let tensor = try Notebooks.replacing("999.0", "999.001", in: text, after: "\"max\":")
        #expect(try Notebooks.difference(tensor, Tolerance(relative: 1e-5)) == nil)
        #expect(try Notebooks.difference(tensor, Tolerance(relative: 1e-7)) != nil)
        let printed = try Notebooks.replacing("0.1", "0.1001", in: text, after: "--> rate")
        #expect(try Notebooks.difference(printed, Tolerance(absolute: 1e-3)) == nil)
        // A unit of the last digit shown is no tolerance of its own.
        let shown = try Notebooks.filled("-- %%\nprint(0.9)\n-- %%\n_ = 0.9\n")
        for anchor in ["-- %%\nprint(0.9)\n--> ", "_ = 0.9\n--> "] {
            let wrong = try Notebooks.replacing("0.9", "0.8", in: shown, after: anchor)
            #expect(try Notebooks.difference(wrong, Tolerance(relative: 1e-9)) != nil)
            #expect(try Notebooks.difference(wrong, Tolerance(absolute: 0.2)) == nil)
        }
        let count = try Notebooks.filled("-- %%\nprint('seen 12 of 12')\n")
        let miscount = try Notebooks.replacing("of 12", "of 13", in: count, after: "-->")
        #expect(try Notebooks.difference(miscount, Tolerance(relative: 10, absolute: 10)) != nil)
        // Integers and words have no tolerance.
        let integer = try Notebooks.replacing("\"value\":3", "\"value\":4", in: text)
        #expect(try Notebooks.difference(integer, Tolerance(relative: 10, absolute: 10)) != nil)
        let word = try Notebooks.replacing("rate", "date", in: text, after: "--> ")
        #expect(try Notebooks.difference(word, Tolerance(relative: 10, absolute: 10)) != nil)
    }

    @Test func timesAndAddressesDoNotCount() throws {
        let text = try Notebooks.filled(
            "-- %%\nn = (n or 0) + 1\nprint('took 3.1 s', 'at 12:30:59', 'in 12 ms', print)\n")
        let other = try Notebooks.replacing(
            "3.1 s", "4.7 s", in: try Notebooks.replacing("12 ms", "19 ms", in: text, after: "-->"), after: "-->")
        #expect(other != text)
        #expect(try Notebooks.difference(other) == nil)
        #expect(try Notebooks.difference(try Notebooks.replacing("took", "look", in: other, after: "-->")) != nil)
    }

    @Test func outputsMoreOrFewerAndErrors() throws {
        let text = try Notebooks.filled("-- %%\nprint(1)\n-- %%\n_ = 2\n")
        #expect(try Notebooks.difference(try Notebooks.replacing("print(1)", "x = 1", in: text)) != nil)
        #expect(try Notebooks.difference(try Notebooks.replacing("_ = 2", "_ = 2; print(2)", in: text))?.number == 2)
        let failing = try #require(
            try Notebooks.difference(try Notebooks.replacing("print(1)", "print(1) error('x')", in: text)))
        #expect(failing.number == 1 && failing.value.got.contains("x"))
        if case .nothingToCheck = try Notebooks.check("-- %%\nx = 1\n--> unchecked\n").verdict {
        } else {
            Issue.record("must be nothing to check")
        }
        let exempt = text.replacing("-- %%\nprint(1)", with: "-- %% tags=[\"no-check\"]\nprint(os.time())")
        #expect(try Notebooks.difference(exempt) == nil)
    }

    @Test("a cell that may fail is compared by its message, and the rest still runs") func allowedFailure() throws {
        let text = try Notebooks.filled("-- %% tags=[\"raises-exception\"]\nerror('boom 1')\n-- %%\n_ = 5\n")
        #expect(text.contains(#"{"kind":"error","message":"boom 1"}"#) && text.contains("--> 5"))
        #expect(try Notebooks.difference(text) == nil)
        #expect(try Notebooks.difference(try Notebooks.replacing("boom 1", "boom 2", in: text))?.number == 1)
    }

    @Test("outputs after a failure are removed, nothing made them") func staleOutputs() throws {
        let text = try Notebooks.filled("-- %%\nx = 1\n-- %%\n_ = x\n")
        var run = NotebookRun(
            NotebookFile.parse(try Notebooks.replacing("x = 1", "x = nil + 1", in: text)), path: "book.lua",
            runner: try Notebooks.runner())
        let stopped = run.run()
        let failure = try #require(stopped)
        #expect(
            failure.cell == 0 && run.file.cells[0].outputs.last?.kind == .error && run.file.cells[1].outputs.isEmpty)
    }
}
