import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// One plan, many workers: `-j`, `sweep`.
@Suite(.oneAtATime) struct SweepTests {
    private static let study = """
        -- Two experiments; a trainer that may fail.
        local bss = require "bss"
        local p = bss.params{ epochs = 2, seeds = 2, fail = "", when = 0.0, smoke = { epochs = 1, seeds = 1 } }
        local data = bss.data.synthetic{ samples = 120 }
        local function study(name, arms)
          local result = bss.experiment{
            name = name, params = p, seeds = p.seeds, metrics = { "test.total.accuracy" }, control = arms[1].name,
            arms = arms,
            run = function(p, arm, seed)
              print("run", arm.name, seed)
              if p.fail ~= "" and arm.name:find(p.fail) then error("no luck with " .. p.fail, 0) end
              return bss.train{ name = arm.name, data = data, epochs = p.epochs, seed = seed, alpha = arm.alpha,
                                on_epoch = function(e) print(arm.name, e.epoch) end }
            end,
          }
          print(result)
          return result
        end
        local first = study("first", { { name = "a", alpha = 0.1 }, { name = "b", alpha = 0.3 } })
        study("second", { { name = "base" }, { name = "c", alpha = first:values("a", "test.total.accuracy")[1] } })
        local file <close> = io.open("seen.txt", "a")
        file:write("once\\n")
        """

    private func program() throws -> BuiltProgram {
        let program = try BuiltProgram()
        try program.write("study.lua", Self.study)
        return program
    }

    private func tables(_ program: BuiltProgram, _ root: String) throws -> [String] {
        try ["first", "second"].map { try Files.readText("\(program.folder)/\(root)/results/tables/\($0).csv") }
    }

    @Test("-j 2 prints and writes what one process does, once; workers run both experiments")
    func equal() throws {
        let program = try program()
        defer { program.remove() }
        let one = try program.run(["--quiet", "--out", "one", "study.lua"])
        let two = try program.run(["--quiet", "--out", "two", "study.lua", "-j", "2"])
        #expect(one.code == 0 && two.code == 0 && two.errors == "", "\(one.summary) \(two.summary)")
        #expect(two.output == one.output.replacingOccurrences(of: "one/results", with: "two/results"))
        #expect(try tables(program, "one") == tables(program, "two"))
        #expect(try Files.readText("\(program.folder)/seen.txt") == "once\nonce\n")
        // Workers did the runs: none is the coordinator's.
        let runs = "\(program.folder)/two/runs"
        let words = try Files.list(runs).map { try JSON.parse(Files.readText("\(runs)/\($0)/run.json")).table }
        #expect(words.count == 8)
        for record in words {
            #expect(record?["argv"]?.table?.items.contains { $0.string?.hasPrefix("2@") ?? false } != nil)
            #expect(record?["argv"]?.table?.items.compactMap(\.string).contains("--worker") == true)
        }
        let status = try program.run(["sweep", "status", "two", "--json"])
        let table = try JSON.parse(status.output).table
        #expect(status.code == 0 && table?["finished"]?.int == 8 && table?["runs"]?.int == 8, "\(status.summary)")
    }

    @Test("--dry-run plans the first experiment and stops; then it knows the cost")
    func dry() throws {
        let program = try program()
        defer { program.remove() }
        let plan = try program.run(["--out", "o", "sweep", "study.lua", "--dry-run"].reordered)
        #expect(plan.code == 0 && plan.output.contains("4 runs: 4 open; no run to estimate"), "\(plan.summary)")
        #expect(plan.output.contains("a: seeds 1 2") && !Files.exists("\(program.folder)/seen.txt"))
        let some = try program.run(["sweep", "study.lua", "--out", "o", "--only", "a", "-j", "1", "--quiet"])
        #expect(some.code == 0, "\(some.summary)")
        let next = try program.run(["sweep", "study.lua", "--out", "o", "--dry-run"])
        #expect(next.output.contains("2 finished, 2 open; about"), "\(next.summary)")
        let only = try program.run(["sweep", "study.lua", "--out", "o", "--only", "z"])
        #expect(only.code == 2 && only.errors.contains("arms: a, b"), "\(only.summary)")
    }

