import Testing
import _BSSTestSupport

/// Methods written in Lua: what hooks return is used, recorded, or refused; nothing is dropped.
@Suite(.oneAtATime) struct CustomMethodScriptTests {
    private func check(_ body: String, _ options: [String] = []) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let prelude = """
            local data = bss.data.synthetic{ samples = 120, classes = 3 }
            local function train(hooks, more)
              local options = { data = data, epochs = 3, batch_size = 16, record = false, \
            rebalance = bss.rebalance.custom(hooks) }
              for key, value in pairs(more or {}) do options[key] = value end
              return bss.train(options)
            end

            """
        let outcome = try program.script(ScriptFeatureTests.prelude + prelude + body, options)
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.summary)")
    }

    @Test("a table returned at an epoch's beginning or end is in that epoch's record, the last one's too")
    func records() throws {
        try check(
            """
            local seen = {}
            local run = train({ epoch = function(ctx, phase)
              if phase == "begin" then return { began = ctx.epoch, both = "begin" } end
              if ctx.epoch ~= 2 then return { ended = ctx.epoch, both = "end" } end
            end }, { on_epoch = function(e) seen[e.epoch] = e.method end })
            for i, record in ipairs(run.history) do
              local ended = i ~= 2 and i or nil
              for _, m in ipairs{ record.method, seen[i] } do
                assert(m.began == i and m.ended == ended and m.both == (ended and "end" or "begin"))
              end
            end
            fails("the hook 'epoch'|returned list", train, { epoch = function() return { 1 } end })
            fails("the hook 'epoch'|returned integer", train, { epoch = function() return 1 end })
            """)
    }

    @Test("an unknown scope or parameter of grads, and an empty plan, are errors; scopes of a sum are whole")
    func refusals() throws {
        try check(
            """
            fails("no scope|encoder.nope|encoder.strong", train, { grads = function(ctx, grads) \
            return { ["encoder.nope"] = {} } end })
            fails("'weight', which does not exist", train, { grads = function(ctx, grads, out) \
            return { fusion = { weight = out.fused } } end })
            fails("the hook 'grads'", train, { grads = function(ctx, grads) return { grads.fusion } end })
            fails("the hook 'plan'|nothing would be trained", train, \
            { plan = function(ctx, plan) return { positions = {} } end })
            -- What is not understood is never ignored.
            local n = #data.train
            fails("unknown name 'position'|positions", train, { plan = function(ctx, plan) \
            return { positions = { 1 }, position = { 1 } } end })
            fails("'weights' is tensor, not a list", train, { plan = function(ctx, plan) \
            return { positions = { 1 }, weights = bss.ones{ 1 } } end })
            fails("no list of modalities", train, { plan = function(ctx, plan) \
            return { positions = { 1 }, keeps = { "weak" } } end })
            local function loss(out) return bss.cross_entropy(out.fused, bss.ones{ 16 }) end
            fails("unknown name 'scope'|did you mean 'scopes'?", train, \
            { step = function() return { { scope = { "fusion" }, loss = loss } } end })
            fails("'scopes' is empty", train, { step = function() return { { scopes = {}, loss = loss } } end })
            fails("unknown name 'fuse'", train, { predict = function(ctx, out) \
            return { total = out.fused, fuse = out.fused } end })
            fails("unknown name 'text'", train, { predict = function(ctx, out) \
            return { total = out.fused, unimodal = { text = out.fused } } end })
            fails("list entries", train, { loss = function(ctx, out, labels) \
            local l = bss.cross_entropy(out.fused, labels); return { l, fused = l } end })
            local function schedule(order) return bss.train{ data = data, epochs = 1, record = false, \
            scheduler = bss.scheduler.custom(function() return order end) } end
            fails("unknown name 'weight'", schedule, { order = { 1, 2 }, weight = { 1, 1 } })
            fails("neither a list nor", schedule, { weights = { 1, 1 } })
            fails("neither a list nor", schedule, { order = 3 })
            -- Said outright, an epoch may train nothing: scoring alone, as the authors' metrics are compared.
            assert(schedule({}).history[1].samples == 0 and schedule({ order = {} }).history[1].samples == 0)
            for _, wrong in ipairs{ { 1, -1 }, { 1, 0 / 0 }, { 1, 1 / 0 } } do
              fails("epoch 1|as weight 2", schedule, { order = { 1, 2 }, weights = wrong })
              fails("'plan'|as weight 2", train, { plan = function() \
              return { positions = { 1, 2 }, weights = wrong } end })
            end
            fails("all 0", schedule, { order = { 1, 2 }, weights = { 0, 0 } })
            fails("all 0", train, { plan = function() return { positions = { 1, 2 }, weights = { 0, 0 } } end })
            fails("no scope 'sum'", train, { setup = function(ctx) ctx:scale_rate("sum", 2) end })
            -- The classifiers of fusion = "sum" belong to their modalities, and are all of the fusion for a script.
            local names
            local model = bss.model{ strong = bss.encoder.mlp{ hidden = {8} }, \
            weak = bss.encoder.mlp{ hidden = {8} }, fusion = "sum" }
            local before = model:build(data, 1)
            local run = train({ grads = function(ctx, grads)
              names = {}
              local zero = {}
              for name, g in pairs(grads.fusion) do names[#names + 1] = name; zero[name] = g * 0 end
              return { fusion = zero }
            end }, { model = model, optimizer = bss.optimizer.sgd{ learning_rate = 0.1 }, seed = 1 })
            assert(table.concat(names, " ") == "0.bias 0.weight 1.bias 1.weight", table.concat(names, " "))
            local after = run.model:parameters()
            for name, tensor in pairs(before:parameters()) do
              local same = (tensor - after[name]):abs():max():item() == 0
              if name:find("^fusion") then assert(same, name) end
              if name:find("^encoder.*weight") then assert(not same, name) end
            end
            -- A stopped modality takes its classifier with it.
            local frozen = train({ setup = function(ctx) ctx:freeze("weak") end }, \
            { model = model, seed = 1, optimizer = bss.optimizer.sgd{ learning_rate = 0.1 } }).model:parameters()
            assert((frozen["fusion.1.weight"] - before:parameters()["fusion.1.weight"]):abs():max():item() == 0)
            assert((frozen["fusion.0.weight"] - before:parameters()["fusion.0.weight"]):abs():max():item() > 0)
            """)
    }

    @Test("what ctx:keep holds comes back as it was: tensors as tensors, 3.0 as a float, NaN as a number")
    func keep() throws {
        let body = """
            local hooks = {
              epoch = function(ctx, phase)
                if phase == "begin" then
                  if ctx.epoch == 1 then
                    ctx:keep("mean", bss.tensor{ 1.5, -2 })
                    ctx:keep("plain", { 3.0, 3, "x", false, { deep = 0/0, 1/0 }, {} })
                  end
                  return
                end
                local mean = ctx:keep("mean")
                ctx:keep("mean", mean * 2 + 1)
                local p = ctx:keep("plain")
                assert(math.type(p[1]) == "float" and math.type(p[2]) == "integer" and p[3] == "x" and p[4] == false)
                assert(p[5].deep ~= p[5].deep and p[5][1] == math.huge and type(p[6]) == "table")
                return { mean = mean[1], shape = #mean:shape() }
              end,
            }
            """
        try check(
            body + """

                local run = train(hooks)
                assert(run.history[1].method.mean == 1.5 and run.history[3].method.mean == 9)
                fails("keep|function|no checkpoint", train, { setup = function(ctx) ctx:keep("f", { print }) end })
                fails("keep|tensor|no checkpoint", train, { setup = function(ctx) \
                ctx:keep("f", { t = bss.ones{ 2 } }) end })
                """)
        // Stopped after the second epoch and resumed: the same record.
        let program = try BuiltProgram()
        defer { program.remove() }
        let script = """
            local data = bss.data.synthetic{ samples = 120, classes = 3 }
            \(body)
            local run = bss.train{ data = data, epochs = 4, checkpoint_every = 1, name = "k", \
            rebalance = bss.rebalance.custom(hooks),
              on_epoch = function(e) if e.epoch == 2 and os.getenv("STOP") then error("stopped") end end }
            for _, record in ipairs(run.history) do print(record.epoch, record.method.mean) end
            """
        try program.write("script.lua", script)
        let whole = try program.run(["--quiet", "--out", "a", "script.lua"])
        #expect(whole.code == 0, "\(whole.summary)")
        let stopped = try program.run(["--quiet", "--out", "b", "script.lua"], environment: ["STOP": "1"])
        #expect(stopped.code != 0)
        let resumed = try program.run(["--quiet", "--out", "b", "--resume", "script.lua"])
        #expect(resumed.code == 0 && resumed.output == whole.output, "\(resumed.summary) \(whole.summary)")
    }

    @Test("the recorded order is the one that was trained: a reversed plan, copies and weights have their own hashes")
    func orders() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.script(
            """
            local data = bss.data.synthetic{ samples = 120, classes = 3 }
            local function reversed(t) local r = {} for i = #t, 1, -1 do r[#r + 1] = t[i] end return r end
            local function run(name, rebalance, options)
              local options = options or {}
              options.data, options.epochs, options.name, options.rebalance = data, 2, name, rebalance
              local run = bss.train(options)
              local f = io.open(run.folder .. "/trace.jsonl")
              local hash = f:read("a"):match('"order":"(%x+)"')
              f:close()
              return hash, run
            end
            local custom = bss.rebalance.custom
            local hashes = {
              plain = run("plain", custom{}), same = run("same", custom{ plan = function(ctx, plan) return plan end }),
              reversed = run("reversed", custom{ plan = function(ctx, plan) \
            return { positions = reversed(plan.positions) } end }),
              weighted = run("weighted", custom{ plan = function(ctx, plan)
                local w = {} for i = 1, #plan.positions do w[i] = i / 10 end
                return { positions = plan.positions, weights = w }
              end }),
              masked = run("masked", custom{ plan = function(ctx, plan)
                local k = {} for i = 1, #plan.positions do k[i] = { "strong" } end
                return { positions = plan.positions, keeps = k }
              end }),
              smv = run("smv", bss.rebalance.smv{ warmup = 0 }),
            }
            assert(hashes.plain == hashes.same)
            local seen = {}
            for _, name in ipairs{ "plain", "reversed", "weighted", "masked", "smv" } do
              assert(not seen[hashes[name]], name)
              seen[hashes[name]] = true
            end
            local _, r = run("again", custom{ plan = function(ctx, plan) \
            return { positions = reversed(plan.positions) } end })
            local _, p = run("again plain", custom{})
            for i = 1, #p.order do assert(p.order[i] == r.order[#p.order + 1 - i]) end
            """, ["--out", "runs"])
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.summary)")
    }
}
