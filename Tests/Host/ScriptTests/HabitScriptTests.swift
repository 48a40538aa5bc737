import BSSCore
import Testing
import _BSSTestSupport

/// What those who come from Python do out of habit, in scripts that run.
@Suite(.oneAtATime) struct HabitScriptTests {
    @Test("tensors are equal when shape, dtype and values are")
    func equality() throws {
        try ScriptFeatureTests.check(
            """
            assert(bss.tensor{1} == bss.tensor{1} and not (bss.tensor{1} ~= bss.tensor{1}))
            assert(bss.tensor{1, 2} ~= bss.tensor{1, 3} and bss.tensor{1, 2} ~= bss.tensor{1})
            assert(bss.tensor({1}, "i64") == bss.tensor({1}, "i64") and bss.tensor({1}, "i64") ~= bss.tensor{1})
            assert(bss.tensor{ {1, 2} } ~= bss.tensor{ {1}, {2} } and bss.tensor{0/0} ~= bss.tensor{0/0})
            assert(bss.tensor{1}:eq(1) == bss.tensor{2}:eq(2) and bss.tensor{1} ~= bss.pace.root{})
            local t = bss.ones{ 300, 200 }
            assert(t == t and t + 0 == t and t + 1 ~= t and t:t() ~= t and t:t():t() == t)
            """)
    }

    @Test(
        "a method that is not called: write x:shape()",
        arguments: [
            ("x.shape[1]", "shape"), ("\"s: \" .. x.shape", "shape"), ("x.sum + 1", "sum"), ("#x.shape", "shape"),
        ])
    func uncalled(code: String, name: String) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.script("local x = bss.ones{ 2, 3 }\nlocal y = \(code)")
        #expect(outcome.code == 1 && outcome.errors.contains("write x:\(name)()"), "\(outcome.summary)")
    }

    @Test("a parameter that is not declared is an error, not nil, where names are looked at")
    func undeclaredParameter() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let script = "local p = bss.params{ epochs = 3 }\np.own = 1\nprint(p.own, p.epoch)"
        let outcome = try program.script(script)
        #expect(
            outcome.code == 1 && outcome.errors.contains("there is no 'epoch' (did you mean 'epochs'?)"),
            "\(outcome.summary)")
        try program.write("loose.lua", script)
        #expect(try program.run(["--no-strict", "loose.lua"]).output == "1\tnil\n")
    }

    @Test("printing a method that is not called says so; other functions print as they do in Lua")
    func printed() throws {
        try ScriptFeatureTests.check(
            """
            local x = bss.ones{ 2, 3 }
            local text = bss.capture(function() print(x.shape) end)
            assert(text == "method tensor:shape (write x:shape())\\n", text)
            assert(bss.capture(function() print(print) end):find("^function: "))
            """)
    }

    @Test("a dot where methods have a colon: said, whether the first argument is missing or was taken for the object")
    func dots() throws {
        try ScriptFeatureTests.check(
            """
            local x = bss.ones{ 2, 2 }
            fails("call methods with a colon", function() return x.sum() end)
            fails("called with a colon: x:matmul(…)", function() return x.matmul(x) end)
            local data = bss.data.synthetic{ samples = 60 }
            local model = bss.model{ strong = "mlp", weak = "mlp" }:build(data)
            fails("call methods with a colon", function() return model.predict(data) end)
            assert(x.sum(x):item() == 4)
            local ok, message = pcall(x.matmul, x)
            assert(not ok and not tostring(message):find("colon", 1, true), message)
            """)
    }

    @Test("positions count from 1")
    func zero() throws {
        try ScriptFeatureTests.check(
            """
            local data = bss.data.synthetic{ samples = 60 }
            fails("positions count from 1, got 0", function() return data.train[0] end)
            fails("positions count from 1, got 0", function() return bss.ones{2}[0] end)
            assert(data.train[1] and data.train[#data.train + 1] == nil)
            """)
    }

    @Test("options by their names elsewhere")
    func options() throws {
        try ScriptFeatureTests.check(
            """
            local data = bss.data.synthetic{ samples = 60 }
            fails("unknown option 'lr'|bss.optimizer.sgd{ learning_rate = … }", bss.train, { data = data, lr = 1 })
            fails("bss.optimizer.sgd{ weight_decay = … }", bss.train, { data = data, wd = 1 })
            fails("did you mean 'learning_rate'?", bss.optimizer.sgd, { lr = 1 })
            fails("did you mean 'epochs'?", bss.train, { data = data, num_epochs = 1 })
            fails("did you mean 'batch_size'?", bss.train, { data = data, batch = 1 })
            fails("unknown option 'target'|did you mean 'label'?", bss.data.csv, { path = "x.csv", target = "y" })
            fails("unknown option 'path'|did you mean 'root'?", bss.data.folder, { path = "x.csv" })
            fails("--device cuda", bss.train, { data = data, device = "cuda" })
            fails('scheduler = "random"', bss.train, { data = data, shuffle = true })
            fails("on_epoch = function(e)", bss.train, { data = data, callbacks = {} })
            """)
    }

    @Test("bss.show is the prompt's printer")
    func show() throws {
        try ScriptFeatureTests.check(
            """
            local text = bss.capture(function() bss.show{ 1, 2, x = "three" } end)
            assert(text == '{ 1, 2, x = "three" }\\n', text)
            """)
    }

    @Test(
        "what callbacks receive explains itself by its usual name", arguments: ["ctx", "out", "evidence", "e", "batch"])
    func receivedObjects(name: String) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.run(["help", name])
        #expect(outcome.code == 0 && outcome.output.contains("Properties:"), "\(outcome.summary)")
    }
}
