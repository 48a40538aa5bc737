import BSSCore
import Testing

/// What would count something twice, or drop what was named, is refused by name.
@Suite(.oneAtATime) struct ExperimentMistakeTests {
    private static let script = """
        local function told(f) print((select(2, pcall(f)))) end
        local function go(fields)
          local e = { name = "n" .. os.tmpname():gsub("%W", ""), seeds = 2, metrics = { "acc" },
            arms = { { name = "a", x = 1 }, { name = "b", x = 2 } },
            run = function(p, a, s) return { acc = s, cost = 1 } end }
          for k, v in pairs(fields) do e[k] = v end
          told(function() bss.experiment(e) return "done" end)
        end
        go{ metrics = { "acc", "acc" } }
        go{ facts = { "cost", "cost" } }
        go{ facts = { "csot" } }
        go{ facts = { "cost", "x" } }
        go{ lower_is_better = { "ac" } }
        go{ arms = { { name = "a" }, { name = "a" } } }
        go{ name = "one" }
        go{ name = "one" }
        go{ name = "one", seeds = 3 }
        local rows = { { name = "a", loss = { 1, 2 } }, { name = "b", loss = { 2, 3 } } }
        told(function() bss.report.table{ rows = rows, metrics = { "loss", "loss" } } end)
        told(function() bss.report.table{ rows = rows, lower_is_better = { "los" } } end)
        told(function() bss.report.table{ rows = rows, metrics = { "los" } } end)
        told(function() bss.report.table{ rows = { { name = "a", seeds = { 1, 1 }, y = { 1, 2 } } } } end)
        told(function() bss.report.table{ rows = { rows[1], rows[1] } } end)
        """

    private static let sweeps = """
        local function names(fields)
          local ok, arms = pcall(bss.sweep, fields)
          if not ok then return print(arms) end
          local out = {}
          for i, arm in ipairs(arms) do out[i] = arm.name end
          print(table.concat(out, "; "))
        end
        local pace = bss.pace
        names{ cross = { a = bss.choice{ pace.linear{}, pace.root{} } } }
        names{ cross = { a = bss.choice{ pace.linear{ t_grow = 3 }, pace.linear{ t_grow = 4 } } } }
        names{ cross = { a = bss.choice{ print, print } } }
        names{ cross = { a = bss.choice{ 1, "1", 2 } } }
        names{ cross = { a = bss.choice{ 1, 1.0 } } }
        names{ zip = { a = { 1, 1, 2 }, b = { 1, 2, 2 } } }
        names{ zip = { a = { 1, 1 }, b = { 1, 1 } } }
        names{ zip = { a = { 1 } }, cross = { a = { 2 } } }
        names{ cross = { a = bss.range{ 1, 1000 }, b = bss.range{ 1, 1000 }, c = bss.range{ 1, 1000 } } }
        """

    private func lines(_ script: String) throws -> [String] {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write("s.lua", script)
        let outcome = try program.run(["--quiet", "s.lua"], limit: 60)
        #expect(outcome.code == 0, "\(outcome.summary)")
        return outcome.output.split(separator: "\n").map(String.init)
    }

    private func expect(_ lines: [String], _ texts: [String]) {
        #expect(lines.count == texts.count, "\(lines)")
        for (line, text) in zip(lines, texts) { #expect(line.contains(text), "\(line) / \(text)") }
    }

    @Test func whatIsNamedTwiceOrIsNotThere() throws {
        expect(
            try lines(Self.script),
            [
                "the metric 'acc' comes twice", "the fact 'cost' comes twice", "did you mean 'cost'?", "done",
                "did you mean 'acc'?", "the arm 'a' comes twice", "done", "done", "another experiment 'one'",
                "the metric 'loss' comes twice", "did you mean 'loss'?", "did you mean 'loss'?", "seed '1' comes twice",
                "the row 'a' comes twice",
            ])
    }

    @Test func armsOfASweepAreToldApartAndCounted() throws {
        let lines = try lines(Self.sweeps)
        expect(
            lines,
            [
                "a = linear; a = root", "t_grow = 3", "#1; a = ", "a = 1; a = \"1\"; a = 2", "axis 'a' lists 1 twice",
                "a = 1, b = 1; a = 1, b = 2; a = 2, b = 2", "the arm 'a = 1, b = 1' comes twice",
                "'a' is an axis of cross and of zip", "1000 × 1000 × 1000 combinations are more than 1000000",
            ])
        #expect(lines.count > 2 && lines[1].contains("t_grow = 4") && lines[2].contains("#2"))
    }
}
