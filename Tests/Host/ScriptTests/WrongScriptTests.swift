import BSSCodecs
import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// What a user does wrong ends with one clear message, the right exit code, no crash and no leak.
@Suite(.oneAtATime) struct WrongScriptTests {
    struct Wrong: CustomStringConvertible, Sendable {
        let name: String
        /// The statement that goes wrong; `data` is a small dataset.
        let body: String
        let code: Int32
        /// All of them are in the message.
        let texts: [String]
        var description: String { name }
    }

    static let prelude = "local data = bss.data.synthetic{ samples = 120 }\n"

    static let wrong = [
        Wrong(
            name: "misspelt option", body: "bss.train{ data = data, epoch = 3 }", code: 1,
            texts: ["bss.train", "unknown option 'epoch'", "did you mean 'epochs'?"]),
        Wrong(
            name: "wrong type", body: "bss.train{ data = data, epochs = 'many' }", code: 1,
            texts: ["bss.train", "'epochs' expects integer", "got string \"many\""]),
        Wrong(
            name: "negative lambda_0", body: "bss.pace.root{ lambda_0 = -0.1 }", code: 1,
            texts: ["bss.pace.root", "'lambda_0' expects number greater than 0", "got number -0.1"]),
        Wrong(
            name: "missing file", body: "bss.data.npz{ path = 'missing.npz' }", code: 8,
            texts: ["bss.data.npz", "missing.npz", "No such file"]),
        Wrong(
            name: "NaN in data", body: "bss.data.csv{ path = 'nan.csv', modalities = { a = {'x'}, b = {'y'} } }",
            code: 8, texts: ["bss.data.csv", "nan.csv", "line 4", "nan"]),
        Wrong(
            name: "unequal modality lengths",
            body: "bss.data.npy{ root = '.', modalities = { a = 'a.npy', b = 'b.npy' } }", code: 8,
            texts: ["bss.data.npy", "b.npy has 11 rows", "label.npy has 12"]),
        Wrong(
            name: "bad shape in a Lua loss",
            body:
                """
                bss.train{ data = data, epochs = 1, loss = function(o, y)
                  return o.fused:matmul(o.fused):mean()
                end }
                """,
            code: 1, texts: ["script.lua:3", "matmul", "[64, 6]"]),
        Wrong(
            name: "error inside a Lua pace function",
            body:
                """
                bss.train{ data = data, epochs = 3, scheduler = bss.scheduler.heuristic{ pace = \
                bss.pace.custom(function(t)
                  error('no pace today')
                end) } }
                """,
            code: 1,
            texts: ["script.lua:3", "no pace today"]),
        Wrong(
            name: "stack overflow", body: "local function f(n) return 1 + f(n + 1) end\nf(1)", code: 1,
            texts: ["script.lua", "stack overflow"]),
        Wrong(
            name: "a scalar is needed",
            body: "bss.train{ data = data, epochs = 1, loss = function(o) return o.fused end }", code: 1,
            texts: ["must return a scalar", "[64, 6]"]),
        Wrong(
            name: "no tensor from a loss",
            body: "bss.train{ data = data, epochs = 1, loss = function(o) return 3 end }", code: 1,
            texts: ["must return a tensor", "integer 3"]),
        Wrong(
            name: "unknown name", body: "bss.pace.rot{}", code: 1,
            texts: ["bss.pace", "has no 'rot'", "did you mean 'root'?"]),
        Wrong(name: "undeclared variable", body: "print(dta)", code: 1, texts: ["dta"]),
        Wrong(
            name: "modality that is not there",
            body: "bss.train{ data = data, model = bss.model{ strng = 'mlp', weak = 'mlp' } }", code: 1,
            texts: ["no modality 'strng'", "did you mean 'strong'?"]),
        Wrong(
            name: "cnn on features",
            body: "bss.train{ data = data, model = bss.model{ strong = 'cnn', weak = 'mlp' } }", code: 1,
            texts: ["bss.encoder.cnn", "modality 'strong'", "[100]"]),
        Wrong(
            name: "order of a custom scheduler",
            body:
                """
                bss.train{ data = data, epochs = 1, scheduler = bss.scheduler.custom(function() \
                return { 1, 2, 1e6 } end) }
                """,
            code: 1, texts: ["custom", "1000000"]),
        Wrong(name: "error value that is a table", body: "error({ code = 7 })", code: 1, texts: ["table"]),
        Wrong(
            name: "shapes that do not broadcast", body: "local x = bss.ones{2, 3} + bss.ones{4}", code: 1,
            texts: ["add", "[2, 3]", "[4]"]),
    ]

