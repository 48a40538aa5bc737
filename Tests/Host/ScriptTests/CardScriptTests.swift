import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// Experiments with `--device cuda` on the emulated card, against the CPU.
@Suite(.oneAtATime) struct CardScriptTests {
    /// The emulated card that keeps no book of its memory; the checked one takes too long for whole trainings.
    static let card: String? = {
        guard let named = ProcessInfo.processInfo.environment["BSS_TEST_CUDA"], !named.isEmpty else { return nil }
        let fast = URL(fileURLWithPath: named).deletingLastPathComponent().path + "/fast"
        return Files.isFolder(fast) ? fast : named
    }()

    @Test("the ablation: losses of the first epoch and accuracies are the CPU's, the second run has the same bits")
    func ablation() throws {
        guard let card = Self.card else {
            return print("ring 1 (emulated card), the ablation: 0 of 1 ran (BSS_TEST_CUDA names no folder)")
        }
        let cpu = try runs([:], [])
        let environment = ["BSS_CUDA_PATH": card, "BSS_CUDA_CACHE": "none"]
        let (once, twice) = (try runs(environment, ["--device", "cuda"]), try runs(environment, ["--device", "cuda"]))
        #expect(cpu.count == 6 && Set(cpu.keys) == Set(once.keys))
        #expect(once == twice)
        var (losses, accuracies) = (0, 0)
        for (name, here) in cpu {
            for (metric, value) in here.values {
                let there = once[name]?.values[metric] ?? .nan
                if metric.hasPrefix("1 "), metric.hasSuffix(".loss") {
                    losses += 1
                    #expect(abs(value - there) <= 1e-4, "\(name): epoch \(metric)")
                } else if metric.hasSuffix(".accuracy"),
                    let split = metric.split(separator: " ").last?.prefix(while: { $0 != "." })
                {
                    accuracies += 1
                    let samples = Double(here.samples[String(split)] ?? 0)
                    #expect(abs(value - there) <= 2.001 / max(samples, 1), "\(name): epoch \(metric)")
                }
            }
        }
        #expect(losses >= 6 * 4 && accuracies >= 6 * 8, "\(losses) losses, \(accuracies) accuracies")
        print("ring 1 (emulated card), the ablation: 1 of 1 ran")
    }

    private static let study = """
        print(bss.experiment{
          name = "study", seeds = 2, metrics = { "test.total.accuracy" }, arms = { { name = "a" }, { name = "b" } },
          run = function(_, arm, seed)
            return bss.train{
              name = arm.name, data = bss.data.synthetic{ samples = 120 }, epochs = 2, seed = seed,
              on_epoch = function() os.execute("sleep 0.2") end }
          end,
        })
        """

    @Test(
        "two workers of a sweep on a machine with two cards: each run is on one, both have some, the table is the same")
    func cards() throws {
        guard let card = Self.card else {
            return print("ring 1 (emulated card), a sweep on two cards: 0 of 1 ran (BSS_TEST_CUDA names no folder)")
        }
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write("study.lua", Self.study)
        func sweep(_ options: [String], _ out: String, cards: Int) throws -> String {
            let environment = [
                "BSS_CUDA_PATH": card, "BSS_CUDA_CACHE": "none", "EMULATED_CUDA_DEVICES": "\(cards)",
            ]
            let outcome = try program.run(
                ["--device", "cuda", "--quiet", "--out", out] + options + ["study.lua"], environment: environment,
                limit: 120)
            #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.summary)")
            return outcome.output.replacingOccurrences(of: "\(out)/results", with: "results")
        }
        #expect(try sweep(["-j", "2"], "two", cards: 2) == sweep([], "one", cards: 1))
        let runs = try Files.list("\(program.folder)/two/runs")
        var used: Set<String> = []
        for id in runs {
            let record = try program.read("two/runs/\(id)/run.json")
            let shown = record.value(atPath: "machine.cuda_visible_devices")?.string ?? "none"
            let backend = record.value(atPath: "engine.backend")?.string ?? ""
            #expect(backend.hasPrefix("Emulated card \(shown),"), "\(backend)")
            used.insert(shown)
        }
        #expect(runs.count == 4 && used == ["0", "1"])
        print("ring 1 (emulated card), a sweep on two cards: 1 of 1 ran")
    }

    /// What a run recorded: "epoch metric" to value, and how many samples a split has.
    private struct Numbers: Equatable {
        var values: [String: Double] = [:]
        var samples: [String: Int] = [:]
    }

    /// The ablation, small, by arm and seed.
    private func runs(_ environment: [String: String], _ options: [String]) throws -> [String: Numbers] {
        let program = try BuiltProgram()
        defer { program.remove() }
        let sizes = ["epochs=2", "seeds=1", "score_interval=1"].flatMap { ["--set", $0] }
        let outcome = try program.run(
            options + ["--quiet"] + sizes + ["--out", "made", "\(BuiltProgram.packageRoot)/experiments/ablation.lua"],
            environment: environment)
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.summary)")
        var found: [String: Numbers] = [:]
        for id in try Files.list("\(program.folder)/made/runs") {
            let record = try program.read("made/runs/\(id)/run.json")
            var numbers = Numbers()
            for split in ["train", "val", "test"] {
                numbers.samples[split] = record.value(atPath: "data.samples.\(split)")?.int
            }
            for line in try Files.readText("\(program.folder)/made/runs/\(id)/metrics.jsonl").split(separator: "\n") {
                let entry = try JSON.parse(String(line)).table
                guard let step = entry?["step"]?.int, let name = entry?["name"]?.string else { continue }
                numbers.values["\(step) \(name)"] = entry?["value"]?.double
            }
            found["\(record["name"]?.string ?? "") \(record["seed"]?.int ?? 0)"] = numbers
        }
        return found
    }
}
