import BSSCore
import Testing
import _BSSTestSupport

/// Trainings in scripts: parts written in Lua and what a run gives, each as a script with assertions.
@Suite(.oneAtATime) struct ScriptRunTests {
    // MARK: Parts written in Lua

    @Test("a custom loss equals the built-in one bit for bit where it says the same")
    func customLoss() throws {
        try ScriptFeatureTests.check(
            """
            local data = bss.data.synthetic{ samples = 200 }
            local function train(loss)
              return bss.train{ data = data, epochs = 3, w_multi = 1, w_uni = 1, loss = loss, record = false }
            end
            local own = train(function(output, labels)
              local sum = bss.cross_entropy(output.fused, labels)
              for _, name in ipairs(data.modalities) do sum = sum + bss.cross_entropy(output.unimodal[name], labels) end
              return sum
            end)
            local built_in = train()
            near(own.history[3].train.loss, built_in.history[3].train.loss, 1e-4)
            assert(own.history[3].train.loss < own.history[1].train.loss)
            local zero = train(function(output) return (output.fused * 0):sum() end)
            assert(zero.history[3].train.loss == 0)
            """)
    }

    @Test func customParts() throws {
        try ScriptFeatureTests.check(
            """
            local data = bss.data.synthetic{ samples = 150 }
            local n = #data.train
            -- Pace: a quarter, then everything.
            local pace = bss.pace.custom(function(t) return t < 2 and 0.25 or 1 end)
            assert(pace:at(0) == 0.25 and pace:at(5) == 1 and #pace:curve(4) == 4)
            local run = bss.train{ data = data, epochs = 3, batch_size = 8, record = false, \
            scheduler = bss.scheduler.heuristic{ pace = pace } }
            assert(run.history[1].samples == n // 4 and run.history[3].samples == n)
            -- Scheduler: every sample backwards, then the first ten, with weights.
            local epochs = {}
            local run = bss.train{ data = data, epochs = 2, batch_size = 8, record = false, \
            scheduler = bss.scheduler.custom(function(t, scores)
              epochs[#epochs + 1] = t
              assert(scores == nil)
              local order = {}
              for i = 1, n do order[i] = n + 1 - i end
              if t == 0 then return order end
              local weights = {}
              for i = 1, 10 do weights[i] = i / 10 end
              return { order = { table.unpack(order, n - 9) }, weights = weights }
            end) }
            assert(#epochs == 2 and run.history[1].samples == n and run.history[2].samples == 10 and \
            run.order[1] == 10 and run.order[10] == 1)
            -- Scheduler with scores of a measurer.
            local seen = 0
            bss.train{ data = data, epochs = 1, record = false, scheduler = bss.scheduler.custom{ function(t, scores)
              seen = #scores
              local order = {}
              for i = 1, n do order[i] = i end
              table.sort(order, function(a, b) return scores[a] > scores[b] end)
              return order
            end, measurer = bss.measurer{ "loss" } } }
            assert(seen == n)
            -- Criterion.
            local measurer = bss.measurer{ bss.criterion.custom{ function(e)
              assert(#e.labels == #e.loss and #e.logits.strong == #e.labels and #e.fused == #e.labels)
              return e.loss
            end, direction = "low" } }
            local a = bss.measure{ data = data, measurer = measurer }
            local b = bss.measure{ data = data, measurer = bss.measurer{ "loss" } }
            for i = 1, n do near(a.score[i], b.score[i], 1e-9) end
            fails("must return|numbers", bss.measure, { data = data, \
            measurer = bss.measurer{ bss.criterion.custom(function() return { 1 } end) } })
            fails("expected a fraction", bss.train, { data = data, epochs = 1, record = false, \
            scheduler = bss.scheduler.heuristic{ pace = bss.pace.custom(function() return 2 end) } })
            """)
    }

    // MARK: Runs

    @Test("a sample loss written in Lua; scores of another model by list and by file; a teacher that is followed")
    func curricula() throws {
        try ScriptFeatureTests.check(
            """
            local data = bss.data.synthetic{ samples = 120, classes = 3 }
            local function train(options)
              options.data, options.epochs, options.record = data, 2, false
              return bss.train(options)
            end
            local plain = train{}
            local seen = {}
            local same = train{ sample_loss = bss.sample_loss.custom{ function(losses, labels, epoch, positions)
              assert(#losses == #labels and #losses == #positions and positions[1] >= 1)
              seen[epoch] = true
              return losses
            end, on = "each" } }
            assert(same.parameters_hash == plain.parameters_hash and seen[1] and seen[2] and not seen[0])
            assert(train{ sample_loss = bss.sample_loss.custom(function(losses) \
            return losses * losses end) }.parameters_hash ~= plain.parameters_hash)
            fails("bss.sample_loss.custom|shape", train, { sample_loss = bss.sample_loss.custom(function(losses) \
            return losses:mean() end) })
            fails("sample_loss|bss.sample_loss.custom", train, { loss = function() end, sample_loss = "superloss" })
            -- Difficulties of a trained model of any kind.
            local difficulty = bss.measure{ data = data, model = plain.model, measurer = { "loss" } }.loss
            local by_list = train{ scheduler = bss.scheduler.transfer{ difficulty = difficulty } }
            local path = os.tmpname()
            local f = io.open(path, "w")
            f:write("difficulty\\n")
            for _, d in ipairs(difficulty) do f:write(("%.17g\\n"):format(d)) end
            f:close()
            assert(train{ scheduler = bss.scheduler.transfer{ scores = path } }.parameters_hash \
            == by_list.parameters_hash)
            os.remove(path)
            plain.model:save(path)
            local followed = train{ scheduler = bss.scheduler.adaptive{ checkpoint = path }, \
            sample_loss = bss.sample_loss.distillation{ checkpoint = path } }
            assert(followed.scores[1] <= 0)
            os.remove(path)
            """)
    }

