import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// Claims, `pack`, `verify`: an experiment here, its artifact somewhere else.
@Suite(.oneAtATime) struct ArtifactTests {
    private static let study = """
        local bss = require "bss"
        local p = bss.params{ epochs = 2, seeds = 3, smoke = { epochs = 1, seeds = 1 } }
        local lr = require "lib.rates"
        local data = bss.data.synthetic{ samples = 200 }
        print(bss.experiment{
          name = "study", params = p, seeds = p.seeds, metrics = { "test.total.accuracy" }, control = "fast",
          facts = { "parameters", "seconds" },
          arms = {
            { name = "fast", rate = lr.fast }, { name = "slow", rate = lr.slow }, { name = "rest", rate = 0.02 },
          },
          claims = {
            bss.claim{ id = "T1", text = "fast is above slow in the mean", metric = "test.total.accuracy",
                       better = { "fast", "slow" }, significant = false, place = "Table 1, row 2" },
            bss.claim{ id = "T2", text = "parameters", metric = "parameters", where = "fast", expect = 12818,
                       class = "exact" },
            bss.claim{ id = "T3", text = "fast is significantly above slow", metric = "test.total.accuracy",
                       better = { "fast", "slow" } },
            bss.claim{ id = "T4", text = "the row of slow", metric = "test.total.accuracy", where = "slow" },
          },
          run = function(p, arm, seed)
            return bss.train{ data = data, epochs = p.epochs, seed = seed,
              optimizer = bss.optimizer.sgd{ learning_rate = arm.rate },
              on_epoch = function(e) print(arm.name, e.epoch) end }
          end,
        })
        """

    private func program() throws -> BuiltProgram {
        let program = try BuiltProgram()
        try Files.makeFolder(program.folder + "/paper/lib")
        try program.write("paper/study.lua", Self.study)
        try program.write(
            "paper/lib/rates.lua", "local learning_rate = 0.5\nreturn { fast = learning_rate, slow = 0.0001 }")
        return program
    }

    private func packed(_ program: BuiltProgram, _ words: [String] = []) throws {
        let run = try program.run(["--quiet", "--out", "o", "paper/study.lua"])
        #expect(run.code == 0, "\(run.summary)")
        let smoke = try program.run(["--quiet", "--smoke", "--out", "o/smoke", "paper/study.lua"])
        #expect(smoke.code == 0, "\(smoke.summary)")
        let pack = try program.run(["pack", "o", "-o", "a.bss"] + words)
        #expect(pack.code == 0 && pack.output.contains("9 runs, 3 of 4 claims supported"), "\(pack.summary)")
    }

    @Test("claims stand under the table; too few seeds never hold; wrong claims are told with what was meant")
    func claims() throws {
        let program = try program()
        defer { program.remove() }
        let run = try program.run(["--quiet", "--out", "o", "paper/study.lua"])
        #expect(run.output.contains("T1  holds") && run.output.contains("(Table 1, row 2)"), "\(run.summary)")
        #expect(run.output.contains("T3  not enough runs") && run.output.contains("needs 6 seeds"), "\(run.summary)")
        let two = try program.run(["--quiet", "--out", "p", "-j", "2", "paper/study.lua"])
        #expect(two.output.contains("T4  holds"), "\(two.summary)")
        for (from, to, words) in [
            ("where = \"slow\"", "where = \"slwo\"", "did you mean 'slow'?"),
            ("metric = \"parameters\"", "metric = \"paramters\"", "did you mean 'parameters'?"),
            ("id = \"T2\"", "id = \"T1\"", "two claims have the id 'T1'"),
            ("class = \"exact\"", "better = { \"fast\", \"slow\" }", "states several things"),
            ("expect = 12818,", "expect = 12818, margin = 2, better = 3,", "better"),
            ("place = \"Table 1, row 2\"", "plaec = \"x\"", "did you mean 'place'?"),
        ] {
            try program.write("paper/study.lua", Self.study.replacingOccurrences(of: from, with: to))
            let wrong = try program.run(["--quiet", "--out", "q", "paper/study.lua"])
            #expect(wrong.code != 0 && wrong.errors.contains(words), "\(to): \(wrong.summary)")
        }
    }

