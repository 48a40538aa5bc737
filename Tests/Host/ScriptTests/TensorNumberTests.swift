import BSSCore
import Testing
import _BSSTestSupport

/// Lua numbers beside tensors: PyTorch's promotion, and integers that survive whole.
@Suite(.oneAtATime) struct TensorNumberTests {
    private func run(_ script: String) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.script(script, limit: 60)
        #expect(outcome.code == 0, "\(outcome.summary)")
    }

    @Test("a number takes the tensor's dtype; a wider kind of number the default dtype of its kind")
    func promotion() throws {
        try run(
            """
            local function is(t, dtype, value) assert(t:dtype() == dtype, t:dtype()); \
            assert(t:totable()[1] == value, tostring(t[1])) end
            is(bss.tensor({0.1}, "f64") + 0.2, "f64", 0.1 + 0.2)
            is(0.2 + bss.tensor({0.1}, "f64"), "f64", 0.1 + 0.2)
            is(bss.tensor({0.1}, "f64") * 3, "f64", 0.1 * 3)
            is(bss.tensor({1}, "i64") + 1, "i64", 2)
            is(bss.tensor({7}, "i64") * (1 << 60), "i64", 7 << 60)
            is(bss.tensor({1}, "i64") + 0.5, "f32", 1.5)
            is(bss.tensor({1}, "i64") + 1.0, "f32", 2.0)
            is(bss.tensor({3}, "i64") / 2, "f32", 1.5)
            is(bss.tensor({2}, "i64") ^ 3, "i64", 8)
            is(bss.tensor({4}, "i64") ^ 0.5, "f32", 2.0)
            is(bss.tensor({true}, "bool") + 1, "i64", 2)
            is(bss.tensor({true}, "bool") * 0.5, "f32", 0.5)
            is(bss.tensor({1}) + 1, "f32", 2.0)
            is(bss.maximum(bss.tensor({5}, "i64"), 7), "i64", 7)
            is(bss.minimum(0.5, bss.tensor({5}, "i64")), "f32", 0.5)
            is(bss.where(bss.tensor({true}, "bool"), bss.tensor({0.1}, "f64"), 0.2), "f64", 0.1)
            is(bss.tensor({9}, "i64"):clamp{ min = 1, max = 4 }, "i64", 4)
            is(bss.tensor({9}, "i64"):clamp{ max = 4.5 }, "f32", 4.5)
            is(bss.tensor({9}, "i64"):masked_fill(bss.tensor({true}, "bool"), (1 << 60) + 1), "i64", (1 << 60) + 1)
            is(bss.tensor({1, 2}, "i64") + {10, 20}, "i64", 11)
            is(bss.tensor({0.1}, "f64") + {0.2}, "f64", 0.1 + 0.2)
            """)
    }

    @Test("comparisons do not round")
    func comparisons() throws {
        try run(
            """
            local big = (1 << 53) + 1
            local x = bss.tensor({ big }, "i64")
            assert(x:eq(big)[1] and not x:eq(big - 1)[1] and not x:eq(2^53)[1] and x:gt(2^53)[1])
            local y = bss.tensor({ 1, 2, 3 }, "i64")
            local function is(t, a, b, c) local v = t:totable(); assert(v[1] == a and v[2] == b and v[3] == c) end
            is(y:lt(2.5), true, true, false); is(y:le(2.5), true, true, false); is(y:gt(2.5), false, false, true)
            is(y:ge(2.5), false, false, true); is(y:eq(2.5), false, false, false); is(y:ne(2.5), true, true, true)
            is(y:lt(math.huge), true, true, true); is(y:lt(-math.huge), false, false, false)
            is(y:eq(0/0), false, false, false); is(y:ne(0/0), true, true, true); is(y:lt(0/0), false, false, false)
            is(y:le(2.0), true, true, false); is(y:lt(1e300), true, true, true)
            assert(bss.tensor({ 0.1 }):eq(0.1)[1] and bss.tensor({ 0.1 }, "f64"):eq(0.1)[1])
            is(bss.tensor({ true, false, true }, "bool"):eq(1), true, false, true)
            assert(not bss.tensor({ 16777217 }, "i64"):eq(bss.tensor({ 16777216 }))[1])
            """)
    }

    @Test("% and // round down, as in Lua, Python and PyTorch; integers are not divided by zero")
    func flooredDivision() throws {
        try run(
            """
            local function is(t, dtype, ...)
              assert(t:dtype() == dtype, t:dtype())
              for i, value in ipairs{ ... } do
                local got = t:totable()[i]
                assert(got == value or got ~= got and value ~= value, i .. ": " .. got .. " for " .. value)
              end
            end
            local huge, nan = math.huge, 0 / 0
            for _, dtype in ipairs{ "f32", "f64", "i64" } do
              local x, y = bss.tensor({ -7, 7, 7, -7, 6 }, dtype), bss.tensor({ 3, -3, 3, -3, 3 }, dtype)
              is(x % y, dtype, 2, -2, 1, -1, 0)
              is(x // y, dtype, -3, -3, 2, 2, 2)
            end
            local x = bss.tensor({ 1, -1, 5, -5, huge, 1, -1, 0 }, "f64")
            local y = bss.tensor({ 0.1, 0.1, huge, huge, 2, 0, 0, 0 }, "f64")
            is(x // y, "f64", 9, -10, 0, -1, nan, huge, -huge, nan)
            x, y = bss.tensor({ 5, -5, huge, 1, nan }, "f64"), bss.tensor({ huge, huge, 2, 0, 2 }, "f64")
            is(x % y, "f64", 5, huge, nan, nan, nan)
            is(bss.tensor({ math.mininteger, 7 }, "i64") // -1, "i64", math.mininteger, -7)
            is(bss.tensor({ math.mininteger, 7 }, "i64") % -1, "i64", 0, 0)
            is(7 % bss.tensor({ 4, -4 }, "i64"), "i64", 3, -1)
            is(bss.tensor({ 7 }, "i64") // 2.0, "f32", 3.0)
            for _, f in ipairs{ function(x) return x % 0 end, function(x) return x // 0 end } do
              local ok, message = pcall(f, bss.tensor({ 1 }, "i64"))
              assert(not ok and tostring(message):find("divided by zero"), message)
              assert(pcall(f, bss.tensor({ 1 })))
            end
            """)
    }

    @Test("what is whole stays whole: products and roundings of integers")
    func wholeNumbers() throws {
        try run(
            """
            local big = 16777217
            local x = bss.tensor({ { big, 2 }, { -3, 4 } }, "i64")
            for _, name in ipairs{ "floor", "ceil", "round", "relu", "abs", "square" } do
              local y = x[name](x)
              assert(y:dtype() == "i64" and y[1][2] == (name == "square" and 4 or 2), name)
            end
            assert(x:floor()[1][1] == big and x:relu()[2][1] == 0)
            local p = x:matmul(x)
            assert(p:dtype() == "i64" and p[1][1] == big * big - 6 and p[2][2] == -6 + 16)
            for _, wrong in ipairs{ 0, 3, -1 } do
              for _, name in ipairs{ "gather", "index_select" } do
                local ok, why = pcall(x[name], x, 2, bss.tensor(name == "gather" and { { wrong } } or { wrong }, "i64"))
                assert(not ok and tostring(why):find(name .. ": position " .. wrong .. ", number 1", 1, true), why)
              end
            end
            local v = bss.tensor({ 1, 10 }, "i64")
            assert(x:matmul(v)[1] == big + 20 and v:matmul(x)[2] == 42 and v:matmul(v):item() == 101)
            assert(x:matmul(bss.zeros({ 3, 2, 0 }, "i64")):shape()[3] == 0)
            assert(bss.zeros({ 2, 0 }, "i64"):matmul(bss.zeros({ 0, 2 }, "i64"))[2][1] == 0)
            assert(x:matmul(bss.ones{ 2, 1 }):dtype() == "f32" and not pcall(x.matmul, x, bss.zeros({ 3 }, "i64")))
            """)
    }

    @Test("arange counts as torch.arange does, and never to nowhere")
    func progressions() throws {
        try run(
            """
            local function is(t, ...)
              local want = { ... }
              assert(#t == #want, #t .. " numbers")
              for i, value in ipairs(want) do assert(math.abs(t[i] - value) < 1e-6, t[i]) end
            end
            is(bss.arange(3), 0, 1, 2); is(bss.arange(2, 5), 2, 3, 4); is(bss.arange(5, 0, -2), 5, 3, 1)
            is(bss.arange(0, 1, 0.25), 0, 0.25, 0.5, 0.75); is(bss.arange{ stop = 2 }, 0, 1)
            is(bss.arange(0)); is(bss.arange(2, 2))
            is(bss.arange{ start = 1, stop = 2.5, dtype = "f64" }, 1, 2)
            for _, wrong in ipairs{ { 0, 10, 0 }, { 0, 3, -1 }, { 3, 0 }, { -1 }, { 0, 0 / 0 }, { 0, 1 / 0 },
              { 0, 1e18 }, { math.mininteger, math.maxinteger }, { 0, 1, 1e-300 } } do
              local ok, message = pcall(bss.arange, table.unpack(wrong))
              assert(not ok and tostring(message):find("arange"), message)
            end
            assert(not pcall(bss.arange))
            """)
    }

    @Test("integers beyond 2^53 survive storing, indexing, lists, item, sums and printing")
    func integers() throws {
        try run(
            """
            local big = (1 << 53) + 1
            local x = bss.tensor({ big, 1 }, "i64")
            assert(x[1] == big and x:totable()[1] == big and x:sum():item() == big + 1)
            assert(x:max():item() == big and x:sort()[2] == big and (x + 1)[1] == big + 1)
            assert(x:unsqueeze(1):squeeze(1):index_select{ axis = 1, positions = { 1 } }[1] == big)
            assert(bss.full({ 2 }, big, "i64")[2] == big and bss.arange(big, big + 4, 2, "i64")[2] == big + 2)
            assert(tostring(x):find(tostring(big), 1, true))
            assert(bss.tensor(x)[1] == big and bss.tensor(x):dtype() == "i64")
            assert(x:assign(bss.tensor({ big + 2, 5 }, "i64"))[1] == big + 2)
            assert(bss.concat({ x, x }, 1)[3] == big + 2 and bss.tensor({ math.mininteger }, "i64")[1] \
            == math.mininteger)
            assert(bss.tensor({ true, false }, "bool"):totable()[1] == true and \
            bss.tensor({ true, true }, "bool"):sum():item() == 2)
            """)
    }

    @Test("model:forward is evaluation: it changes nothing and agrees with the reported accuracy")
    func forward() throws {
        try run(
            """
            local data = bss.data.synthetic{ samples = 300, classes = 3, \
            modalities = { a = { dim = 12 }, b = { dim = 8 } } }
            local model = bss.model{ a = bss.encoder.mlp{ hidden = { 16 }, dropout = 0.5 }, \
            b = bss.encoder.mlp{ hidden = { 16 }, dropout = 0.5 } }
            local run = bss.train{ data = data, model = model, epochs = 3, record = false }
            local trained = run.model
            local inputs, labels = { a = {}, b = {} }, {}
            for i = 1, #data.test do
              local s = data.test[i]
              inputs.a[i], inputs.b[i], labels[i] = s.a, s.b, s.class
            end
            inputs.a, inputs.b = bss.tensor(inputs.a), bss.tensor(inputs.b)
            local before = trained:hash()
            local first = trained:forward(inputs).total
            local second = trained:forward(inputs).total
            assert(first:eq(second):to("i64"):sum():item() == first:numel(), "two calls differ")
            assert(trained:hash() == before, "forward changed the model")
            local right = 0
            local best = first:argmax{ axis = 2 }
            for i = 1, #labels do if data.class_names[best[i]] == labels[i] then right = right + 1 end end
            local reported = run.result.last.test.total.accuracy
            assert(math.abs(right / #labels - reported) < 1e-9, right / #labels .. " against " .. reported)
            trained:train(7)
            local noisy, other = trained:forward(inputs).total, trained:forward(inputs).total
            assert(noisy:eq(other):to("i64"):sum():item() < first:numel(), "dropout draws anew")
            trained:eval()
            assert(trained:forward(inputs).total:eq(first):to("i64"):sum():item() == first:numel())
            local images = bss.data.synthetic{ samples = 60, classes = 2, \
            modalities = { a = { dim = 4 }, b = { dim = 4 } } }
            local built = bss.model{ a = "mlp", b = "mlp" }:build(images)
            local hash = built:hash()
            assert(built:forward{ a = bss.zeros{ 0, 4 }, b = bss.zeros{ 0, 4 } }.total:shape()[1] == 0)
            assert(built:hash() == hash)
            """)
    }

    @Test("a network with batch statistics keeps its hash in evaluation and moves them in training mode")
    func batchStatistics() throws {
        try run(
            """
            local data = bss.data.synthetic{ samples = 60, classes = 2, \
            modalities = { a = { dim = 4 }, b = { dim = 4 } } }
            local encoder = bss.encoder.mlp{ hidden = { 6 }, norm = "batch" }
            local model = bss.model{ a = encoder, b = encoder }:build(data)
            local inputs = { a = bss.randn{ 5, 4 }, b = bss.randn{ 5, 4 } }
            local hash, total = model:hash(), model:forward(inputs).total
            model:forward(inputs)
            assert(model:hash() == hash, "evaluation moved running statistics")
            local batch = model:train():forward(inputs).total
            assert(model:hash() ~= hash, "training mode did not move them")
            assert((batch - total):abs():max():item() > 1e-3)
            hash = model:eval():hash()
            model:forward(inputs)
            local path = os.tmpname()
            model:save(path); model:load(path)
            assert(model:hash() == hash); os.remove(path)
            -- One sample and none have no statistics of their own.
            assert(model:train():forward{ a = bss.zeros{ 0, 4 }, b = bss.zeros{ 0, 4 } }.total:shape()[1] == 0)
            """)
    }
}
