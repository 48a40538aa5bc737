import BSSCore
import Testing
import _BSSTestSupport

/// Numbers and shapes that nobody means: always an error or a result, never a crash.
@Suite(.oneAtATime) struct HostileValueTests {
    static let numbers = [
        "0", "-1", "1e18", "1e300", "-1e300", "0/0", "math.huge", "-math.huge", "math.maxinteger", "math.mininteger",
        "2^53", "0.5", "1 << 40", "nil", "'x'", "{}", "true", "print",
    ]

    /// `V` is each of `numbers` in turn.
    static let calls = [
        "bss.zeros{ V }", "bss.ones{ V, V }", "bss.zeros{ V, V, V }", "bss.randn{ 2, V }", "bss.arange(V)",
        "bss.arange(3, V, V)", "bss.eye(V)", "bss.full({ 2 }, V)", "bss.tensor(V)", "bss.tensor({ V }, 'i64')",
        "bss.tensor({ V, V }, 'i64'):totable()", "bss.ones{ 2, 3 }[V]", "bss.ones{ 2, 3 }:reshape{ V, V }",
        "bss.ones{ 2, 3 }:sum{ axis = V }", "bss.ones{ 2, 3 }:narrow{ axis = 1, from = V, to = V }",
        "bss.ones{ 2, 3 }:narrow{ axis = V, from = 1 }", "bss.ones{ 2, 3 }:narrow{ axis = 1, step = V }",
        "bss.ones{ 2, 3 }:topk{ k = V }", "bss.ones{ 2, 3 }:expand{ V, 3 }", "bss.ones{ 1 }:expand{ V, V, 1 }",
        "bss.ones{ 2, 3 }:transpose(V, 1)",
        "bss.ones{ 2, 3 }:permute{ V, 1 }", "bss.ones{ 2, 3 }:squeeze(V)", "bss.ones{ 2, 3 }:unsqueeze(V)",
        "bss.ones{ 2, 3 }:index_select{ axis = 1, positions = { V } }",
        "bss.ones{ 2, 3 }:gather{ axis = 1, positions = bss.tensor({ { V } }) }",
        "bss.ones{ 2, 3 } + V", "bss.ones{ 2 }:norm{ p = V }", "bss.ones{ 2, 3 }:var{ correction = V }",
        "bss.ones{ 2 }:clamp{ min = V, max = V }", "bss.ones{ 2, 3 }:size(V)",
        "bss.cross_entropy(bss.ones{ 2, 3 }, bss.tensor({ V, 0 }, 'i64'))",
        "(bss.tensor({ 2^62 }, 'i64') * V):totable()", "bss.concat({ bss.ones{ 2 } }, V)",
        "bss.stack({ bss.ones{ 2 } }, V)", "bss.maximum(V, V)",
        "bss.pace.root{ lambda_0 = V, t_grow = V, p = V }:at(V)", "bss.pace.linear{}:curve(V)",
        "bss.pace.baby_step{}:at(V)", "bss.pace.step{}:at(V)", "bss.pace.geometric{ lambda_0 = V }:at(3)",
        "bss.pace.custom(function() return V end):at(1)",
        "bss.scheduler.learned{ every = V }", "bss.scheduler.learned{ temperature = V }:order(0, { 1, 2, 3 })",
        "bss.scheduler.learned{ draws_fraction = V, replacement = true }:order(0, { 1, 2, 3 })",
        "bss.scheduler.heuristic{ min_batches = V }:order(0, { 1, 2 })",
        "bss.scheduler.heuristic{ pace_offset = V }:order(1, { 1, 2 })", "bss.scheduler.heuristic{}:order(V, { 1, 2 })",
        "bss.scheduler.learned{}:order(0, { V, 2 })", "bss.scheduler.random{}:order(V, V)",
        "bss.scheduler.baby_step{ buckets = V, t_grow = V }:order(V, { 1, 2, 3 })",
        "bss.scheduler.one_pass{ buckets = V }:order(3, { 1, 2, 3 })",
        "bss.scheduler.competence{ t_grow = V, lambda_0 = V, draws_fraction = V }:order(V, { 1, 2, 3 })",
        "bss.scheduler.teacher_student{ tasks = V, window = V, epsilon = V }:order(3, { 1, 2, 3 })",
        "bss.scheduler.mcl{ episode = V, k_0 = V, k_step = V }:order(9, { 1, 2, 3 })",
        "bss.scheduler.dihcl{ decay = V, floor = V, warmup_epochs = V }:order(V, { 1, 2 })",
        "bss.scheduler.dihcl{ warmup_epochs = 0, prob_map = 'thompson' }:order(3, { V, -2 })",
        "bss.scheduler.transfer{ scores = { V, 1, 2 } }",
        "train{ scheduler = { name = 'transfer', difficulty = { V, V } } }",
        "train{ sample_loss = { name = 'superloss', tau = V, lambda = V } }",
        "train{ sample_loss = { name = 'data_parameters', bound = V, instance_rate = V, class_start = V } }",
        "train{ sample_loss = { name = 'screener', hidden = V, rate = V, margin = V } }",
        "train{ sample_loss = bss.sample_loss.custom(function() return V end) }",
        "bss.measurer{ 'loss', clip = V }:score{ logits = { a = { { V, 0 } }, b = { { 1, 0 } } }, fused = { { 3, 0 } }, labels = { V } }",
        "bss.data.synthetic{ samples = V }", "bss.data.synthetic{ samples = 60, classes = V }",
        "bss.data.synthetic{ samples = 60, val = V, test = V }",
        "bss.data.synthetic{ samples = 60, modalities = { a = { dim = V, noise = V, speed = V } } }",
        "bss.data.synthetic{ samples = 60, seed = V }", "small.train[V]",
        "bss.train{ data = small, record = false, epochs = V, on_epoch = function() return false end }",
        "train{ batch_size = V }", "train{ seed = V }", "train{ alpha = V }", "train{ w_uni = V }",
        "train{ clip_norm = V }",
        "train{ scheduler = { name = 'heuristic', rerank_epochs = { V }, min_batches = V } }",
        "train{ scheduler = { name = 'learned', score_warmup_epochs = V } }",
        "train{ scheduler = { name = 'random', pace = 'root', t_grow = V } }",
        "train{ learning_rate = { name = 'step', step_size = V } }",
        "train{ learning_rate = { name = 'cosine', t_max = V } }",
        "train{ learning_rate = { name = 'warmup', epochs = V, decay = 'cosine', total = V } }",
        "train{ learning_rate = { name = 'plateau', patience = V, cooldown = V } }",
        "train{ learning_rate = { name = 'multistep', milestones = { V } } }",
        "train{ optimizer = { name = 'adam', learning_rate = V } }",
        "train{ optimizer = { name = 'sgd', weight_decay = V } }",
        "train{ model = bss.model{ a = bss.encoder.mlp{ hidden = { V } }, b = 'mlp' } }",
        "train{ model = bss.model{ a = bss.encoder.mlp{ features = V }, b = bss.encoder.mlp{ dropout = V } } }",
        "train{ inference_heads = { fused = V } }", "train{ checkpoint_every = V }",
        "bss.measure{ data = small, batch_size = V, seed = V }",
        "bss.encoder.cnn{ widths = { V }, pool = { V, V } }", "bss.choice{ V }",
        "bss.stats.permutation_test({ 1, 2, V }, { 2, 3, 4 })",
        "bss.grad(function() return bss.ones{ 1 }:sum() end, { V })",
        "bss.live_objects(V)", "bss.model{ a = V }", "bss.data.npz{ path = V }", "math.random(V)",
        "coroutine.wrap(function() return bss.zeros{ V } end)()", "tostring(bss.full({ 3 }, V))", "bss.preset.paper(V)",
    ]