    @Test("run.result, history, scores, order, config and model have the shapes of surface.md section 3")
    func runShapes() throws {
        try ScriptFeatureTests.check(
            """
            local data = bss.data.synthetic{ samples = 200 }
            assert(#data.modalities == 2 and data.classes == 6 and #data.train > 100 and #data.val > 0 and \
            #data.test > 0)
            local events = {}
            local run = bss.train{
              data = data, epochs = 4, batch_size = 32, seed = 3, alpha = 0.2, rebalance = "joint",
              scheduler = bss.scheduler.learned{ every = 2, beta = 0.6, \
            measurer = bss.measurer{ "prediction_similarity", "loss" } },
              optimizer = bss.optimizer.sgd{ learning_rate = 1e-2, momentum = 0.9, weight_decay = 1e-4 },
              on_epoch = function(e) events[#events + 1] = e end,
            }
            for _, selection in ipairs{ "last", "val_best", "test_best" } do
              for _, split in ipairs{ "train", "val", "test" } do
                assert(math.type(run.result[selection].epoch) == "integer" and run.result[selection][split].loss)
                for _, output in ipairs{ "total", "fused", "strong", "weak" } do
                  for _, metric in ipairs{ "accuracy", "map", "macro_f1", "weighted_f1", "loss" } do
                    assert(type(run.result[selection][split][output][metric]) == "number")
                  end
                end
              end
            end
            assert(#run.history == 4 and #events == 4 and events[2].epoch == 2 and events[2].t == 1 and \
            #events[1].order == #data.train and #events[1].scores == #data.train)
            for i, e in ipairs(run.history) do
              assert(e.epoch == i and e.learning_rate == 0.01 and e.samples == #data.train and e.seconds > 0 and \
            e.train.loss and e.val.total.accuracy and e.test.weak.map)
              assert(e.train.loss == events[i].train.loss)
            end
            assert(#run.scores == #data.train and #run.order == #data.train)
            local seen = {}
            for _, position in ipairs(run.order) do assert(position >= 1 and position <= #data.train and \
            not seen[position]); seen[position] = true end
            assert(#run.parameters_hash == 64 and run.model:hash() == run.parameters_hash and run.seconds > 0)
            assert(run.config.epochs == 4 and run.config.seed == 3 and run.config.scheduler.name == "learned" and \
            run.config.scheduler.score_interval == 2
              and run.config.optimizer.momentum == 0.9 and run.config.w_uni == 0.2 and run.config.w_multi == 0.8 and \
            run.config.model.fusion.name == "concat")
            assert(#run.id == 12 and run.folder:find(run.id, 1, true) and tostring(run):find("accuracy"))
            assert(#run.measurement.score == #data.train and #run.measurement.similarity == #data.train)
            fails("has no 'reslt'|did you mean 'result'?", function() return run.reslt end)
            """, recording: true)
    }

    @Test("on_epoch = false stops, and only false")
    func stop() throws {
        try ScriptFeatureTests.check(
            """
            local data = bss.data.synthetic{ samples = 100 }
            local run = bss.train{ data = data, epochs = 10, record = false, on_epoch = function(e) \
            return e.epoch < 3 end }
            assert(#run.history == 3 and run.result.last.epoch == 3)
            for _, value in ipairs{ 0, "", {} } do
              assert(#bss.train{ data = data, epochs = 2, record = false, on_epoch = function() \
            return value end }.history == 2)
            end
            assert(#bss.train{ data = data, epochs = 2, record = false, on_epoch = function() end }.history == 2)
            """)
    }

    @Test(
        """
        training inside a coroutine that yields from its callbacks is refused with a clear error, \
        and works without yields
        """
    )
    func coroutines() throws {
        try ScriptFeatureTests.check(
            """
            local data = bss.data.synthetic{ samples = 100 }
            local co = coroutine.wrap(function()
              coroutine.yield(bss.train{ data = data, epochs = 1, record = false }.parameters_hash)
              return bss.train{ data = data, epochs = 1, record = false }.parameters_hash
            end)
            assert(co() == co())
            local co = coroutine.create(function() bss.train{ data = data, epochs = 1, record = false, \
            on_epoch = function() coroutine.yield() end } end)
            local ok, e = coroutine.resume(co)
            assert(not ok and tostring(e):find("yield"), tostring(e))
            """)
    }

    @Test("a training goes on from another's model, and measure and bss.train leave it as it was")
    func modelsAreKept() throws {
        try ScriptFeatureTests.check(
            """
            local data = bss.data.synthetic{ samples = 150 }
            local first = bss.train{ data = data, epochs = 2, record = false }
            local hash = first.parameters_hash
            local m = bss.measure{ data = data, model = first.model, score_mode = "eval" }
            for _, key in ipairs{ "score", "similarity", "loss", "rank" } do assert(#m[key] == #data.train, key) end
            local ranks = { table.unpack(m.rank) }
            table.sort(ranks)
            for i, r in ipairs(ranks) do assert(i == r) end
            assert(#bss.measure{ data = data, model = first.model, split = "test" }.score == #data.test)
            assert(first.model:hash() == hash)
            local second = bss.train{ data = data, model = first.model, epochs = 1, record = false }
            assert(first.model:hash() == hash and second.model:hash() ~= hash)
            assert(second.history[1].train.loss < first.history[1].train.loss)
            """)
    }
}
