import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// The scripts of experiments/, small, and the files of surface.md section 4 that they leave.
@Suite(.oneAtATime) struct ExperimentScriptTests {
    static let scripts: [(name: String, sets: [String], tables: [String], figures: [String])] = [
        ("ablation", ["epochs=2", "seeds=2"], ["ablation"], []),
        ("anti_cl", ["epochs=3", "t_grow=1", "seeds=2"], ["anti_cl"], []),
        (
            "sensitivity", ["epochs=2", "seeds=2", "alphas=0,0.2,1", "betas=0,1"],
            ["sensitivity_alpha", "sensitivity_beta"], ["sensitivity_alpha", "sensitivity_beta"]
        ),
    ]

    @Test("runs on embedded data and leaves every file", arguments: scripts.indices)
    func experiment(index: Int) throws {
        let (name, sets, tables, figures) = Self.scripts[index]
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.run(
            ["--quiet"] + sets.flatMap { ["--set", $0] } + ["\(BuiltProgram.packageRoot)/experiments/\(name).lua"])
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.summary)")
        #expect(outcome.output.contains("±") && outcome.output.contains("2"), "\(outcome.output)")
        let root = "experiments/runs"
        for table in tables {
            for kind in ["csv", "md", "tex"] {
                #expect(Files.exists("\(program.folder)/\(root)/results/tables/\(table).\(kind)"), "\(table).\(kind)")
            }
        }
        for figure in figures {
            for kind in ["csv", "svg", "gp"] {
                #expect(
                    Files.exists("\(program.folder)/\(root)/results/figures/\(figure).\(kind)"), "\(figure).\(kind)")
            }
        }
        let runs = try Files.list("\(program.folder)/\(root)/runs")
        #expect(runs.count >= 4)
        let plan = try Files.list("\(program.folder)/\(root)/plans").flatMap { file in
            try Files.readText("\(program.folder)/\(root)/plans/\(file)").split(separator: "\n").map {
                try JSON.parse(String($0)).table?["id"]?.string ?? ""
            }
        }
        #expect(Set(plan) == Set(runs) && plan.count == runs.count)
        for id in runs {
            for file in ["run.json", "metrics.jsonl", "trace.jsonl", "output.txt"] {
                #expect(Files.exists("\(program.folder)/\(root)/runs/\(id)/\(file)"), "\(id)/\(file)")
            }
            let run = try program.read("\(root)/runs/\(id)/run.json")
            #expect(run["state"]?.string == "finished")
            for selection in ["last", "val_best", "test_best"] {
                for split in ["train", "val", "test"] {
                    for output in ["total", "fused", "strong", "weak"] {
                        for metric in ["accuracy", "map", "macro_f1", "weighted_f1", "loss"] {
                            #expect(
                                run.value(atPath: "result.\(selection).\(split).\(output).\(metric)")?.double != nil,
                                "\(selection).\(split).\(output).\(metric)")
                        }
                    }
                }
            }
            for option in [
                "epochs", "batch_size", "scheduler", "optimizer", "learning_rate", "data", "model", "w_multi", "w_uni",
                "inference_heads", "seed",
            ] {
                #expect(run["config"]?.table?[option] != nil, "config.\(option)")
            }
        }
        // No file half-written or left over.
        let all = FileManager.default.enumerator(atPath: program.folder)?.compactMap { $0 as? String } ?? []
        #expect(!all.contains { $0.hasSuffix(".new") || $0.contains("/tmp/") || $0.contains("checkpoint") }, "\(all)")
    }

    @Test("the table is the same twice and for another number of threads; --resume trains nothing again")
    func repeats() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let arguments = [
            "--quiet", "--set", "epochs=2", "--set", "seeds=2", "\(BuiltProgram.packageRoot)/experiments/ablation.lua",
        ]
        let first = try program.run(["--threads", "1", "--out", "one"] + arguments)
        let second = try program.run(["--threads", "2", "--out", "two"] + arguments)
        #expect(first.code == 0, "\(first.summary)")
        #expect(
            try Files.readText(program.folder + "/one/results/tables/ablation.csv")
                == Files.readText(program.folder + "/two/results/tables/ablation.csv"))
        #expect(first.output.replacingOccurrences(of: "one/", with: "two/") == second.output)
        let again = try program.run(["--threads", "2", "--out", "two", "--resume"] + arguments)
        #expect(again.output == second.output && again.seconds < max(second.seconds, 1), "\(again.summary)")
    }

    @Test("real data: a small run of the ablation", arguments: ["mosi", "mfeat", "av_digits"])
    func realData(name: String) throws {
        guard BuiltProgram.hasSharedData else {
            print("experiments on \(name): not run, no \(BuiltProgram.sharedData)")
            return
        }
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.run([
            "--quiet", "--data", BuiltProgram.sharedData, "--set", "data=\(name)", "--set", "epochs=1", "--set",
            "seeds=1", "\(BuiltProgram.packageRoot)/experiments/ablation.lua",
        ])
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.summary)")
    }

    @Test("--set that the script does not declare")
    func unknownSet() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.run([
            "--quiet", "--set", "epoch=2", "\(BuiltProgram.packageRoot)/experiments/ablation.lua",
        ])
        #expect(
            outcome.code == 2 && outcome.errors.contains("did you mean 'epochs'?") && outcome.output == "",
            "\(outcome.summary)")
    }
}
