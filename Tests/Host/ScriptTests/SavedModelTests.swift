import BSSCore
import Testing

/// A model's file is all that another process needs: no script, no data that it was trained on.
@Suite struct SavedModelTests {
    private static let data = "local d = bss.data.synthetic{ samples = 300, classes = 3 }\n"

    @Test func aFreshProcessPredictsTheSame() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write(
            "train.lua",
            SavedModelTests.data + """
                local run = bss.train{ data = d, epochs = 2, record = false }
                run.model:save("m.safetensors")
                local p = run:predict("test")
                assert(p.accuracy == run.result.last.test.total.accuracy)
                assert(bss.accuracy(p.logits, p.labels) == p.accuracy)
                print(p.accuracy, run.model:hash())
                """)
        try program.write(
            "score.lua",
            SavedModelTests.data + """
                local m = bss.model.load("m.safetensors")
                print(m:predict{ d.test, csv = "p.csv" }.accuracy, m:hash())
                assert(m:predict{ data = d, split = "test", missing = "weak" }.accuracy < 1)
                local ok, message = pcall(m.predict, m, { data = d, missing = "weka" })
                assert(not ok and tostring(message):find("did you mean 'weak'", 1, true), message)
                """)
        let trained = try program.run(["--quiet", "train.lua"])
        let scored = try program.run(["--quiet", "score.lua"])
        #expect(trained.code == 0 && scored.code == 0, "\(trained.summary) \(scored.summary)")
        #expect(trained.output == scored.output && !trained.output.isEmpty)
        let rows = try Files.readText("\(program.folder)/p.csv").split(separator: "\n")
        #expect(rows.first == "id,label,predicted,correct,p(0),p(1),p(2)" && rows.count == 91)
    }

    @Test func confusionCountsEverySample() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write(
            "s.lua",
            SavedModelTests.data + """
                local run = bss.train{ data = d, epochs = 2, record = false }
                local c, sum, right = run:confusion("test", "strong"), 0, 0
                for i, row in ipairs(c.counts) do
                  for _, n in ipairs(row) do sum = sum + n end
                  right = right + row[i]
                end
                assert(sum == #d.test and right / sum == run.result.last.test.strong.accuracy)
                assert(tostring(c:plot()):find("predicted", 1, true))
                """)
        let run = try program.run(["--quiet", "s.lua"])
        #expect(run.code == 0, "\(run.summary)")
    }
}
