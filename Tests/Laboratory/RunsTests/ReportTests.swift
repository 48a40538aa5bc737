import BSSCore
import BSSRuns
import BSSStatistics
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct ReportTests {
    private func table(seeds n: Int) -> ReportTable {
        func values(_ base: Double) -> [Double] { (0..<n).map { base + 0.001 * Double(($0 * 7) % 5) } }
        var table = ReportTable(
            title: "Table 3",
            rows: [
                .init(name: "uniform", seeds: Array(1...n), values: ["accuracy": values(0.70), "loss": values(1.1)]),
                .init(name: "PreSim", seeds: Array(1...n), values: ["accuracy": values(0.73), "loss": values(1.0)]),
                .init(
                    name: "both_100%", seeds: (1...n).reversed(),
                    values: ["accuracy": values(0.735).reversed(), "loss": values(0.9).reversed()]),
            ], metrics: ["accuracy", "loss"], control: "uniform")
        table.lowerIsBetter = ["loss"]
        table.isPercent = false
        return table
    }

    @Test("three seeds: differences with p, nothing bold, and how many seeds it would take")
    func few() throws {
        let table = table(seeds: 3)
        let cells = try table.cells()
        #expect(cells[0][0]?.difference == nil && cells[1][0]?.p == 0.25 && cells[1][0]?.isPaired == true)
        #expect(abs(cells[2][0]!.difference! - 0.035) < 1e-12)
        #expect(cells.joined().allSatisfy { $0?.isBold == false })
        let text = try table.text()
        #expect(text.contains("3 seeds; ± is the standard deviation"))
        #expect(
            text.contains(
                """
                Too few seeds to claim anything: 3 can reach p = 0.25 at best, \
                2 comparisons at 0.05 need at least 7 seeds.
                """
            ))
        #expect(text.contains("0.0350") || text.contains("+0.0350"))
    }

    @Test("eight seeds: the best is bold, rows far from it are not; seeds pair rows in any order")
    func enough() throws {
        let table = table(seeds: 8)
        let cells = try table.cells()
        #expect(cells[2][0]!.isBold && !cells[1][0]!.isBold && !cells[0][0]!.isBold)
        #expect(cells[2][1]!.isBold)
        // Paired by seed the difference is the same for every seed, so all signs but two patterns are less extreme.
        #expect(cells[2][0]!.p == Statistics.smallestPairedP(8))
        #expect(!(try table.text()).contains("Too few"))
        #expect(try table.markdown().contains("**0.7369 ± 0.0015**") || table.markdown().contains("**"))
    }

    @Test("LaTeX is escaped and balanced; CSV holds every value")
    func formats() throws {
        let table = table(seeds: 8)
        let latex = try table.latex()
        #expect(
            latex.contains("both\\_100\\%") && latex.contains("\\toprule") && latex.contains("$\\pm$")
                && latex.contains("\\textbf{"))
        let csv = try table.csv().split(separator: "\n")
        #expect(csv.count == 7 && csv[1].hasPrefix("uniform,accuracy,8,"))
        #expect(csv[1].hasSuffix(table.rows[0].values["accuracy"]!.map(Text.number).joined(separator: ";")))
        let widths = try table.text().split(separator: "\n").filter { $0.contains("±") && !$0.contains("seeds") }.map(
            \.count)
        #expect(widths.count == 3)
    }

    @Test("without control, with gaps, with one seed")
    func edges() throws {
        let gaps = ReportTable(
            title: "", rows: [.init(name: "a", values: ["x": [1]]), .init(name: "b", values: [:])], metrics: ["x"])
        #expect(try gaps.text().contains("1 seed;"))
        #expect(try gaps.text().contains("-"))
        var wrong = gaps
        wrong.control = "c"
        #expect { try wrong.text() } throws: { "\($0)".contains("no row 'c'") && "\($0)".contains("a, b") }
        let single = ReportTable(
            title: "", rows: [.init(name: "a", values: ["x": [1]]), .init(name: "b", values: ["x": [2]])],
            metrics: ["x"], control: "a")
        #expect(try single.cells()[1][0]?.p == nil)
        // Counts have no decimals.
        #expect(try single.text().contains(" 2 ") && !single.text().contains("2.0"))
        let unequal = ReportTable(
            title: "", rows: [.init(name: "a", values: ["x": [1, 2, 3]]), .init(name: "b", values: ["x": [5, 6]])],
            metrics: ["x"], control: "a")
        #expect(try unequal.cells()[1][0]?.isPaired == false)
        #expect(try abs(unequal.cells()[1][0]!.p! - 0.1) < 1e-12)
    }

    @Test("as a script calls it")
    func script() throws {
        func row(_ name: String, _ values: [Double]) -> Value {
            .fields([("name", .string(name)), ("accuracy", .list(values))])
        }
        let call = ReportFunctions.functions.first { $0.name == "table" }!
        guard
            case .object(let object) = try call.call([
                .fields([
                    ("rows", .list([row("a", [0.7, 0.71]), row("b", [0.74, 0.75])])), ("control", .string("a")),
                    ("percent", .bool(true)),
                ])
            ])[0]
        else { return }
        #expect(object.summary.contains("accuracy (%)") && object.summary.contains("+4.00"))
        #expect { try call.call([.fields([("rows", .list([.fields([("accuracy", .list([1.0]))])]))])]) } throws: {
            "\($0)".contains("row 1 has no name")
        }
    }

    @Test("a table names the seeds that gave no number, and has no p for them")
    func tables() throws {
        let table = ReportTable(
            title: "",
            rows: [
                .init(name: "a", seeds: [1, 2, 3], values: ["x": [0.5, 0.6, 0.7]]),
                .init(name: "b", seeds: [1, 2, 3], values: ["x": [0.5, .nan, 0.8]]),
            ], metrics: ["x"], control: "a")
        for text in [try table.text(), try table.markdown(), try table.latex()] {
            #expect(text.contains("Not finite: 'x' of 'b', seed 2") && text.contains("nan"), "\(text)")
            #expect(!text.contains("e+00"), "\(text)")
        }
        let cell = try #require(try table.cells()[1][0])
        #expect(cell.p?.isNaN == true && cell.adjustedP?.isNaN == true && !cell.isBold)
        #expect(try table.csv().contains("b,x,3,nan,nan,nan,nan,nan,true,false,0.5;nan;0.8"))
    }

    @Test("no line is wider than the terminal: metrics become blocks of rows", arguments: [24, 40, 60, 80, 120, 200])
    func width(columns: Int) throws {
        var table = table(seeds: 8)
        table.metrics += ["accuracy", "loss"]
        table.rows[1].name = "a name that is longer than any column of a small terminal could be"
        table.rows[0].runs = ["0fe33ed51b8a", "41f20a9c77de"]
        let text = try table.text(columns: columns)
        for line in text.split(separator: "\n") { #expect(Text.columns(String(line)) <= columns, "\(line)") }
        // Every value is there, whatever the width.
        let cells = try table.text().split { " \n*".contains($0) }.filter { $0.contains(".") && Double($0) != nil }
        for cell in cells { #expect(text.contains(cell), "\(cell)") }
        #expect(text.contains("0fe33ed5"))
    }

    @Test("a row names its run ids, in every form but the CSV of numbers")
    func runs() throws {
        var table = table(seeds: 3)
        table.rows[1].runs = ["0fe33ed51b8a", "41f20a9c77de"]
        #expect(try table.text().contains("runs of PreSim: 0fe33ed5 41f20a9c\n"))
        #expect(try table.markdown().contains("- runs of PreSim: 0fe33ed51b8a 41f20a9c77de"))
        #expect(try table.latex().contains("% runs of PreSim: 0fe33ed51b8a 41f20a9c77de"))
        #expect(try table.data().value(atPath: "rows")?.table?.items[1].table?["runs"]?.table?.items.count == 2)
    }

    @Test("the table as data has what it prints")
    func data() throws {
        let data = try table(seeds: 8).data()
        let row = try #require(data["rows"]?.table?.items[2].table)
        let cell = try #require(row.value(atPath: "metrics.accuracy")?.table)
        #expect(data["control"]?.string == "uniform" && row["name"]?.string == "both_100%")
        #expect(
            cell["mean"]?.double == (try table(seeds: 8).cells()[2][0]?.mean)
                && cell["bold"].map { JSON.text($0) } == "true")
        #expect(cell["values"]?.table?.items.count == 8 && cell["p_holm"]?.double != nil)
        #expect(data["notes"]?.table?.items.isEmpty == false)
    }

    @Test("intervals of paired differences: Student's t over the seeds")
    func differences() throws {
        var table = ReportTable(
            title: "",
            rows: [
                .init(name: "a", seeds: [1, 2, 3], values: ["x": [1, 2, 3]]),
                .init(name: "b", seeds: [3, 2, 1], values: ["x": [6, 4, 2]]),
                .init(name: "c", values: ["x": [5]]),
            ], metrics: ["x"])
        let found = table.differences("x", to: "a", level: 0.95)
        // Differences 1, 2, 3: 2 ± 4.302653 · 1 / √3
        #expect(
            found[0].isPaired && found[0].value == 2 && abs(found[0].high - (2 + 4.302653 / 3.0.squareRoot())) < 1e-6)
        #expect(!found[1].isPaired && found[1].value == 3 && found[1].low.isNaN)
        table.rows = []
        #expect(table.differences("x", to: "a", level: 0.95).isEmpty)
    }

    @Test("every function of bss.report says what it does, with an example")
    func documented() {
        for f in ReportFunctions.functions { #expect(!f.summary.isEmpty && f.example != nil, "\(f.name)") }
    }
}
