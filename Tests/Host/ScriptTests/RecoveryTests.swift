import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// kill -9 at any moment, `--resume`, and the record is that of an undisturbed run.
@Suite(.oneAtATime) struct RecoveryTests {
    private static let script = """
        local data = bss.data.synthetic{ samples = 900, classes = 5 }
        local encoder = bss.encoder.mlp{ hidden = {96}, norm = "batch", dropout = 0.2 }
        local run = bss.train{
          data = data, model = bss.model{ strong = encoder, weak = encoder }, epochs = 40, batch_size = 16, \
        checkpoint_every = 1,
          scheduler = bss.scheduler.learned{ every = 3 }, optimizer = bss.optimizer.adam{ learning_rate = 2e-3 },
          learning_rate = bss.learning_rate.plateau{ metric = "val_loss", patience = 1 },
        }
        print(run.parameters_hash)
        """

    /// What must be equal, as text; and when it ended.
    private func record(_ program: BuiltProgram) throws -> [String: String] {
        let ids = try Files.list(program.folder + "/runs/runs")
        #expect(ids.count == 1)
        let run = try program.read("runs/runs/\(ids[0])/run.json")
        var parts: [String: String] = [
            "state": run["state"]?.string ?? "",
            "files": try Files.list(program.folder + "/runs/runs/\(ids[0])").filter { !$0.hasPrefix("attempt-") }
                .joined(
                    separator: " "),
        ]
        for key in ["result", "parameters_hash", "history", "order_hashes", "id", "config"] {
            parts[key] = JSON.text(run[key] ?? .null)
        }
        for file in ["metrics.jsonl", "trace.jsonl"] {
            parts[file] = try Files.readText(program.folder + "/runs/runs/\(ids[0])/\(file)")
        }
        return parts
    }