    @Test("a run that fails costs only itself; exit 6; --retry failed begins it again")
    func failures() throws {
        let program = try program()
        defer { program.remove() }
        let words = ["sweep", "study.lua", "--out", "o", "-j", "2", "--quiet", "--set", "fail=b"]
        let bad = try program.run(words)
        #expect(bad.code == 6 && bad.errors.contains("b, seed 1") && bad.errors.contains("no luck with b"))
        #expect(bad.errors.contains("2 of 4 runs came to no result"), "\(bad.summary)")
        let status = try program.run(["sweep", "status", "o"])
        #expect(status.code == 6 && status.output.contains("2 finished, 2 failed"), "\(status.summary)")
        let again = try program.run(words)
        #expect(again.code == 6 && again.seconds < 20)
        let stop = try program.run(words + ["--retry", "failed", "--on-error", "stop"])
        #expect(stop.code == 6 && stop.errors.contains("of 4 runs failed (--on-error)"), "\(stop.summary)")
        // Nothing succeeds: three failures alike are enough.
        let all = try program.run([
            "sweep", "study.lua", "--out", "p", "-j", "1", "--quiet", "--set", "fail=.", "--set", "seeds=9",
        ])
        #expect(all.code == 6 && all.errors.contains("stopped: the same error in"), "\(all.summary)")
    }

    @Test("a training outside an experiment, a plan that changes with every call, no experiment at all: refused")
    func refused() throws {
        let program = try program()
        defer { program.remove() }
        try program.write("outside.lua", "local bss = require \"bss\"\n\nbss.train{ data = bss.data.synthetic{} }\n")
        let outside = try program.run(["outside.lua", "-j", "2"])
        #expect(outside.code == 1 && outside.errors.contains("outside.lua:3: bss.train: outside bss.experiment"))
        try program.write("none.lua", "print(1)")
        let none = try program.run(["none.lua", "-j", "2"])
        #expect(none.code == 2 && none.errors.contains("no bss.experiment"), "\(none.summary)")
        try program.write(
            "time.lua", Self.study.replacingOccurrences(of: "alpha = 0.1", with: "alpha = 0.1, at = bss.clock()"))
        let time = try program.run(["time.lua", "-j", "2", "--quiet"])
        #expect(time.code == 1 && time.errors.contains("which was frozen"), "\(time.summary)")
        for (words, text) in [
            (["-j", "0"], "1 to 1024"), (["-jx"], "1 to 1024"), (["--retry", "some"], "failed, lost, all"),
            (["--on-error", "x"], "stop-after=N"), (["--only", ","], "no condition"),
        ] {
            let outcome = try program.run(words + ["study.lua"])
            #expect(outcome.code == 2 && outcome.errors.contains(text), "\(words): \(outcome.summary)")
        }
    }

    @Test("--smoke takes the small form, into a folder of its own; several values of a parameter are several sweeps")
    func forms() throws {
        let program = try program()
        defer { program.remove() }
        let smoke = try program.run(["study.lua", "-j", "2", "--smoke", "--quiet"])
        #expect(smoke.code == 0 && smoke.output.contains("1 seed;"), "\(smoke.summary)")
        #expect(Files.exists("\(program.folder)/experiments/runs/smoke/results/tables/first.csv"))
        let grid = try program.run([
            "sweep", "study.lua", "--smoke", "--set", "when=0.5,1", "--out", "g", "--quiet", "-j", "1",
        ])
        #expect(grid.code == 0, "\(grid.summary)")
        for name in ["when_0.5", "when_1"] {
            #expect(Files.exists("\(program.folder)/g/\(name)/results/tables/second.csv"), "\(name)")
        }
        try program.write("plain.lua", "bss.params{ a = 1 }")
        let none = try program.run(["plain.lua", "--smoke"])
        #expect(none.code == 2 && none.errors.contains("declares no small form"), "\(none.summary)")
    }
}

extension [String] {
    /// The command's words first.
    fileprivate var reordered: [String] { drop { $0 != "sweep" } + prefix { $0 != "sweep" } }
}
