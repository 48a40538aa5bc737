import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// Workers as engines start them, and runs whose function trains nothing.
@Suite(.oneAtATime) struct SweepWorkerTests {
    /// Every call leaves a line in a file; a worker may write none but its runs, a program that it starts may.
    private static let function = """
        local calls = 0
        print(bss.experiment{
          name = "sums", seeds = 6, metrics = { "y" }, arms = { { name = "a", x = 0.1 }, { name = "b", x = 2 } },
          run = function(p, arm, seed)
            print("computing", arm.name, seed)
            os.execute("sleep 0.1; echo " .. arm.name .. seed .. " >> calls.txt")
            if seed == 99 then error("never") end
            return { y = arm.x / 3 + seed, note = "text" }
          end,
        })
        """

    private static let training = """
        local p = bss.params{ epochs = 3, nap = 0.0 }
        print(bss.experiment{
          name = "study", params = p, seeds = 2, metrics = { "test.total.accuracy" },
          arms = { { name = "a" }, { name = "b" } },
          run = function(_, arm, seed)
            if p.epochs == 0 and seed == 2 then error("no epochs", 0) end
            return bss.train{
              name = arm.name, data = bss.data.synthetic{ samples = 120 }, epochs = math.max(1, p.epochs), seed = seed,
              checkpoint_every = 1,
              on_epoch = function() if p.nap > 0 then os.execute("sleep " .. p.nap) end end }
          end,
        })
        """

    private func program(_ script: String) throws -> BuiltProgram {
        let program = try BuiltProgram()
        try program.write("study.lua", script)
        return program
    }

    @Test("a function that trains nothing is computed by one worker, printed and tabled as in one process")
    func functions() throws {
        let program = try program(Self.function)
        defer { program.remove() }
        let one = try program.run(["study.lua", "--quiet", "--out", "one"], limit: 60)
        let calls = try Files.readText(program.folder + "/calls.txt").split(separator: "\n")
        #expect(one.code == 0 && calls.count == 12, "\(one.summary)")
        try program.write("calls.txt", "")
        let two = try program.run(["study.lua", "--quiet", "--out", "two", "-j", "2"], limit: 60)
        #expect(two.code == 0, "\(two.summary)")
        #expect(two.output == one.output.replacingOccurrences(of: "one/results", with: "two/results"))
        let shared = try Files.readText(program.folder + "/calls.txt").split(separator: "\n")
        // That an arm trains nothing shows in its first run, which two workers may begin at once.
        #expect(Set(shared).count == 12 && shared.count <= 14, "\(shared)")
        let again = try program.run(["study.lua", "--quiet", "--out", "two", "-j", "2"], limit: 60)
        #expect(again.output == two.output)
        #expect(try Files.readText(program.folder + "/calls.txt").split(separator: "\n").count == shared.count)
    }

