import BSSCore
import Testing
import _BSSTestSupport

/// What scripts can do, each as a script with assertions.
@Suite(.oneAtATime) struct ScriptFeatureTests {
    static let prelude = """
        local function near(a, b, eps) assert(math.abs(a - b) <= (eps or 1e-5) * math.max(1, math.abs(b)), ("%.9g, expected %.9g"):format(a, b)) end
        local function fails(text, f, ...)
          local ok, e = pcall(f, ...)
          assert(not ok, "no error; expected: " .. text)
          for part in text:gmatch("[^|]+") do assert(tostring(e):find(part, 1, true), tostring(e) .. "\\n  lacks: " .. part) end
        end

        """

    private func check(_ body: String, _ options: [String] = [], recording: Bool = false) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.script(Self.prelude + body, recording ? ["--out", "runs"] + options : options)
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.summary)")
    }

    // MARK: Tensors

    @Test func tensorBasics() throws {
        try check(
            """
            local t = bss.tensor{ {1, 2, 3}, {4, 5, 6} }
            local s = t:shape()
            assert(#s == 2 and s[1] == 2 and s[2] == 3 and #t == 2 and t:numel() == 6 and t:dim() == 2)
            assert(t[2][3] == 6 and t[-1][1] == 4 and t[3] == nil and t[0] == nil)
            assert(t:totable()[1][2] == 2 and t:size(1) == 2 and t:size(-1) == 3)
            -- Operators and broadcasting, with numbers on either side.
            assert((t + 1)[1][1] == 2 and (1 - t)[2][3] == -5 and (t * t)[2][1] == 16 and (2 / t)[1][2] == 1 and (-t)[1][1] == -1 and (t ^ 2)[2][2] == 25)
            local b = t + bss.tensor{ {10}, {20} } + bss.tensor{ 100, 200, 300 }
            assert(b[1][1] == 111 and b[2][3] == 326)
            -- Axes from 1, negative from the end.
            assert(t:sum():item() == 21)
            assert(t:sum{ axis = 1 }[3] == 9 and t:sum{ axis = -1 }[2] == 15 and t:sum(2)[1] == 6)
            assert(t:mean{ axis = 2, keep = true }:shape()[2] == 1)
            assert(t:max{ axis = 1 }[2] == 5 and t:argmax{ axis = 2 }[1] == 3 and t:argmin{ axis = 1 }[1] == 1)
            near(t:softmax{ axis = 2 }:sum{ axis = -1 }[1], 1)
            near(bss.tensor{ 3, 4 }:norm():item(), 5)
            near(t:var{ axis = 2 }[1], 1)
            assert(t:t():shape()[1] == 3 and t:reshape{ 3, -1 }:shape()[2] == 2 and t:transpose(1, -1)[3][2] == 6)
            assert(t:narrow{ axis = 2, from = 2, to = 3 }[2][1] == 5 and t:narrow{ axis = 2, from = -1 }[1][1] == 3)
            assert(t:matmul(t:t())[2][2] == 77)
            local values, places = bss.tensor{ 3, 1, 2 }:sort()
            assert(values[1] == 1 and places[1] == 2)
            assert(bss.concat({ t, t }, 1):shape()[1] == 4 and bss.stack({ t, t }, 1):shape()[1] == 2)
            assert(bss.where(t:gt(2), t, 0)[1][2] == 0 and t:index_select{ axis = 2, positions = { 3, 1 } }[1][1] == 3)
            local big = bss.tensor({ 1, 2 }, "i64")
            assert(big:dtype() == "i64" and math.type(big[1]) == "integer" and math.type(big:totable()[2]) == "integer")
            assert(tostring(t):find("[2, 3]", 1, true) and tostring(bss.ones{ 100, 100 }):find("mean"))
            assert(bss.arange(4)[4] == 3 and bss.eye(2)[2][2] == 1 and bss.full({ 2 }, 7)[2] == 7)
            """)
    }

    @Test func tensorErrors() throws {
        try check(
            """
            local t, u = bss.ones{ 2, 3 }, bss.ones{ 4 }
            fails("add|[2, 3]|[4]", function() return t + u end)
            fails("matmul|[2, 3]|[4]", t.matmul, t, u)
            fails("sum|axis|3", t.sum, t, { axis = 3 })
            fails("'axis' expects|axes start at 1", t.sum, t, { axis = 0 })
            fails("unknown option 'axes'|did you mean 'axis'?", t.sum, t, { axes = 1 })
            fails("reshape|[2, 3]|[4, 2]", t.reshape, t, { 4, 2 })
            fails("concat", bss.concat, { t, u }, 1)
            fails("has no 'summ'|did you mean 'sum'?", function() return t:summ() end)
            fails("read-only", function() t.x = 1 end)
            fails("bss.tensor|lists of different lengths", bss.tensor, { { 1, 2 }, { 3 } })
            fails("bss.tensor|string", bss.tensor, { 1, "x" })
            fails("sizes", bss.zeros, { -1 })
            fails("item|[2, 3]", t.item, t)
            fails("cannot combine", function() return t + "x" end)
            fails("tensor:matmul|'other' is missing", function() return t:matmul() end)
            fails("dtype|f16", bss.zeros, { 2, dtype = "f16" })
            fails("assign|[2, 3]|[4]", t.assign, t, u)
            fails("cross_entropy|label 1 is 0|from 1 to 3", bss.cross_entropy, t, bss.tensor({ 0, 3 }, "i64"))
            fails("cross_entropy|label 2 is 4|from 1 to 3", bss.cross_entropy, t, bss.tensor({ 1, 4 }, "i64"))
            fails("cross_entropy|label 1 is 0.7", bss.cross_entropy, t, bss.tensor{ 0.7, 1 })
            fails("cross_entropy|label 1 is nan", bss.cross_entropy, t, bss.tensor{ 0/0, 1 })
            """)
    }

    // MARK: Derivatives

    @Test func gradients() throws {
        try check(
            """
            local w = bss.tensor{ 1, 2, 3 }
            local g, value = bss.grad(function() return (w * w):sum() end, { w })
            assert(g[1][2] == 4 and value:item() == 14)
            local g = bss.grad(function() return (w:exp() * 2):sum() end, { weight = w })
            near(g.weight[1], 2 * math.exp(1))
            local g = bss.grad(function() return w:mean() end, w)
            near(g[3], 1 / 3)
            local other = bss.ones{ 2 }
            assert(bss.grad(function() return w:sum() end, { w, other })[2][1] == 0)
            fails("scalar|[3]|:sum()", bss.grad, function() return w * 2 end, { w })
            fails("must return a tensor", bss.grad, function() return 3 end, { w })
            fails("expected a tensor", bss.grad, function() return w:sum() end, { 3 })
            fails("float", bss.grad, function() return w:sum() end, { bss.tensor({ 1 }, "i64") })
            """)
    }

    @Test("an mlp and its training step written by hand in Lua learns")
    func handWrittenTraining() throws {
        try check(
            """
            local data = bss.data.synthetic{ samples = 400, classes = 3, modalities = { a = { dim = 10 } }, imbalanced = 0 }
            local function inputs(split)
              local rows, labels = {}, {}
              for i = 1, #split do rows[i] = split[i].a; labels[i] = split.classes[i] end
              return bss.tensor(rows), bss.tensor(labels, "i64")
            end
            local x, y = inputs(data.train)
            local p = {
              w1 = bss.randn{ 10, 16, std = 0.3 }, b1 = bss.zeros{ 16 }, w2 = bss.randn{ 16, 3, std = 0.3 }, b2 = bss.zeros{ 3 },
            }
            local function logits(x) return (x:matmul(p.w1) + p.b1):relu():matmul(p.w2) + p.b2 end
            local first, last
            for step = 1, 80 do
              local g, loss = bss.grad(function() return bss.cross_entropy(logits(x), y) end, p)
              for name, w in pairs(p) do w:assign(w - g[name] * 0.5) end
              first, last = first or loss:item(), loss:item()
            end
            assert(last < 0.3 * first, first .. " -> " .. last)
            local xt, yt = inputs(data.test)
            local right = logits(xt):argmax{ axis = 2 }:eq(yt):to("f32"):mean():item()
            assert(right > 0.8, right)
            """)
    }

    @Test("a model trained by hand through forward and parameters")
    func handWrittenModelStep() throws {
        try check(
            """
            local data = bss.data.synthetic{ samples = 120, classes = 3, modalities = { a = { dim = 6 }, b = { dim = 5 } } }
            local model = bss.model{ a = bss.encoder.mlp{ hidden = { 8 } }, b = "mlp" }:build(data)
            local batch = { a = bss.randn{ 9, 6 }, b = bss.randn{ 9, 5 } }
            local y = bss.tensor({ 1, 2, 3, 1, 2, 3, 1, 2, 3 }, "i64")
            local p = model:parameters()
            local before = model:hash()
            local first, last
            for i = 1, 60 do
              local g, loss = bss.grad(function()
                local o = model:forward(batch)
                return bss.cross_entropy(o.fused, y) + bss.cross_entropy(o.unimodal.a, y) * 0.5
              end, p)
              for name, w in pairs(p) do w:assign(w - g[name] * 0.3) end
              first, last = first or loss:item(), loss:item()
            end
            assert(last < 0.5 * first and model:hash() ~= before, first .. " -> " .. last)
            fails("no input for modality 'b'", model.forward, model, { a = batch.a })
            model:save("m.safetensors")
            local copy = bss.model{ a = bss.encoder.mlp{ hidden = { 8 } }, b = "mlp" }:build(data, 5)
            assert(copy:hash() ~= model:hash())
            assert(copy:load("m.safetensors"):hash() == model:hash())
            """)
    }

    // MARK: Parts written in Lua

    @Test("a custom loss equals the built-in one bit for bit where it says the same")
    func customLoss() throws {
        try check(
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
        try check(
            """
            local data = bss.data.synthetic{ samples = 150 }
            local n = #data.train
            -- Pace: a quarter, then everything.
            local pace = bss.pace.custom(function(t) return t < 2 and 0.25 or 1 end)
            assert(pace:at(0) == 0.25 and pace:at(5) == 1 and #pace:curve(4) == 4)
            local run = bss.train{ data = data, epochs = 3, batch_size = 8, record = false, scheduler = bss.scheduler.heuristic{ pace = pace } }
            assert(run.history[1].samples == n // 4 and run.history[3].samples == n)
            -- Scheduler: every sample backwards, then the first ten, with weights.
            local epochs = {}
            local run = bss.train{ data = data, epochs = 2, batch_size = 8, record = false, scheduler = bss.scheduler.custom(function(t, scores)
              epochs[#epochs + 1] = t
              assert(scores == nil)
              local order = {}
              for i = 1, n do order[i] = n + 1 - i end
              if t == 0 then return order end
              local weights = {}
              for i = 1, 10 do weights[i] = i / 10 end
              return { order = { table.unpack(order, n - 9) }, weights = weights }
            end) }
            assert(#epochs == 2 and run.history[1].samples == n and run.history[2].samples == 10 and run.order[1] == 10 and run.order[10] == 1)
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
            fails("must return|numbers", bss.measure, { data = data, measurer = bss.measurer{ bss.criterion.custom(function() return { 1 } end) } })
            fails("expected a fraction", bss.train, { data = data, epochs = 1, record = false, scheduler = bss.scheduler.heuristic{ pace = bss.pace.custom(function() return 2 end) } })
            """)
    }

    // MARK: Runs

    @Test("a sample loss written in Lua; scores of another model by list and by file; a teacher that is followed")
    func curricula() throws {
        try check(
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
            assert(train{ sample_loss = bss.sample_loss.custom(function(losses) return losses * losses end) }.parameters_hash ~= plain.parameters_hash)
            fails("bss.sample_loss.custom|shape", train, { sample_loss = bss.sample_loss.custom(function(losses) return losses:mean() end) })
            fails("sample_loss|bss.sample_loss.custom", train, { loss = function() end, sample_loss = "superloss" })
            -- Difficulties of a trained model of any kind.
            local difficulty = bss.measure{ data = data, model = plain.model, measurer = { "loss" } }.loss
            local by_list = train{ scheduler = bss.scheduler.transfer{ difficulty = difficulty } }
            local path = os.tmpname()
            local f = io.open(path, "w")
            f:write("difficulty\\n")
            for _, d in ipairs(difficulty) do f:write(("%.17g\\n"):format(d)) end
            f:close()
            assert(train{ scheduler = bss.scheduler.transfer{ scores = path } }.parameters_hash == by_list.parameters_hash)
            os.remove(path)
            plain.model:save(path)
            local followed = train{ scheduler = bss.scheduler.adaptive{ checkpoint = path }, sample_loss = bss.sample_loss.distillation{ checkpoint = path } }
            assert(followed.scores[1] <= 0)
            os.remove(path)
            """)
    }

    @Test("run.result, history, scores, order, config and model have the shapes of surface.md section 3")
    func runShapes() throws {
        try check(
            """
            local data = bss.data.synthetic{ samples = 200 }
            assert(#data.modalities == 2 and data.classes == 6 and #data.train > 100 and #data.val > 0 and #data.test > 0)
            local events = {}
            local run = bss.train{
              data = data, epochs = 4, batch_size = 32, seed = 3, alpha = 0.2, rebalance = "joint",
              scheduler = bss.scheduler.learned{ every = 2, beta = 0.6, measurer = bss.measurer{ "prediction_similarity", "loss" } },
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
            assert(#run.history == 4 and #events == 4 and events[2].epoch == 2 and events[2].t == 1 and #events[1].order == #data.train and #events[1].scores == #data.train)
            for i, e in ipairs(run.history) do
              assert(e.epoch == i and e.learning_rate == 0.01 and e.samples == #data.train and e.seconds > 0 and e.train.loss and e.val.total.accuracy and e.test.weak.map)
              assert(e.train.loss == events[i].train.loss)
            end
            assert(#run.scores == #data.train and #run.order == #data.train)
            local seen = {}
            for _, position in ipairs(run.order) do assert(position >= 1 and position <= #data.train and not seen[position]); seen[position] = true end
            assert(#run.parameters_hash == 64 and run.model:hash() == run.parameters_hash and run.seconds > 0)
            assert(run.config.epochs == 4 and run.config.seed == 3 and run.config.scheduler.name == "learned" and run.config.scheduler.score_interval == 2
              and run.config.optimizer.momentum == 0.9 and run.config.w_uni == 0.2 and run.config.w_multi == 0.8 and run.config.model.fusion.name == "concat")
            assert(#run.id == 12 and run.folder:find(run.id, 1, true) and tostring(run):find("accuracy"))
            assert(#run.measurement.score == #data.train and #run.measurement.similarity == #data.train)
            fails("has no 'reslt'|did you mean 'result'?", function() return run.reslt end)
            """, recording: true)
    }

    @Test("on_epoch = false stops, and only false")
    func stop() throws {
        try check(
            """
            local data = bss.data.synthetic{ samples = 100 }
            local run = bss.train{ data = data, epochs = 10, record = false, on_epoch = function(e) return e.epoch < 3 end }
            assert(#run.history == 3 and run.result.last.epoch == 3)
            for _, value in ipairs{ 0, "", {} } do
              assert(#bss.train{ data = data, epochs = 2, record = false, on_epoch = function() return value end }.history == 2)
            end
            assert(#bss.train{ data = data, epochs = 2, record = false, on_epoch = function() end }.history == 2)
            """)
    }

    @Test(
        "training inside a coroutine that yields from its callbacks is refused with a clear error, and works without yields"
    )
    func coroutines() throws {
        try check(
            """
            local data = bss.data.synthetic{ samples = 100 }
            local co = coroutine.wrap(function()
              coroutine.yield(bss.train{ data = data, epochs = 1, record = false }.parameters_hash)
              return bss.train{ data = data, epochs = 1, record = false }.parameters_hash
            end)
            assert(co() == co())
            local co = coroutine.create(function() bss.train{ data = data, epochs = 1, record = false, on_epoch = function() coroutine.yield() end } end)
            local ok, e = coroutine.resume(co)
            assert(not ok and tostring(e):find("yield"), tostring(e))
            """)
    }

    @Test("a training goes on from another's model, and measure and bss.train leave it as it was")
    func modelsAreKept() throws {
        try check(
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

    @Test("parts can be looked at without a training")
    func parts() throws {
        try check(
            """
            local pace = bss.pace.root{ lambda_0 = 0.1, t_grow = 40 }
            near(pace:at(10), 0.507445, 1e-5)
            assert(#pace:curve(50) == 50 and pace:curve(50)[50] == 1 and pace.lambda_0 == 0.1 and pace.name == "root")
            local m = bss.measurer{ "prediction_similarity", "loss" }:score{ logits = { a = { {2, 0}, {0, 1} }, b = { {1, 0}, {3, 0} } }, fused = { {3, 0}, {3, 1} }, labels = { 1, 2 } }
            assert(#m.score == 2 and m.score[1] > m.score[2] and m.rank[1] == 1)
            local order = bss.scheduler.heuristic{ lambda_0 = 0.5, t_grow = 4 }:order(0, { 0.1, 0.9, 0.5, 0.7 })
            table.sort(order)
            assert(#order >= 2)
            assert(tostring(bss.scheduler.learned{ every = 3 }):find("score_interval = 3", 1, true))
            local config = bss.preset.paper("crema_d")
            assert(type(config) == "table" and next(config))
            assert(#bss.preset.diff(bss.preset.paper("crema_d"), bss.preset.official("crema_d")) > 0)
            """)
    }

    @Test("output is captured, from Lua and from child processes, nested and with errors")
    func capture() throws {
        try check(
            """
            local text, a, b = bss.capture(function() print("one") io.write("two") io.stdout:flush() os.execute("echo three") return 1, "x" end)
            assert(text == "one\\ntwothree\\n" and a == 1 and b == "x", text)
            local outer, inner = bss.capture(function() print("before") local inner = bss.capture(function() print("inner") end) print("after") return inner end)
            assert(outer == "before\\nafter\\n" and inner == "inner\\n", outer)
            local ok, e = pcall(bss.capture, function() print("lost") error("boom") end)
            assert(not ok and tostring(e):find("boom"))
            assert(#bss.capture(function() io.write(("x"):rep(3000000)) end) == 3000000)
            assert(bss.capture(function() end) == "")
            """)
    }

    @Test("code is timed and profiled in scripts as well; the figures are no output")
    func profile() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write("part.lua", "from_part = 3")
        let outcome = try program.script(
            """
            local x = bss.ones{ 50, 50 }
            bss.repl.profile(function() return x:matmul(x):relu() end)
            bss.repl.time("1 + 1")
            bss.repl.timeit(function() return 1 end)
            bss.repl.who()
            bss.repl.run("part.lua")
            assert(from_part == 3 and not pcall(bss.repl.profile, 3))
            assert(bss.capture(function() help(bss.train) end):find("bss.train{", 1, true))
            local s = bss.tensor{ 1, 2, 3, 0 / 0, 1 / 0 }:stats()
            assert(s.mean == 2 and s.std == 1 and s.min == 1 and s.max == 3 and s.nan == 1 and s.inf == 1)
            """)
        #expect(outcome.code == 0 && outcome.output.isEmpty, "\(outcome.summary)")
        for text in ["matmul", "relu", "engine", "wall", "median"] {
            #expect(outcome.errors.contains(text), "\(outcome.errors)")
        }
    }

    @Test("many runs and tensors: memory does not grow")
    func memory() throws {
        try check(
            """
            local data = bss.data.synthetic{ samples = 100 }
            local function live() collectgarbage() collectgarbage() return bss.live_objects() end
            bss.train{ data = data, epochs = 1, record = false }
            local before = live()
            for i = 1, 10 do bss.train{ data = data, epochs = 1, record = false, scheduler = "learned", on_epoch = function(e) return true end } end
            local after = live()
            assert(after.tensors == before.tensors and after.objects == before.objects, after.tensors .. " tensors, " .. before.tensors .. " before")
            -- 8 GB of temporaries, never more than a few at once.
            local x = bss.ones{ 1000, 1000 }
            for i = 1, 2000 do local y = x + i end
            assert(live().bytes < 200e6, live().bytes)
            """)
    }
}
