import BSSCore
import Testing
import _BSSTestSupport

/// An artifact whose script is harmless where its author ran it, and an attack where it is verified.
@Suite(.oneAtATime) struct HostileArtifactTests {
    struct Attack: CustomTestStringConvertible, Sendable {
        var name: String
        var lua: String
        var code: Int32
        /// In what `verify` says.
        var says: String
        var budget = "2s"
        var testDescription: String { name }
    }

    static let attacks = [
        Attack(name: "writes outside", lua: #"assert(io.open(VICTIM, "w"))"#, code: 3, says: "refuses"),
        Attack(name: "removes", lua: "print(os.remove(VICTIM))", code: 3, says: "refuses"),
        Attack(name: "moves", lua: #"print(os.rename(VICTIM, VICTIM .. ".gone"))"#, code: 3, says: "refuses"),
        Attack(name: "reads keys", lua: "for line in io.lines(VICTIM) do print(line) end", code: 3, says: "refuses"),
        Attack(
            name: "climbs", lua: #"print(io.open("../../../../../../../" .. VICTIM))"#, code: 3, says: "refuses"),
        Attack(name: "starts programs", lua: #"os.execute("touch " .. VICTIM .. ".new")"#, code: 3, says: "refuses"),
        Attack(name: "opens pipes", lua: #"io.popen("id")"#, code: 3, says: "refuses"),
        Attack(name: "bytecode", lua: "load(string.dump(print))", code: 3, says: "refuses bytecode"),
        Attack(name: "native code", lua: #"package.loadlib("libc.so.6", "*")"#, code: 3, says: "refuses native code"),
        Attack(name: "says that it is done", lua: "os.exit(0)", code: 3, says: "did not run 6 of its runs"),
        Attack(
            name: "floods", lua: #"while true do print(("x"):rep(100000)) end"#, code: 7, says: "MiB of output",
            budget: "60s"),
        Attack(name: "never ends", lua: "while true do end", code: 4, says: "the budget of time ended"),
        Attack(
            name: "never ends, and catches what would end it",
            lua: "while true do pcall(coroutine.wrap(function() while true do end end)) end", code: 4,
            says: "the budget of time ended"),
    ]

    @Test("refused or stopped, and nothing outside is touched", arguments: attacks)
    func attack(_ attack: Attack) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let victim = program.folder + "/key"
        try program.write("key", "secret")
        try program.write(
            "study.lua",
            """
            local bss = require "bss"
            VICTIM = "\(victim)"
            if not os.getenv "BSS_TEST_AUTHOR" then \(attack.lua) end
            print(bss.experiment{
              name = "study", seeds = 3, metrics = { "test.total.accuracy" },
              arms = { { name = "a", rate = 0.05 }, { name = "b", rate = 0.0001 } },
              claims = { bss.claim{ id = "C1", text = "a is above b", metric = "test.total.accuracy",
                                    better = { "a", "b" }, significant = false } },
              run = function(_, arm, seed)
                local optimizer = bss.optimizer.sgd{ learning_rate = arm.rate }
                local data = bss.data.synthetic{ samples = 200 }
                return bss.train{ data = data, epochs = 1, seed = seed, optimizer = optimizer }
              end,
            })
            """)
        let author = ["BSS_TEST_AUTHOR": "1"]
        let run = try program.run(["--quiet", "--out", "o", "study.lua"], environment: author)
        #expect(run.code == 0 && run.output.contains("C1  holds"), "\(run.summary)")
        let pack = try program.run(["pack", "o", "-o", "a.bss"])
        #expect(pack.code == 0, "\(pack.summary)")
        let verify = try program.run(["verify", "a.bss", "--budget", attack.budget])
        #expect(verify.code == attack.code && verify.output.contains(attack.says), "\(verify.summary)")
        #expect(!verify.output.contains("secret") && !verify.errors.contains("secret"))
        #expect(try Files.readText(victim) == "secret")
        #expect(try Files.list(program.folder).sorted() == ["a.bss", "key", "o", "study.lua"])
    }
}
