import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// `bss-lua plot FILE.csv`
@Suite(.oneAtATime) struct PlotCommandTests {
    /// The data of a figure, read and written again, are the same bytes.
    static let figures: [(kind: String, code: String)] = [
        ("line", "bss.plot.line{ y = { train = {0.9, 0.5, 0.3}, val = {1.0, 0.7, 0.65} } }"),
        ("band", "bss.plot.line{ { name = 'a, b', runs = { {1, 2, 3}, {2, 3, 5} } } }"),
        ("bar", "bss.plot.bar{ 0.61, 0.55, 0.72, categories = {'audio', 'image', 'both'} }"),
        ("hist", "bss.plot.hist{ values = {1, 2, 2, 3, 3, 3, 9}, bins = 4 }"),
        ("heatmap", "bss.plot.heatmap{ {5, 1}, {2, 7}, rows = {'cat', 'dog'}, columns = {'cat', 'dog'} }"),
        ("box", "bss.plot.box{ values = { vanilla = {0.70, 0.72, 0.71}, BSS = {0.74, 0.75} } }"),
    ]

    @Test(arguments: figures) func savedFiguresComeBack(figure: (kind: String, code: String)) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let made = try program.run([
            "-e", "local f = \(figure.code) f:save('a.csv') print(f:text{ width = 70, ascii = true })",
        ])
        #expect(made.code == 0, "\(made.summary)")
        let again = try program.run(["plot", "a.csv", "-o", "b.csv", "--quiet"])
        #expect(again.code == 0, "\(again.summary)")
        #expect(try Files.readText(program.folder + "/a.csv") == Files.readText(program.folder + "/b.csv"))
        let shown = try program.run(["plot", "a.csv"], environment: ["COLUMNS": "70", "TERM": "dumb"])
        #expect(
            shown.code == 0 && shown.output.contains("a.csv") && shown.output.split(separator: "\n").count > 3,
            "\(shown.summary)")
        let drawn = try program.run(["plot", "a.csv", "-o", "c.svg", "--quiet"])
        #expect(drawn.code == 0, "\(drawn.summary)")
        #expect(
            try Files.readText(program.folder + "/c.svg").hasPrefix("<svg")
                || Files.readText(program.folder + "/c.svg").contains("<svg"))
    }

    @Test func columnsOfAnyTable() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write("t.csv", "epoch,loss,accuracy,method\n1,0.9,0.5,a\n2,0.5,0.7,a\n1,0.8,0.6,b\n2,0.4,0.75,b\n")
        let all = try program.run([
            "plot", "t.csv", "--x", "epoch", "--y", "loss", "--by", "method", "-o", "out.csv", "--quiet",
        ])
        #expect(all.code == 0, "\(all.summary)")
        #expect(
            try Files.readText(program.folder + "/out.csv")
                == "series,x,y,low,high\na,1,0.9,,\na,2,0.5,,\nb,1,0.8,,\nb,2,0.4,,\n")
        let bars = try program.run(
            ["plot", "t.csv", "--kind", "bar", "--x", "method", "--y", "loss,accuracy", "--title", "Both"],
            environment: ["TERM": "dumb"])
        #expect(bars.code == 0 && bars.output.contains("Both") && bars.output.contains("accuracy"), "\(bars.summary)")
        for kind in ["scatter", "hist", "box", "heatmap"] {
            let outcome = try program.run(["plot", "t.csv", "--kind", kind])
            #expect(outcome.code == 0, "\(kind): \(outcome.summary)")
        }
    }

    @Test(arguments: [
        (["plot"], 2, "which file"), (["plot", "none.csv"], 2, "there is no file"),
        (["plot", "t.csv", "--kind", "pie"], 2, "expects one of line"),
        (["plot", "t.csv", "--y", "los"], 8, "did you mean 'loss'"),
        (["plot", "words.csv"], 8, "no column of numbers"), (["plot", "t.csv", "-o", "x.jpg"], 1, "cannot write .jpg"),
        (["plot", "t.csv", "--bins", "0"], 2, "from 1 to 10000"), (["plot", "empty.csv"], 8, "no rows"),
    ])
    func mistakesAreExplained(words: [String], code: Int, text: String) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write("t.csv", "epoch,loss\n1,2\n")
        try program.write("words.csv", "a,b\nx,y\n")
        try program.write("empty.csv", "a,b\n")
        let outcome = try program.run(words)
        #expect(Int(outcome.code) == code && outcome.errors.contains(text), "\(outcome.summary)")
    }
}