    @Test("an artifact verifies in a fresh folder with another number of threads")
    func holds() throws {
        let program = try program()
        defer { program.remove() }
        try packed(program)
        try Files.makeFolder(program.folder + "/elsewhere")
        let verify = try program.shell(
            "cd elsewhere && \(BuiltProgram.path) verify ../a.bss --trust --threads 1 --report r.json --quiet")
        #expect(verify.code == 0, "\(verify.summary)")
        #expect(
            verify.output.contains("holds: 3 claims, 3 holds, 0 differs, 0 not checked, level 3"), "\(verify.summary)")
        let report = try program.read("elsewhere/r.json")
        #expect(report["verdict"]?.string == "holds" && report["trusted"]?.bool == true)
        #expect(try Files.list(program.folder + "/elsewhere") == ["r.json"])
        // In the sandbox, where there is one.
        let shut = try program.run(["verify", "a.bss", "--claim", "T2", "--quiet"])
        if shut.output.contains("no sandbox") {
            print("an artifact verified in a sandbox: 0 of 1 (none here)")
        } else {
            #expect(shut.code == 0, "\(shut.summary)")
        }
        // Unpacked, and one claim alone.
        let unpacked = try program.shell("mkdir u && tar -xf a.bss -C u")
        #expect(unpacked.code == 0)
        let one = try program.run(["verify", "u", "--trust", "--claim", "T2", "--why", "--quiet"])
        #expect(one.code == 0 && one.output.contains("3 runs again, equal bits"), "\(one.summary)")
        let none = try program.run(["verify", "u", "--claim", "T9"])
        #expect(none.code == 2 && none.errors.contains("no claim 'T9'"), "\(none.summary)")
        let replicate = try program.run(["verify", "u", "--trust", "--claim", "T1", "--level", "4", "--quiet"])
        #expect(replicate.code == 0 && replicate.output.contains("level 4"), "\(replicate.summary)")
        let broke = try program.run(["verify", "u", "--trust", "--budget", "0.001", "--quiet"])
        #expect(broke.code == 4 && broke.output.contains("budget"), "\(broke.summary)")
    }

    @Test("edited: exit 5; edited and sealed again: exit 3 with claim and first difference")
    func edited() throws {
        let program = try program()
        defer { program.remove() }
        try packed(program)
        let unpacked = try program.shell("mkdir u && tar -xf a.bss -C u")
        #expect(unpacked.code == 0)
        let runs = try Files.list(program.folder + "/u/runs")
        let path = "u/runs/\(runs[0])/metrics.jsonl"
        let text = try Files.readText("\(program.folder)/\(path)")
        try program.write(path, text.replacingOccurrences(of: "\"value\":1", with: "\"value\":2"))
        let broken = try program.run(["verify", "u", "--trust", "--quiet"])
        #expect(broken.code == 5 && broken.output.contains("\(runs[0])/metrics.jsonl was changed"), "\(broken.summary)")
        let mutate = try program.run(["verify", "a.bss", "--trust", "--mutate"])
        #expect(mutate.code == 0 && mutate.output.contains(" 0 missed"), "\(mutate.summary)")
        #expect(mutate.output.contains("21 found"), "\(mutate.output)")
        for kind in ["order", "forward", "gradient", "update"] {
            #expect(mutate.output.contains("first difference in the \(kind)"), "\(kind): \(mutate.output)")
        }
    }

    @Test("equal bytes from two folders and two times; anonymous: no host, no author")
    func equalBytes() throws {
        let program = try program()
        defer { program.remove() }
        try packed(program)
        let copied = try program.shell("mkdir -p deep/er && cp -r o deep/er/results && touch deep/er/results/data/*")
        #expect(copied.code == 0)
        let again = try program.run(["pack", "deep/er/results", "-o", "b.bss"])
        #expect(again.code == 0, "\(again.summary)")
        let (one, two) = ("\(program.folder)/a.bss", "\(program.folder)/b.bss")
        #expect(try Files.read(one) == Files.read(two))
        // A second execution differs in times alone.
        let rerun = try program.run(["--quiet", "--threads", "1", "--out", "p", "paper/study.lua"])
        #expect(rerun.code == 0)
        let first = try program.run(["pack", "p", "-o", "p.bss", "--smoke-results", "o/smoke", "--json"])
        let second = try program.run(["pack", "o", "-o", "q.bss", "--json"])
        let contents = try [first, second].map { try JSON.parse($0.output).table?["content"]?.string }
        #expect(contents[0] == contents[1] && contents[0] != nil, "\(first.summary) \(second.summary)")
        let hidden = try program.run(["pack", "o", "-o", "h.bss", "--anonymous", "--authors", "A Person"])
        #expect(hidden.code == 0, "\(hidden.summary)")
        let text = String(decoding: try Files.read(program.folder + "/h.bss"), as: UTF8.self)
        #expect(!text.contains("A Person") && !text.contains("\"host\"") && !text.contains(program.folder))
        #expect(try program.run(["verify", "h.bss", "--level", "1", "--quiet"]).code == 0)
        try program.write("paper/study.lua", Self.study + "\n-- see /" + "home/someone/data\n")
        _ = try program.run(["--quiet", "--out", "r", "paper/study.lua"])
        let named = try program.run(["pack", "r", "-o", "r.bss", "--anonymous"])
        #expect(named.code == 2 && named.errors.contains("study.lua:"), "\(named.summary)")
    }

    @Test("data that is not there: not checked, exit 4; packed with it: holds")
    func data() throws {
        let program = try program()
        defer { program.remove() }
        try program.write(
            "rows.csv",
            "a,b,label\n"
                + (0..<60).map { "\(Double($0 * 37 % 11) / 7),\(Double($0 * 53 % 13) / 5),\($0 % 3)" }.joined(
                    separator: "\n"))
        let script = """
            local bss = require "bss"
            print(bss.experiment{
              name = "rows", seeds = 3, metrics = { "train.total.accuracy" }, arms = { { name = "a" } },
              claims = { bss.claim{ id = "R", text = "row", metric = "train.total.accuracy" } },
              run = function(p, arm, seed)
                local data = bss.data.csv{ path = "rows.csv", label = "label", modalities = { x = "a", y = "b" } }
                return bss.train{ data = data, epochs = 1, seed = seed }
              end,
            })
            """
        try program.write("rows.lua", script)
        let run = try program.run(["--quiet", "--out", "o", "rows.lua"])
        #expect(run.code == 0, "\(run.summary)")
        let bare = try program.run(["pack", "o", "-o", "a.bss"])
        #expect(bare.code == 0 && bare.errors.contains("is not packed"), "\(bare.summary)")
        let whole = try program.run(["pack", "o", "-o", "b.bss", "--with-data", "small"])
        #expect(whole.code == 0 && whole.errors == "", "\(whole.summary)")
        try Files.makeFolder(program.folder + "/elsewhere")
        let without = try program.shell("cd elsewhere && \(BuiltProgram.path) verify ../a.bss --trust --quiet")
        #expect(without.code == 4 && without.output.contains("data missing"), "\(without.summary)")
        let given = try program.shell("cd elsewhere && \(BuiltProgram.path) verify ../a.bss --trust --data .. --quiet")
        #expect(given.code == 0, "\(given.summary)")
        let packed = try program.shell("cd elsewhere && \(BuiltProgram.path) verify ../b.bss --trust --quiet")
        #expect(packed.code == 0, "\(packed.summary)")
        let mutate = try program.shell("cd elsewhere && \(BuiltProgram.path) verify ../b.bss --mutate --level 1")
        #expect(
            mutate.code == 0 && mutate.output.contains("found        level 1  a byte of packed data"),
            "\(mutate.summary)")
    }
}