    private func prepare(_ program: BuiltProgram) throws {
        let rows = (0..<12).map { "\($0 == 2 ? "nan" : "\($0)"),\($0 * 2),\($0 % 2),\($0 < 8 ? "train" : "test")" }
        try program.write("nan.csv", "x,y,label,split\n" + rows.joined(separator: "\n") + "\n")
        func matrix(_ rows: Int) -> NpyArray { NpyArray((0..<rows * 2).map { Float($0 % 5) }, shape: [rows, 2]) }
        try Npy.write(matrix(12), to: program.folder + "/a.npy")
        try Npy.write(matrix(11), to: program.folder + "/b.npy")
        try Npy.write(NpyArray((0..<12).map { $0 % 2 }), to: program.folder + "/label.npy")
    }

    @Test("one message, the right code", arguments: wrong)
    func message(_ wrong: Wrong) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try prepare(program)
        let outcome = try program.script(Self.prelude + wrong.body + "\nprint('not reached')", ["--out", "runs"])
        #expect(outcome.signal == nil && outcome.code == wrong.code, "\(outcome.summary)")
        #expect(outcome.output == "")
        for text in wrong.texts { #expect(outcome.errors.contains(text), "'\(text)' is missing: \(outcome.errors)") }
        let heads = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("bss-lua:") }
        #expect(heads.count == 1 && outcome.errors.hasPrefix("bss-lua: "), "\(outcome.errors)")
        #expect(outcome.errors.contains("  at script.lua:"), "the script's frames: \(outcome.errors)")
    }

    @Test("nothing stays alive after a wrong call that was caught", arguments: wrong)
    func leak(_ wrong: Wrong) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try prepare(program)
        // The first calls make what is kept for good: metatables, entries of the namespaces, pooled memory.
        let outcome = try program.script(
            """
            \(Self.prelude)
            local function live()
              collectgarbage() collectgarbage()
              local l = bss.live_objects()
              return ("%d objects, %d tensors"):format(l.objects, l.tensors)
            end
            local function wrong()
            \(wrong.body)
            end
            local function once() local ok, e = pcall(wrong); assert(not ok and #tostring(e) > 0) end
            once() once()
            local before, heap = live(), collectgarbage("count")
            for i = 1, 20 do once() end
            local after, grown = live(), collectgarbage("count") - heap
            assert(before == after, before .. " before, " .. after .. " after")
            assert(grown < 64, grown .. " KB more")
            """)
        #expect(outcome.code == 0, "\(outcome.summary)")
    }

    @Test("the same in coroutines and through error objects")
    func coroutines() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.script(
            """
            local co = coroutine.create(function() bss.pace.root{ lambda_0 = 2 } end)
            local ok, e = coroutine.resume(co)
            assert(not ok and e.kind == "usage" and e.operation == "bss.pace.root" and e.message:find("lambda_0"), \
            tostring(e))
            assert(e.position:find("script.lua:1"))
            local ok, e = pcall(bss.data.npz, { path = "nothing.npz" })
            assert(not ok and e.kind == "data" and tostring(e):find("nothing.npz", 1, true))
            -- A script's own error values come back as they were, through Swift and through training.
            local mine = { 42 }
            local data = bss.data.synthetic{ samples = 60 }
            local ok, e = pcall(bss.train, { data = data, epochs = 1, on_epoch = function() error(mine) end })
            assert(not ok and e == mine)
            local ok, e = pcall(bss.grad, function() error("inside") end, { bss.ones{1} })
            assert(not ok and tostring(e):find("inside"))
            local before = bss.live_objects()
            """)
        #expect(outcome.code == 0, "\(outcome.summary)")
    }

    @Test("100 000 errors through Swift leave nothing behind")
    func manyErrors() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.script(
            """
            local function live() collectgarbage() collectgarbage() return bss.live_objects().objects, \
            collectgarbage("count") end
            local function wrong() bss.ones{ -1 } end
            local function inside() bss.grad(function() error({ "mine" }) end, {}) end
            for i = 1, 100 do pcall(wrong) pcall(inside) end
            local objects, heap = live()
            for i = 1, 100000 do pcall(wrong) pcall(inside) end
            local now, size = live()
            assert(now == objects, now .. " objects, " .. objects .. " before")
            assert(size < heap + 100, size .. " KB, " .. heap .. " before")
            """, ["--max-memory", "32M"])
        #expect(outcome.code == 0, "\(outcome.summary)")
    }

    /// 8 GB here; BSS_TENSOR_LOOP_GB=100 for the whole of host.md H.3.
    @Test("a loop that makes many gigabytes of tensors stays small without a manual collection")
    func tensorLoop() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let gigabytes = ProcessInfo.processInfo.environment["BSS_TENSOR_LOOP_GB"].flatMap(Int.init) ?? 8
        let outcome = try program.script(
            """
            local sizes, made, n = { { 1000, 1000 }, { 37 }, { 300, 300 }, { 2000, 2500 } }, 0, 0
            while made < \(gigabytes)e9 do
              n = n + 1
              -- Equal sizes and sizes that never come again.
              local t = bss.ones(n % 2 == 0 and sizes[n // 2 % 4 + 1] or { math.random(1, 5000000) }) * 2
              made = made + 2 * 4 * t:numel()
            end
            local peak = tonumber(io.open("/proc/self/status"):read("a"):match("VmHWM:%s*(%d+)")) / 1024
            print(string.format("tensors of %.0f GB in all: peak %.0f MB", made / 1e9, peak))
            assert(peak < 1000, peak)
            """)
        #expect(outcome.code == 0, "\(outcome.summary)")
        print(outcome.output)
    }

    // MARK: Ctrl-C

    static let loops: [(name: String, body: String)] = [
        ("plain", "while true do end"), ("pcall", "while true do pcall(function() while true do end end) end"),
        ("coroutine", "local co = coroutine.wrap(function() while true do end end) co()"),
        (
            "coroutines in pcall",
            "while true do pcall(coroutine.wrap(function() while true do pcall(error, 'x') end end)) end"
        ),
        ("kernels", "local a = bss.ones{1500, 1500} while true do a:matmul(a) end"),
        ("one long kernel", "local a = bss.ones{6000, 6000} a:matmul(a):matmul(a):matmul(a)"),
        ("training", "bss.train{ data = bss.data.synthetic{ samples = 3000 }, epochs = 100000, record = false }"),
        (
            "callback in training",
            """
            bss.train{ data = bss.data.synthetic{ samples = 100 }, record = false, on_epoch = function() \
            while true do end end }
            """
        ),
        (
            "training in pcall",
            """
            while true do pcall(bss.train, { data = bss.data.synthetic{ samples = 3000 }, epochs = 100000, \
            record = false }) end
            """
        ),
    ]

    @Test("Ctrl-C ends every kind of loop at once, with code 130", arguments: loops.indices)
    func interrupt(index: Int) throws {
        let (name, body) = Self.loops[index]
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.script(body, interrupt: (0.7, SIGINT), limit: 20)
        #expect(outcome.signal == nil && outcome.code == 130, "\(outcome.summary)")
        #expect(
            outcome.errors.contains("interrupted")
                && outcome.errors.split(separator: "\n").filter { $0.hasPrefix("bss-lua:") }.count == 1,
            "\(outcome.errors)")
        print("Ctrl-C, \(name): \(Int(outcome.seconds * 1000)) ms")
        #expect(outcome.seconds < 1)
    }
}