    @Test("killed at five moments and resumed, with one thread and with two: the same record", arguments: [1, 2])
    func killed(threads: Int) throws {
        let whole = try BuiltProgram()
        defer { whole.remove() }
        try whole.write("train.lua", Self.script)
        let arguments = ["--quiet", "--out", "runs", "--resume", "train.lua"]
        let undisturbed = try whole.run(["--threads", "1"] + arguments)
        #expect(undisturbed.code == 0, "\(undisturbed.summary)")
        let wanted = try record(whole)
        #expect(wanted["state"] == "finished")
        var stream = RandomStream(seed: UInt64(threads), name: "kill")
        var unfinished = 0
        for _ in 0..<5 {
            let program = try BuiltProgram()
            defer { program.remove() }
            try program.write("train.lua", Self.script)
            let moment = undisturbed.seconds * (0.05 + 0.9 * stream.uniform())
            let killed = try program.run(["--threads", "\(threads)"] + arguments, interrupt: (moment, SIGKILL))
            if killed.signal == SIGKILL { unfinished += 1 }
            // Once more, soon: a resumed run can be killed too.
            _ = try program.run(
                ["--threads", "\(threads)"] + arguments, interrupt: (undisturbed.seconds * 0.2, SIGKILL))
            let resumed = try program.run(["--threads", "\(threads)"] + arguments)
            #expect(resumed.code == 0, "\(resumed.summary)")
            #expect(resumed.output == undisturbed.output)
            let found = try record(program)
            for (key, value) in wanted { #expect(found[key] == value, "\(key) after a kill at \(moment) s") }
        }
        print(
            """
            recovery, \(threads) threads: \(unfinished) of 5 kills hit a running training of \
            \(Text.fixed(undisturbed.seconds, 2)) s
            """
        )
        #expect(unfinished > 0)
    }

    @Test("Ctrl-C leaves a record that says so; resumed, the record is that of an undisturbed run")
    func interrupted() throws {
        let whole = try BuiltProgram()
        let program = try BuiltProgram()
        defer {
            whole.remove()
            program.remove()
        }
        for folder in [whole, program] { try folder.write("train.lua", Self.script) }
        let arguments = ["--quiet", "--out", "runs", "--resume", "train.lua"]
        let undisturbed = try whole.run(arguments)
        let stopped = try program.run(arguments, interrupt: (undisturbed.seconds * 0.5, SIGINT))
        #expect(stopped.code == 130, "\(stopped.summary)")
        let id = try Files.list(program.folder + "/runs/runs")[0]
        let run = try program.read("runs/runs/\(id)/attempt-1/run.json")
        #expect(run["state"]?.string == "interrupted" && run["exit_code"]?.int == 130)
        #expect(!Files.exists(program.folder + "/runs/runs/\(id)/run.json"))
        #expect(try program.run(arguments).code == 0)
        let wanted = try record(whole)
        let found = try record(program)
        for (key, value) in wanted { #expect(found[key] == value, "\(key)") }
    }

    @Test("an experiment that is killed again and again ends with the table of one that was not")
    func killedExperiment() throws {
        let whole = try BuiltProgram()
        let program = try BuiltProgram()
        defer {
            whole.remove()
            program.remove()
        }
        let arguments = [
            "--quiet", "--out", "runs", "--resume", "--set", "epochs=6", "--set", "seeds=3",
            "\(BuiltProgram.packageRoot)/experiments/ablation.lua",
        ]
        let undisturbed = try whole.run(arguments)
        #expect(undisturbed.code == 0, "\(undisturbed.summary)")
        var stream = RandomStream(seed: 4, name: "kill")
        var kills = 0
        for _ in 0..<8
        where try program.run(arguments, interrupt: (undisturbed.seconds * (0.2 + 0.4 * stream.uniform()), SIGKILL))
            .signal == SIGKILL
        { kills += 1 }
        let last = try program.run(arguments)
        #expect(last.code == 0 && last.output == undisturbed.output, "\(last.summary)")
        for kind in ["csv", "md", "tex"] {
            #expect(
                try Files.readText("\(program.folder)/runs/results/tables/ablation.\(kind)")
                    == Files.readText("\(whole.folder)/runs/results/tables/ablation.\(kind)"))
        }
        #expect(try Files.list(program.folder + "/runs/runs") == Files.list(whole.folder + "/runs/runs"))
        print("recovery, experiment: \(kills) kills")
        #expect(kills > 1)
    }

    @Test("a finished run is not trained again, and two trainings of one script are kept apart")
    func finishedRuns() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write(
            "two.lua",
            """
            local data = bss.data.synthetic{ samples = 100 }
            for i = 1, 2 do print(bss.train{ data = data, epochs = 2 }.seconds) end
            print(bss.train{ data = data, epochs = 2, seed = 9 }.id)
            """)
        let first = try program.run(["--quiet", "--out", "runs", "two.lua"])
        #expect(first.code == 0, "\(first.summary)")
        #expect(try Files.list(program.folder + "/runs/runs").count == 3)
        for options in [[], ["--resume"]] {
            let again = try program.run(["--quiet", "--out", "runs"] + options + ["two.lua"])
            #expect(again.output == first.output, "\(again.summary)")
        }
    }

    @Test("a run in the hands of a living process is not taken")
    func claimed() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write(
            "nested.lua",
            """
            local data = bss.data.synthetic{ samples = 100 }
            bss.train{ data = data, epochs = 1, on_epoch = function()
              if os.getenv("INNER") then return end
              local pipe = io.popen("./inner.sh 2>&1; echo code $?")
              io.write(pipe:read("a"))
              pipe:close()
            end }
            """)
        try program.write(
            "inner.sh", "#!/bin/sh\nINNER=1 exec \(BuiltProgram.path) --quiet --out runs nested.lua\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.folder + "/inner.sh")
        let outcome = try program.run(["--quiet", "--out", "runs", "nested.lua"])
        #expect(outcome.code == 0, "\(outcome.summary)")
        #expect(
            outcome.output.contains("is in the hands of process") && outcome.output.contains("code 1"),
            "\(outcome.summary)")
    }
}
