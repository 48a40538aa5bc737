import BSSCore
import Testing
import _BSSTestSupport

/// Results of experiments reach their runs.
@Suite(.oneAtATime) struct ExperimentResultTests {
    private static let experiment = """
        local exp = bss.experiment{
          name = "demo", arms = { { name = "uniform", s = "random" }, { name = "BSS-L", s = "learned" } }, seeds = 3,
          control = "uniform", metrics = { "test.total.accuracy", "val_best.test.strong.macro_f1" },
          run = function(p, arm, seed)
            return bss.train{ data = bss.data.synthetic{ samples = 300 }, epochs = 3, seed = seed, scheduler = arm.s }
          end }

        """

    @Test(
        "exp.runs[i] and runs_of: every run with its arm, seed, history, and its model on demand",
        arguments: [true, false])
    func runs(isRecorded: Bool) throws {
        try ScriptFeatureTests.check(
            Self.experiment + """
                assert(#exp.runs == 6 and exp.runs[1].arm == "uniform" and exp.runs[6].arm == "BSS-L")
                local of = exp:runs_of("BSS-L")
                assert(#of == 3 and of[2].seed == 2 and of[2].parameters_hash == exp.runs[5].parameters_hash)
                for k, v in ipairs(exp:values("BSS-L", "test.total.accuracy")) do
                  assert(of[k].result.selected.test.total.accuracy == v)
                end
                assert(#exp.runs[4].history == 3 and exp.runs[4].model and #exp.runs[4].scores == 180)
                assert(exp.runs[4]:predict("test"))
                fails("BSS-M|did you mean 'BSS-L'", exp.runs_of, exp, "BSS-M")
                """, recording: isRecorded)
    }

    @Test("an experiment whose function trains nothing has no runs, and says so")
    func none() throws {
        try ScriptFeatureTests.check(
            """
            local exp = bss.experiment{ name = "n", arms = { { name = "a" } }, metrics = { "y" },
              run = function(p, arm, seed) return { y = seed } end }
            assert(#exp.runs == 0)
            fails("trains nothing", exp.runs_of, exp, "a")
            fails("trains nothing", exp.curves, exp, "test.total.accuracy")
            """)
    }

    @Test("a run inside a table's function is the one that was trained")
    func inside() throws {
        try ScriptFeatureTests.check(
            """
            local exp = bss.experiment{ name = "n", arms = { { name = "a" } }, seeds = 2, metrics = { "y" },
              run = function(p, arm, seed)
                local run = bss.train{ data = bss.data.synthetic{ samples = 200 }, epochs = 1, seed = seed }
                return { y = run.history[1].train.loss }
              end }
            assert(exp.runs[2].history[1].train.loss == exp:values("a", "y")[2])
            """)
    }

    @Test("curves: mean and band over seeds per arm in one call")
    func curves() throws {
        try ScriptFeatureTests.check(
            Self.experiment + """
                local c = exp:curves("test.total.accuracy")
                assert(#c == 2 and c[2].name == "BSS-L" and c[2].seeds == 3 and #c[2].x == 3)
                local values = {}
                for k, run in ipairs(exp:runs_of("BSS-L")) do values[k] = run.history[2].test.total.accuracy end
                near(c[2].y[2], bss.stats.mean(values), 1e-12)
                near(c[2].high[2] - c[2].y[2], bss.stats.sd(values), 1e-9)
                assert(bss.plot.line(c):text{ width = 60 }:find("band: .* 3 seeds"))
                fails("did you mean 'test.total.accuracy'", exp.curves, exp, "test.total.acuracy")
                """)
    }

    @Test("plot: box, curves, forest")
    func plots() throws {
        try ScriptFeatureTests.check(
            Self.experiment + """
                assert(exp:plot{ kind = "box" }.kind == "box" and exp:plot().kind == "box")
                local curves = exp:plot{ kind = "curves", metric = "val_best.test.strong.macro_f1" }
                assert(curves.kind == "line" and #curves.series == 2)
                local forest = exp:plot{ kind = "forest" }
                local a, b = exp:values("uniform", "test.total.accuracy"), exp:values("BSS-L", "test.total.accuracy")
                near(forest.series[1].y[1], (b[1] + b[2] + b[3] - a[1] - a[2] - a[3]) / 3, 1e-12)
                assert(forest.notes[1]:find("paired t, 95 %%, 3 seeds"))
                assert(forest:csv():find("^series,category,x,y,low,high\\n,BSS%-L,1,"))
                fails("kind|forest", exp.plot, exp, { kind = "tree" })
                fails("arms: uniform, BSS-L", exp.plot, exp, { kind = "forest", control = "nobody" })
                """)
    }

    @Test("--json prints the table as data; the table in a terminal of 60 columns is no wider")
    func printed() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write("e.lua", Self.experiment + "print(exp)")
        let data = try program.run(["--quiet", "--json", "--out", "o", "e.lua"])
        let table = try JSON.parse(data.output).table
        #expect(table?["experiment"]?.string == "demo", "\(data.summary)")
        let ids = try table?["rows"]?.table?.items.flatMap { try #require($0.table?["runs"]?.table?.items) }
        #expect(
            ids?.count == 6 && ids?.allSatisfy { Files.exists("\(program.folder)/o/runs/\($0.string ?? "")") } == true)
        let narrow = try program.run(["--quiet", "--out", "o", "e.lua"], environment: ["COLUMNS": "60"])
        let lines = narrow.output.split(separator: "\n").filter { !$0.hasPrefix("written:") }
        #expect(lines.count > 10 && lines.allSatisfy { $0.count <= 60 }, "\(narrow.summary)")
    }
}