    @Test("--one does the run of an index; exit 0 done, 6 failed; --for leaves with 75 and a checkpoint")
    func workers() throws {
        let program = try program(Self.training)
        defer { program.remove() }
        let plan = try program.run(["sweep", "study.lua", "--engine", "print", "-j", "3", "--out", "o"], limit: 60)
        #expect(plan.code == 0, "\(plan.summary)")
        for text in [
            "'sweep' 'work'", "parallel -j 3", "--one {}", "completions: 4", "\"--one\",\"$(JOB_COMPLETION_INDEX)\"",
            "values: [75]",
        ] { #expect(plan.output.contains(text), "\(text) in \(plan.output)") }
        let parts = plan.output.split(separator: "\n").map(String.init)
        let worker = try #require(parts.first { $0.hasPrefix("cd ") })
        for index in [3, 0] { #expect(try program.shell("\(worker) --one \(index)").code == 0) }
        let status = try program.run(["sweep", "status", "o", "--json"])
        #expect(try JSON.parse(status.output).table?["finished"]?.int == 2 && status.code == 75, "\(status.summary)")
        let none = try program.shell("\(worker) --one 4")
        #expect(none.code == 2 && none.errors.contains("the plan has 4 runs, from 0 to 3"), "\(none.summary)")
        // The rest, by the line itself.
        #expect(try program.shell(worker).code == 0)
        #expect(try program.run(["sweep", "status", "o"]).code == 0)
        let failing = ["sweep", "study.lua", "--set", "epochs=0", "--engine", "print", "--out", "bad"]
        let lines = try program.run(failing).output.split(separator: "\n").map(String.init)
        let bad = try #require(lines.first { $0.hasPrefix("cd ") })
        #expect(try program.shell("\(bad) --one 1").code == 6)
        #expect(try program.shell(bad).code == 6)
        let slow = [
            "sweep", "study.lua", "--set", "epochs=40", "--set", "nap=0.2", "--engine", "print", "--out", "slow",
        ]
        let words = try program.run(slow).output.split(separator: "\n").map(String.init)
        let leaving = try #require(words.first { $0.hasPrefix("cd ") })
        let left = try program.shell("\(leaving) --for 2s")
        #expect(left.code == 75 && left.seconds < 30, "\(left.summary)")
        let kept = FileManager.default.enumerator(atPath: program.folder + "/slow/runs")?.compactMap { $0 as? String }
        #expect(kept?.contains { $0.contains("checkpoint-") } == true)
        let state = try program.run(["sweep", "status", "slow", "--json"])
        #expect(try JSON.parse(state.output).table?["open"]?.int == 4, "\(state.summary)")
    }

    @Test("heat maps and responses over the fields of arms; what they cannot show is said")
    func grids() throws {
        let program = try program(
            """
            local exp = bss.experiment{
              name = "grid", seeds = 3, metrics = { "y" },
              arms = bss.sweep{ cross = { order = { "base", "new" }, a = { 1, 2 }, b = { 10, 20, 30 } } },
              run = function(_, arm, seed)
                return { y = seed + arm.a * arm.b + (arm.order == "new" and arm.a == 2 and arm.b + 0.01 * seed or 0) }
              end,
            }
            print(exp:plot{ kind = "heatmap", x = "b", y = "a", against = { order = "base" } })
            print(exp:plot{ kind = "response", x = "b", y = "order", only = { a = 1 } })
            for _, wrong in ipairs{
              { kind = "heatmap", x = "b" }, { kind = "heatmap", x = "b", y = "aa" },
              { kind = "response", x = "order" }, { kind = "box", x = "b" },
              { kind = "heatmap", x = "a", y = "b", against = { order = "other" } },
            } do print(pcall(exp.plot, exp, wrong)) end
            """)
        defer { program.remove() }
        let outcome = try program.run(["study.lua", "--quiet", "--out", "o"], limit: 60)
        #expect(outcome.code == 0, "\(outcome.summary)")
        for text in [
            "*: a 95 % interval without 0, in 3 of 6 cells",
            "rows: a, columns: b; mean of y, difference to order = base",
            "needs two fields", "did you mean 'a'?", "is no number in every arm", "takes no 'x'",
            "has no counterpart with order = other", "bands: 95 % t interval",
        ] { #expect(outcome.output.contains(text), "\(text) in \(outcome.output)") }
    }

    @Test("wrong labels: so many of the training split, known, and nowhere else")
    func wrongLabels() throws {
        let program = try program(
            """
            local clean = bss.data.synthetic{ samples = 1000 }
            local noisy = bss.data.synthetic{ samples = 1000, label_noise = 0.3 }
            print(noisy)
            local truth, wrong = noisy.train.truth, 0
            for i = 1, #noisy.train do
              if truth.mislabelled[i] then wrong = wrong + 1 end
              assert(truth.mislabelled[i] == (noisy.train[i].label ~= truth.label[i]))
              assert(truth.label[i] == clean.train[i].label)
            end
            print(wrong, #noisy.train)
            for _, name in ipairs{ "val", "test" } do
              for i, is_wrong in ipairs(noisy[name].truth.mislabelled) do
                assert(not is_wrong and noisy[name][i].label == clean[name][i].label)
              end
            end
            """)
        defer { program.remove() }
        let outcome = try program.run(["study.lua", "--quiet"], limit: 60)
        #expect(outcome.code == 0 && outcome.output.contains("180\t600"), "\(outcome.summary)")
        #expect(outcome.output.contains("180 training samples with a wrong label"), "\(outcome.summary)")
    }
}
