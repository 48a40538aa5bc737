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
                local nan = bss.accuracy(bss.tensor{ { 1, 0 / 0 }, { 3, 4 } }, bss.tensor{ 1, 2 })
                assert(nan ~= nan and not pcall(bss.accuracy, bss.zeros{ 1, 0 }, bss.tensor{ 1 }))
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

    @Test("the file says its architecture, statistics, names, shapes, engine and script; missing where fusions allow")
    func whatAFileSays() throws {
        try ScriptFeatureTests.check(
            SavedModelTests.data + """
                local path = os.tmpname()
                bss.model{ strong = bss.encoder.mlp{ hidden = { 9 } }, weak = "mlp" }:build(d):save(path)
                local told = bss.model.load(path).description
                assert(told.model.encoders.strong.hidden[1] == 9 and told.model.fusion.name == "concat")
                assert(#told.modalities[1].mean == 100 and #told.modalities[2].deviation == 74)
                assert(told.modalities[2].name == "weak" and told.modalities[2].shape[1] == 74)
                assert(#told.classes == 3 and told.identity.engine.build == bss.engine().build)
                assert(told.identity.script and next(told.identity.sources))
                os.remove(path)
                local both = bss.model{ strong = "mlp", weak = "mlp", fusion = "gated" }:build(d)
                local ok, message = pcall(both.predict, both, { data = d, missing = "weak" })
                assert(ok or tostring(message):find("missing"), tostring(message))
                """)
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

    @Test("predict takes raw tensors by name, and a table of options behind the data; nothing is ignored")
    func waysOfAsking() throws {
        try ScriptFeatureTests.check(
            SavedModelTests.data + """
                local m = bss.model{ strong = "mlp", weak = "mlp" }:build(d)
                local x = { strong = bss.randn{ 2, 100 }, weak = bss.randn{ 2, 74 } }
                assert(m:predict{ strong = x.strong, weak = x.weak }.logits == m:predict{ data = x }.logits)
                assert(m:predict{ strong = x.strong, missing = "weak" }.predicted:shape()[1] == 2)
                assert(m:predict(d, { missing = "weak", split = "test" }).accuracy
                  == m:predict{ data = d, split = "test", missing = "weak" }.accuracy)
                fails("did you mean 'missing'?", m.predict, m, { data = d, mising = "weak" })
                fails("no modality 'weka'|did you mean 'weak'?", m.predict, m, { strong = x.strong, weka = x.weak })
                fails("no modality 'third'", m.forward, m, { strong = x.strong, weak = x.weak, third = x.weak })
                fails("'split' expects|did you mean 'test'?", m.predict, m, { data = d, split = "tset" })
                fails("raw tensors have no split", m.predict, m, { data = x, split = "test" })
                fails("option 'data' is missing", m.predict, m, { split = "test" })
                """)
    }

    @Test("shape errors name the modality, also where a fusion couples the encoders")
    func shapesOfModalities() throws {
        try ScriptFeatureTests.check(
            SavedModelTests.data + """
                local m = bss.model{ strong = "mlp", weak = "mlp" }:build(d)
                local function run(strong, weak)
                  return m.forward, m, { strong = bss.randn(strong), weak = bss.randn(weak) }
                end
                fails("modality 'strong': |[2, 99] does not fit weight [100,", run({ 2, 99 }, { 2, 74 }))
                fails("modality 'weak': shape [3, 74], but 'strong' has 2 samples", run({ 2, 100 }, { 3, 74 }))
                fails("modality 'weak': samples of the tensor have the shape [7]", m.predict, m,
                  { strong = bss.randn{ 2, 100 }, weak = bss.randn{ 2, 7 } })
                fails("modality 'strong' has samples of shape [100], a cnn needs", bss.train,
                  { data = d, model = bss.model{ strong = "cnn", weak = "mlp" } })
                """)
    }

    @Test("samples as tensors, for steps written in Lua")
    func batches() throws {
        try ScriptFeatureTests.check(
            SavedModelTests.data + """
                local b = bss.batch(d.test, { 3, 1 })
                assert(b.inputs.weak:shape()[1] == 2 and b.labels:totable()[2] == d.test.classes[1])
                assert(b.ids[1] == d.test.ids[3] and math.abs(b.inputs.strong[2][5] - d.test[1].strong[5]) < 1e-6)
                assert(bss.batch(d.train).labels:shape()[1] == #d.train and bss.batch(d).labels:shape()[1] == #d)
                fails("there is no sample 0", bss.batch, d.test, { 0 })
                fails("expects a split", bss.batch, { 1, 2 })
                """)
    }
}
