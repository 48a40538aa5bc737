import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// Options, exit codes and what goes to which stream.
@Suite(.oneAtATime) struct CommandLineTests {
    private func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:], output: String? = nil,
        script: String? = nil
    ) throws -> BuiltProgram.Outcome {
        let program = try BuiltProgram()
        defer { program.remove() }
        if let script { try program.write("script.lua", script) }
        return try program.run(arguments, input: input, environment: environment, output: output)
    }

    static let declaring =
        """
        local p = bss.params{ epochs = 3, rate = 0.5, name = 'x', flag = true, list = { 1, 2 } }
        print(p.epochs, p.rate, p.name, p.flag, #p.list, p.list[1])
        """

    static let exits: [(arguments: [String], code: Int32)] = [
        (["-e", ""], 0), (["-e", "error('x')"], 1), (["-e", "x ="], 1), (["--nonsense"], 2),
        (["--seed", "a", "-e", ""], 2), (["--threads", "0", "-e", ""], 2),
        (["nothing.lua"], 2), (["--device", "cuda", "-e", "print(1)"], 9), (["--device", "cuda:3", "-e", ""], 9),
        (["--device", "tpu", "-e", ""], 2),
        (["-e", "os.exit(7)"], 7), (["-e", "os.exit(true)"], 0), (["-e", "os.exit(false)"], 1),
        (["-e", "bss.data.mosi{}"], 8), (["-e", "bss.data.npz{ path = 'x.npz' }"], 8),
        (["--help"], 0), (["--version"], 0), (["-v"], 0), (["help", "bss.pace.root"], 0),
        (["help", "bss.pace.rot"], 2), (["--set", "epochs", "-e", ""], 2),
        (["--set", "epochs=3", "-e", "print(1)"], 2),
    ]

    @Test("exit codes", arguments: exits.indices)
    func exitCodes(index: Int) throws {
        let (arguments, code) = Self.exits[index]
        let outcome = try run(arguments)
        #expect(outcome.code == code && outcome.signal == nil, "\(arguments): \(outcome.summary)")
        #expect(
            (code == 0 || code == 7) == outcome.errors.isEmpty || arguments.contains("os.exit(false)"),
            "\(outcome.errors)")
    }

    @Test func setKeepsTypes() throws {
        let outcome = try run(
            [
                "--set", "epochs=7", "--set", "rate=2", "--set", "name=y", "--set", "flag=false", "--set", "list=5,6,7",
                "script.lua",
            ], script: Self.declaring)
        #expect(outcome.output == "7\t2.0\ty\tfalse\t3\t5\n", "\(outcome.summary)")
        #expect(try run(["script.lua"], script: Self.declaring).output == "3\t0.5\tx\ttrue\t2\t1\n")
    }

    static let wrongPairs: [(pair: String, texts: [String])] = [
        ("epoch=7", ["unknown parameter 'epoch'", "did you mean 'epochs'?"]),
        ("zzz=1", ["unknown parameter 'zzz'", "declared: epochs, flag, list, name, rate"]),
        ("epochs=2.5", ["'epochs' expects an integer", "2.5"]),
        ("epochs=many", ["'epochs' expects an integer", "many"]), ("rate=fast", ["'rate' expects a number", "fast"]),
        ("flag=perhaps", ["'flag' expects true or false", "perhaps"]), ("list=1,b", ["'list' expects", "b"]),
    ]

    @Test("--set of an unknown key or another type: exit 2 with what would be right", arguments: wrongPairs.indices)
    func wrongSet(index: Int) throws {
        let (pair, texts) = Self.wrongPairs[index]
        let outcome = try run(["--set", pair, "script.lua"], script: Self.declaring)
        #expect(outcome.code == 2 && outcome.output == "", "\(outcome.summary)")
        for text in texts { #expect(outcome.errors.contains(text), "\(outcome.errors)") }
    }

    @Test func deviceThatIsNotThere() throws {
        let outcome = try run(["--device", "cuda", "-e", "print(1)"])
        #expect(outcome.code == 9 && outcome.errors.contains("CUDA") && outcome.output == "", "\(outcome.summary)")
    }

    @Test(
        "output that cannot be written: exit 74",
        arguments: [
            "print('x')", "io.write('x')", "for i = 1, 1e5 do print(i) end", "io.write('x') os.exit(0)",
            "io.stdout:write('x')",
        ])
    func fullDevice(body: String) throws {
        let outcome = try run(["-e", body], output: "/dev/full")
        #expect(outcome.code == 74 && outcome.errors.contains("No space left"), "\(outcome.summary)")
    }

    @Test("a results folder that cannot be made: exit 74 before anything is trained")
    func unwritableFolder() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write("file", "not a folder")
        try program.write(
            "script.lua",
            """
            bss.train{ data = bss.data.synthetic{ samples = 60 }, epochs = 1, \
            on_epoch = function() print('trained') end }
            """
        )
        for folder in ["file/runs", "/proc/nowhere"] {
            let outcome = try program.run(["--quiet", "--out", folder, "script.lua"])
            #expect(outcome.code == 74 && outcome.output == "" && outcome.errors.contains(folder), "\(outcome.summary)")
        }
    }

    @Test("results to stdout, progress to stderr, nothing with --quiet")
    func streams() throws {
        let script =
            """
            local run = bss.train{ data = bss.data.synthetic{ samples = 60 }, epochs = 2, record = false }
            print(#run.history)
            """
        let plain = try run(["--progress", "plain", "script.lua"], script: script)
        #expect(plain.output == "2\n" && plain.errors.isEmpty, "a line every 30 seconds: \(plain.summary)")
        let json = try run(["--progress", "json", "script.lua"], script: script)
        #expect(json.output == "2\n" && json.errors.split(separator: "\n").count == 2, "\(json.summary)")
        for line in json.errors.split(separator: "\n") {
            #expect((try? JSON.parse(String(line)))?.table != nil, "\(line)")
        }
        let quiet = try run(["--quiet", "script.lua"], script: script)
        #expect(quiet.output == "2\n" && quiet.errors.isEmpty, "\(quiet.summary)")
        let none = try run(["--progress", "none", "script.lua"], script: script)
        #expect(none.errors.isEmpty)
    }

    @Test("scripts from stdin, arguments, and several -e in order")
    func drop_in() throws {
        #expect(try run(["-"], input: "print('in', 1 + 1)").output == "in\t2\n")
        #expect(try run([], input: "print('piped')").output == "piped\n")
        #expect(
            try run(["script.lua", "a", "--b", "c"], script: "print(arg[0], #arg, ...)").output
                == "script.lua\t3\ta\t--b\tc\n")
        #expect(try run(["-e", "x = 1", "-e", "print(x)"]).output == "1\n")
        #expect(try run(["-lbss", "-e", "print(bss.version())"]).output.hasPrefix("0."))
        #expect(try run(["-e", "local b = require 'bss' print(b == bss)"]).output == "true\n")
    }

    @Test("environment variables give defaults, options win")
    func environment() throws {
        let script = "print(bss.randn{1}[1])"
        let seven = try run(["script.lua"], environment: ["BSS_SEED": "7"], script: script).output
        #expect(try run(["--seed", "7", "script.lua"], script: script).output == seven)
        #expect(try run(["--seed", "8", "script.lua"], environment: ["BSS_SEED": "7"], script: script).output != seven)
        #expect(try run(["-e", ""], environment: ["BSS_THREADS": "none"]).code == 2)
        #expect(try run(["-e", ""], environment: ["BSS_BACKEND": "cuda"]).code == 9)
    }

    @Test("the same bits for every number of threads, and on a second run")
    func threads() throws {
        let script = """
            local run = bss.train{ data = bss.data.synthetic{ samples = 700 }, epochs = 2, batch_size = 128, \
            record = false, scheduler = "learned" }
            print(run.parameters_hash, run.result.last.test.total.loss)
            """
        let one = try run(["--quiet", "--threads", "1", "script.lua"], script: script)
        #expect(one.code == 0, "\(one.summary)")
        for threads in ["1", "2", "3", "7"] {
            #expect(try run(["--quiet", "--threads", threads, "script.lua"], script: script).output == one.output)
        }
    }

    @Test("every operation and its derivative: the same bits for every number of threads")
    func operationsAndThreads() throws {
        let script = """
            local function hash(t) return ("%a"):format((t:to("f64") * \
            bss.arange(1, t:numel() + 1):to("f64"):reshape(t:shape())):sum():item()) end
            local a, b, c = bss.randn{ 517, 333, seed = 1 }, bss.randn{ 333, 291, seed = 2 }, \
            bss.randn{ 8, 64, 129, seed = 3 }
            local function check(name, f)
              local g, value = bss.grad(f, { a, b, c })
              print(name, ("%a"):format(value:item()), hash(g[1]), hash(g[2]), hash(g[3]))
            end
            check("matmul", function() return a:matmul(b):tanh():sum() end)
            check("batched matmul", function() return c:matmul(c:transpose(2, 3)):sigmoid():mean() end)
            check("softmax", function() return (a:softmax{ axis = 2 } * a):sum() + \
            (a:log_softmax{ axis = 1 } * a):mean() + c:softmax{ axis = 2 }:square():sum() end)
            check("sums", function() return a:sum{ axis = 1 }:square():sum() + a:mean{ axis = 2 }:exp():sum() + \
            a:norm() + c:logsumexp{ axis = 2 }:sum() + c:sum{ axis = { 1, 3 } }:square():sum() end)
            check("spread", function() return a:var{ axis = 1 }:sum() + a:std{ axis = 2 }:sum() + c:var():sum() end)
            check("extrema", function() return a:max{ axis = 1 }:sum() + a:min{ axis = 2 }:sum() + c:max():sum() + \
            (a * 0.01 + 1):prod{ axis = 2 }:sum() end)
            check("order", function() return (a:sort{ axis = 2 } * a):sum() + a:topk{ k = 5 }:sum() + \
            a:cumsum{ axis = 1 }:mean() end)
            check("index", function() return a:index_select{ axis = 1, \
            positions = { 3, 3, 9, 500, 1 } }:square():sum() + a:narrow{ axis = 2, from = 3, to = 100, \
            step = 3 }:sum() end)
            check("broadcast", function() return (a * a:sum{ axis = 1 } + bss.ones{ 517, 1 } * 0.5):gelu():sum() end)
            check("cross entropy", function() return bss.cross_entropy(a, \
            ((bss.arange(517) * 0.6):floor() + 1):to("i64")) end)
            check("elementwise", function() return (a:abs() + 0.1):log():sum() + a:erf():sum() + a:silu():sum() + \
            a:sigmoid():log1p():sum() + (a:abs() + 1):lgamma():sum() end)
            """
        let one = try run(["--threads", "1", "script.lua"], script: script)
        #expect(one.code == 0 && one.output.split(separator: "\n").count == 11, "\(one.summary)")
        for threads in ["2", "3", "5"] {
            #expect(
                try run(["--threads", threads, "script.lua"], script: script).output == one.output, "\(threads) threads"
            )
        }
    }
}
