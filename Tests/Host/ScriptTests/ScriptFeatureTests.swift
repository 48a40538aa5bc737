import BSSCore
import Testing
import _BSSTestSupport

/// What scripts can do, each as a script with assertions.
@Suite(.oneAtATime) struct ScriptFeatureTests {
    static let prelude = """
        local function near(a, b, eps) assert(math.abs(a - b) <= (eps or 1e-5) * math.max(1, math.abs(b)), \
        ("%.9g, expected %.9g"):format(a, b)) end
        local function fails(text, f, ...)
          local ok, e = pcall(f, ...)
          assert(not ok, "no error; expected: " .. text)
          for part in text:gmatch("[^|]+") do assert(tostring(e):find(part, 1, true), \
        tostring(e) .. "\\n  lacks: " .. part) end
        end

        """

    /// Runs the script after the prelude; it must end well and without a word on the error stream.
    static func check(_ body: String, _ options: [String] = [], recording: Bool = false) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.script(prelude + body, recording ? ["--out", "runs"] + options : options)
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.summary)")
    }

    // MARK: Tensors

    @Test func tensorBasics() throws {
        try Self.check(
            """
            local t = bss.tensor{ {1, 2, 3}, {4, 5, 6} }
            local s = t:shape()
            assert(#s == 2 and s[1] == 2 and s[2] == 3 and #t == 2 and t:numel() == 6 and t:dim() == 2)
            assert(t[2][3] == 6 and t[-1][1] == 4 and t[3] == nil)
            fails("positions count from 1, got 0", function() return t[0] end)
            assert(t:totable()[1][2] == 2 and t:size(1) == 2 and t:size(-1) == 3)
            -- Operators and broadcasting, with numbers on either side.
            assert((t + 1)[1][1] == 2 and (1 - t)[2][3] == -5 and (t * t)[2][1] == 16 and (2 / t)[1][2] == 1 and \
            (-t)[1][1] == -1 and (t ^ 2)[2][2] == 25)
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
        try Self.check(
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
            fails("dtype|f8", bss.zeros, { 2, dtype = "f8" })
            fails("assign|[2, 3]|[4]", t.assign, t, u)
            fails("cross_entropy|label 1 is 0|from 1 to 3", bss.cross_entropy, t, bss.tensor({ 0, 3 }, "i64"))
            fails("cross_entropy|label 2 is 4|from 1 to 3", bss.cross_entropy, t, bss.tensor({ 1, 4 }, "i64"))
            fails("cross_entropy|label 1 is 0.7", bss.cross_entropy, t, bss.tensor{ 0.7, 1 })
            fails("cross_entropy|label 1 is nan", bss.cross_entropy, t, bss.tensor{ 0/0, 1 })
            """)
    }

    // MARK: Derivatives

    @Test func gradients() throws {
        try Self.check(
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
        try Self.check(
            """
            local data = bss.data.synthetic{ samples = 400, classes = 3, modalities = { a = { dim = 10 } }, \
            imbalanced = 0 }
            local function inputs(split)
              local rows, labels = {}, {}
              for i = 1, #split do rows[i] = split[i].a; labels[i] = split.classes[i] end
              return bss.tensor(rows), bss.tensor(labels, "i64")
            end
            local x, y = inputs(data.train)
            local p = {
              w1 = bss.randn{ 10, 16, std = 0.3 }, b1 = bss.zeros{ 16 }, w2 = bss.randn{ 16, 3, std = 0.3 }, \
            b2 = bss.zeros{ 3 },
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
        try Self.check(
            """
            local data = bss.data.synthetic{ samples = 120, classes = 3, \
            modalities = { a = { dim = 6 }, b = { dim = 5 } } }
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

    // MARK: Tools

    @Test("parts can be looked at without a training")
    func parts() throws {
        try Self.check(
            """
            local pace = bss.pace.root{ lambda_0 = 0.1, t_grow = 40 }
            near(pace:at(10), 0.507445, 1e-5)
            assert(#pace:curve(50) == 50 and pace:curve(50)[50] == 1 and pace.lambda_0 == 0.1 and pace.name == "root")
            local m = bss.measurer{ "prediction_similarity", "loss" }:score{ logits = { a = { {2, 0}, {0, 1} }, \
            b = { {1, 0}, {3, 0} } }, fused = { {3, 0}, {3, 1} }, labels = { 1, 2 } }
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
        try Self.check(
            """
            local text, a, b = bss.capture(function() print("one") io.write("two") io.stdout:flush() \
            os.execute("echo three") return 1, "x" end)
            assert(text == "one\\ntwothree\\n" and a == 1 and b == "x", text)
            local outer, inner = bss.capture(function() print("before") \
            local inner = bss.capture(function() print("inner") end) print("after") return inner end)
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
        try Self.check(
            """
            local data = bss.data.synthetic{ samples = 100 }
            local function live() collectgarbage() collectgarbage() return bss.live_objects() end
            bss.train{ data = data, epochs = 1, record = false }
            local before = live()
            for i = 1, 10 do bss.train{ data = data, epochs = 1, record = false, scheduler = "learned", \
            on_epoch = function(e) return true end } end
            local after = live()
            assert(after.tensors == before.tensors and after.objects == before.objects, \
            after.tensors .. " tensors, " .. before.tensors .. " before")
            -- 8 GB of temporaries, never more than a few at once.
            local x = bss.ones{ 1000, 1000 }
            for i = 1, 2000 do local y = x + i end
            assert(live().bytes < 200e6, live().bytes)
            """)
    }
}
