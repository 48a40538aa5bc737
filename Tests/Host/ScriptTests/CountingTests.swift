import Testing
import _BSSTestSupport

/// What counts from 1 and what from 0 (surface.md, section 6), wherever a script meets it.
@Suite(.oneAtATime) struct CountingTests {
    private func check(_ body: String, _ options: [String] = []) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.script(ScriptFeatureTests.prelude + body, options)
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.summary)")
    }

    @Test("labels are class positions from 1 in every function of a script: argmax:eq(labels) is the accuracy")
    func labels() throws {
        try check(
            """
            -- Stored labels are not positions: 10, 20, 30 in the order of their names.
            local data = bss.data.synthetic{ samples = 240, classes = 3 }
            local function right(logits, labels)
              local n = 0
              for i = 1, #labels do
                assert(math.type(labels[i]) == "integer" and labels[i] >= 1 and labels[i] <= data.classes)
                if logits:argmax{ axis = 2 }[i] == labels[i] then n = n + 1 end
              end
              return n
            end
            -- An option of training: over an epoch, what the loss sees are the training accuracies.
            local hits, seen = 0, 0
            local run = bss.train{ data = data, epochs = 6, record = false, loss = function(o, y)
              hits, seen = hits + right(o.fused, y), seen + #y
              local equal = o.fused:argmax{ axis = 2 }:eq(y):to("f32"):sum():item()
              assert(equal == right(o.fused, y))
              return bss.cross_entropy(o.fused, y) + bss.cross_entropy(o.unimodal.strong, y)
            end, on_epoch = function(e)
              near(hits / seen, e.train.fused.accuracy, 1e-9)
              hits, seen = 0, 0
            end }
            assert(run.result.last.train.fused.accuracy > 0.6)
            -- Hooks of a method.
            local checks = 0
            local function look(logits, labels)
              assert(right(logits, labels) >= 0.2 * #labels)
              checks = checks + 1
            end
            local model = run.model
            local function train(hooks)
              bss.train{ data = data, model = model, epochs = 1, record = false, \
            rebalance = bss.rebalance.custom(hooks) }
            end
            train{ loss = function(ctx, out, labels) look(out.fused, labels); \
            return bss.cross_entropy(out.fused, labels, 0, "none") end }
            train{ grads = function(ctx, grads, out, labels) look(out.fused, labels) end }
            train{ epoch = function(ctx, phase) local s = ctx:scan("train"); look(s.fused, s.labels) end }
            train{ step = function(ctx, batch)
              for i, position in ipairs(batch.positions) do assert(batch.labels[i] == data.train.classes[position]) end
              checks = checks + 1
              return { { loss = function(out) look(out.fused, batch.labels); \
            return bss.cross_entropy(out.fused, batch.labels) end } }
            end }
            bss.train{ data = data, model = model, epochs = 1, record = false, \
            sample_loss = bss.sample_loss.custom{ function(losses, labels, epoch, positions)
              for i, position in ipairs(positions) do assert(labels[i] == data.train.classes[position]) end
              checks = checks + 1
              return losses
            end, on = "fused" } }
            assert(checks > 12)
            -- Criteria and measurers: positions in, positions out.
            local measured = bss.measure{ data = data, model = model, \
            measurer = bss.measurer{ bss.criterion.custom(function(e)
              for i, label in ipairs(e.labels) do assert(label == data.train.classes[i]) end
              return e.loss
            end) } }
            local z = { { 0, 2, 0 }, { 3, 0, 0 } }
            local r = bss.measurer{ "loss" }:score{ logits = { a = z }, fused = z, labels = { 2, 1 }, w_multi = 1, \
            w_uni = 0 }
            near(r.loss[1], math.log(math.exp(2) + 2) - 2)
            near(r.loss[2], math.log(math.exp(3) + 2) - 3)
            near(bss.criterion.loss{}:values{ logits = { a = z }, fused = z, labels = { 2, 1 }, w_multi = 1, \
            w_uni = 0 }[1], r.loss[1])
            near(bss.cross_entropy(bss.tensor(z), bss.tensor({ 2, 1 }, "i64"), 0, "none")[2], r.loss[2])
            -- Stored labels name the classes.
            local same = bss.measurer{ "loss" }:score{ logits = { a = z }, fused = z, labels = { "cat", "ant" }, \
            classes = { "ant", "cat", "dog" }, w_multi = 1, w_uni = 0 }
            near(same.loss[1], r.loss[1])
            for i, class in ipairs(data.train.classes) do
              assert(tostring(data.train[i].label) == tostring(data.class_names[class]))
            end
            -- 0 and C + 1 are no positions.
            local m = bss.measurer{ "loss" }
            fails("label 1 is integer 0|from 1", m.score, m, { logits = { a = z }, fused = z, labels = { 0, 1 } })
            fails("label 4 of sample 2|from 1 to 3", m.score, m, { logits = { a = z }, fused = z, labels = { 1, 4 } })
            local s = bss.scheduler.heuristic{ class_balance = "per_class", lambda_0 = 0.5 }
            assert(#s:order{ 0, { 4, 3, 2, 1 }, labels = { 1, 1, 2, 2 } } == 2)
            for _, bad in ipairs{ 0, 1 << 62, math.maxinteger, -1 } do
              fails("class positions from 1", s.order, s, { 0, { 4, 3, 2, 1 }, labels = { 1, 1, 2, bad } })
            end
            """)
    }

    @Test("epochs count from 1 in callbacks, records, results and messages; t counts from 0 in paces and schedulers")
    func epochs() throws {
        try check(
            """
            local data = bss.data.synthetic{ samples = 120, classes = 3 }
            local times, seen = {}, {}
            local run = bss.train{
              data = data, epochs = 3, record = false,
              scheduler = bss.scheduler.heuristic{ pace = bss.pace.custom(function(t) times[#times + 1] = t; \
            return 0.5 end) },
              on_epoch = function(e) assert(e.t == e.epoch - 1); seen[#seen + 1] = e.epoch end,
            }
            assert(table.concat(seen, " ") == "1 2 3" and times[1] == 0, table.concat(times, " "))
            for i, record in ipairs(run.history) do assert(record.epoch == i) end
            assert(run.result.last.epoch == 3)
            local best = run.result.val_best
            assert(run.history[best.epoch].val.total.accuracy == best.val.total.accuracy)
            assert(tostring(run):find("val_best = epoch " .. best.epoch, 1, true))
            assert(bss.pace.linear{ lambda_0 = 0.1, t_grow = 10 }:at{ t = 0 } == 0.1)
            assert(#bss.scheduler.random{ pace = "root" }:order{ t = 0, n = 500 } \
            == bss.scheduler.random{ pace = "root" }:size{ t = 0, n = 500 })
            local phases = {}
            bss.train{ data = data, epochs = 2, record = false, rebalance = \
            bss.rebalance.custom{ epoch = function(ctx, phase)
              phases[#phases + 1] = phase .. ctx.epoch .. ctx.t
            end } }
            assert(table.concat(phases, " ") == "begin10 end10 begin21 end21", table.concat(phases, " "))
            fails("at epoch 2, step", bss.train, { data = data, epochs = 3, record = false, \
            sample_loss = bss.sample_loss.custom(function(losses, labels, epoch)
              return epoch == 2 and losses * (0/0) or losses
            end) })
            fails("at t = 1 the function", bss.train, { data = data, epochs = 3, record = false, \
            scheduler = bss.scheduler.custom(function(t)
              return t == 0 and { 1, 2, 3 } or "none"
            end) })
            """)
    }

    @Test("records in files count epochs from 1")
    func files() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.script(
            "bss.train{ data = bss.data.synthetic{ samples = 120, classes = 3 }, epochs = 2, name = 'x' }",
            ["--out", "runs"])
        #expect(outcome.code == 0, "\(outcome.summary)")
        let listed = try program.run(["-e", "for f in io.popen('ls -d runs/runs/*/'):lines() do io.write(f) end"])
        let folder = listed.output
        for name in ["metrics.jsonl", "trace.jsonl"] {
            let text = try program.run(["-e", "io.write(io.open('\(folder)\(name)'):read('a'))"]).output
            #expect(text.contains("{\"step\":1,") && text.contains("{\"step\":2,"), "\(name): \(text.prefix(200))")
            #expect(!text.contains("{\"step\":0,") && !text.contains("{\"step\":3,"))
        }
        let record = try program.read(folder + "run.json")
        #expect(
            record.value(atPath: "history.1.epoch")?.int == 1 && record.value(atPath: "result.last.epoch")?.int == 2)
    }
}