    @Test("every call with every number", arguments: stride(from: 0, to: calls.count, by: 10).map { $0 })
    func hostile(start: Int) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        var script = """
            local small = bss.data.synthetic{ samples = 40, classes = 2, modalities = { a = { dim = 3 }, b = { dim = 2 } } }
            local function train(options)
              options.data, options.epochs, options.record = small, options.epochs or 1, false
              return bss.train(options)
            end
            local values, tried = {}, 0
            local function try(name, call)
              io.stderr:write("> ", name, "\\n")
              local ok, e = pcall(call)
              if not ok then assert(#tostring(e) > 3) end
              tried = tried + 1
              collectgarbage()
            end

            """
        for call in Self.calls[start..<min(start + 10, Self.calls.count)] {
            for number in Self.numbers {
                let text = call.replacing("V", with: "(\(number))")
                script += "try([==[\(text)]==], function() local _ = \(text) end)\n"
            }
        }
        script += "print(tried)"
        let outcome = try program.script(script, limit: 120)
        // The last name on stderr is the call that ended it.
        let last = outcome.errors.split(separator: "\n").last { $0.hasPrefix("> ") } ?? ""
        #expect(outcome.code == 0, "exit \(outcome.code), signal \(outcome.signal ?? 0) in \(last)")
    }
}
