import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// What exists is never written over before its successor is complete: attempts, signals, damaged checkpoints.
@Suite(.oneAtATime) struct AttemptTests {
    private static let script = """
        local data = bss.data.synthetic{ samples = 900, classes = 5 }
        local encoder = bss.encoder.mlp{ hidden = {96}, dropout = 0.2 }
        local run = bss.train{
          data = data, model = bss.model{ strong = encoder, weak = encoder }, epochs = 30, batch_size = 16, \
        checkpoint_every = 1,
          scheduler = bss.scheduler.learned{ every = 3 }, on_epoch = function(e) print(e.epoch, e.train.loss) end,
        }
        print(run.parameters_hash)
        """
    private static let arguments = ["--quiet", "--out", "runs", "train.lua"]

    private func program(_ text: String = AttemptTests.script) throws -> BuiltProgram {
        let program = try BuiltProgram()
        try program.write("train.lua", text)
        return program
    }

    private func run(in program: BuiltProgram) throws -> String {
        program.folder + "/runs/runs/" + (try #require(try Files.list(program.folder + "/runs/runs").first))
    }

    private func checkpoints(_ attempt: String) throws -> [String] {
        try Files.list(attempt).filter { $0.hasPrefix("checkpoint-") }
    }

    @Test("TERM, HUP, USR1 and USR2 leave a record to go on from and exit 75, INT 130; nothing is lost")
    func signals() throws {
        let whole = try program()
        defer { whole.remove() }
        let undisturbed = try whole.run(Self.arguments)
        #expect(undisturbed.code == 0, "\(undisturbed.summary)")
        for (signal, code) in [(SIGTERM, 75), (SIGHUP, 75), (SIGUSR1, 75), (SIGUSR2, 75), (SIGINT, 130)]
            as [(Int32, Int32)]
        {
            let program = try program()
            defer { program.remove() }
            // On a machine that was busy before and is not now the run may be over by then.
            var wasStopped = false
            for share in [0.5, 0.25, 0.1] where !wasStopped {
                let stopped = try program.run(Self.arguments, interrupt: (undisturbed.seconds * share, signal))
                wasStopped = try !Files.exists(run(in: program) + "/run.json")
                if wasStopped {
                    #expect(stopped.code == code && stopped.seconds < 5, "\(signal): \(stopped.summary)")
                } else {
                    try FileManager.default.removeItem(atPath: program.folder + "/runs")
                }
            }
            try #require(wasStopped, "\(signal): every run was over before the signal came")
            let attempt = try run(in: program) + "/attempt-1"
            let record = try JSON.parse(Files.readText(attempt + "/run.json")).table
            #expect(record?["state"]?.string == "interrupted" && record?["exit_code"]?.int == Int(code))
            #expect(try !checkpoints(attempt).isEmpty)
            let resumed = try program.run(["--resume"] + Self.arguments)
            #expect(resumed.code == 0 && resumed.output == undisturbed.output, "\(signal): \(resumed.summary)")
            for name in ["metrics.jsonl", "trace.jsonl", "output.txt"] {
                #expect(
                    try Files.read(run(in: program) + "/" + name) == Files.read(run(in: whole) + "/" + name), "\(name)")
            }
        }
        #expect(try Files.readText(run(in: whole) + "/output.txt").split(separator: "\n").count == 30)
    }

    @Test("a signal that asks to leave comes to the end of its epoch where no checkpoint is near")
    func leaving() throws {
        let program = try program(
            Self.script.replacingOccurrences(of: "checkpoint_every = 1", with: "checkpoint_every = 1000"))
        defer { program.remove() }
        let undisturbed = try program.run(["--quiet", "--out", "whole", "train.lua"])
        let stopped = try program.run(Self.arguments, interrupt: (undisturbed.seconds * 0.5, SIGTERM))
        #expect(stopped.code == 75, "\(stopped.summary)")
        #expect(try checkpoints(run(in: program) + "/attempt-1").count == 1)
        #expect(try program.run(["--resume"] + Self.arguments).output == undisturbed.output)
    }

    @Test("starting again without --resume and dying destroys neither a finished record nor a checkpoint")
    func restarts() throws {
        let program = try program()
        defer { program.remove() }
        let probe = try program.run(["--quiet", "--out", "probe", "train.lua"])
        func hasBegun(_ attempt: Int, epochs: Int) -> () -> Bool {
            { [self] in
                let runs = program.folder + "/runs/runs"
                guard let folder = (try? Files.list(runs))?.first.map({ "\(runs)/\($0)" }) else { return false }
                let done = (try? checkpoints("\(folder)/attempt-\(attempt)")) ?? []
                return epochs == 0 ? Files.exists("\(folder)/attempt-\(attempt)/owner.json") : done.count >= epochs
            }
        }
        _ = try program.run(Self.arguments, stop: (SIGKILL, hasBegun(1, epochs: 2)))
        let folder = try run(in: program)
        let far = try checkpoints(folder + "/attempt-1")
        #expect(!far.isEmpty)
        // Anew, and killed early: the first attempt stands.
        _ = try program.run(Self.arguments, stop: (SIGINT, hasBegun(2, epochs: 0)))
        #expect(try checkpoints(folder + "/attempt-1") == far && Files.exists(folder + "/attempt-2"))
        let resumed = try program.run(["--resume"] + Self.arguments)
        #expect(resumed.code == 0 && resumed.output == probe.output, "\(resumed.summary)")
        let record = try JSON.parse(Files.readText(folder + "/run.json")).table
        #expect(record?["restarts"]?.table?.items.count == 1 && record?["attempt"]?.int == 3)
        let before = try ["run.json", "metrics.jsonl", "trace.jsonl"].map { try Files.read(folder + "/" + $0) }
        let signals = [(SIGKILL, ["--rerun"]), (SIGINT, ["--rerun"]), (SIGTERM, ["--rerun", "--resume"])]
        for (number, (signal, options)) in signals.enumerated() {
            let ended = try program.run(options + Self.arguments, stop: (signal, hasBegun(4 + number, epochs: 0)))
            #expect(ended.code != 0, "\(ended.summary)")
            #expect(
                try ["run.json", "metrics.jsonl", "trace.jsonl"].map { try Files.read(folder + "/" + $0) } == before)
        }
        #expect(try program.run(Self.arguments).output == probe.output)
    }

    @Test(
        "a resume that fails before its first epoch leaves the lines alone; a damaged checkpoint leaves the one before")
    func failedResumes() throws {
        let program = try program(Self.script.replacingOccurrences(of: "epochs = 30", with: "epochs = 8"))
        defer { program.remove() }
        let whole = try program.run(["--quiet", "--out", "whole", "train.lua"])
        try program.write(
            "stop.lua", Self.script.replacingOccurrences(of: "epochs = 30", with: "epochs = 8"))
        var stopped = try program.run(Self.arguments, interrupt: (whole.seconds * 0.6, SIGTERM))
        for _ in 0..<5 where stopped.code == 0 {
            try? FileManager.default.removeItem(atPath: program.folder + "/runs")
            stopped = try program.run(Self.arguments, interrupt: (whole.seconds * 0.4, SIGTERM))
        }
        #expect(stopped.code == 75, "\(stopped.summary)")
        let attempt = try run(in: program) + "/attempt-1"
        let names = try checkpoints(attempt)
        let kept = try (names + ["metrics.jsonl", "trace.jsonl"]).map { ($0, try Files.read("\(attempt)/\($0)")) }
        for name in names { try Files.write("damaged", to: "\(attempt)/\(name)") }
        let failed = try program.run(["--resume"] + Self.arguments)
        #expect(failed.code == 8 && failed.errors.contains("checkpoint-"), "\(failed.summary)")
        for (name, bytes) in kept {
            if name.hasSuffix("jsonl") { #expect(try Files.read("\(attempt)/\(name)") == bytes, "\(name)") }
            try Files.write(bytes, to: "\(attempt)/\(name)")
        }
        // Stopped at once, then with only the older checkpoint whole.
        _ = try program.run(["--resume"] + Self.arguments, interrupt: (0.01, SIGINT))
        if names.count == 2, let last = names.max(by: { $0.count == $1.count ? $0 < $1 : $0.count < $1.count }) {
            try Files.write("damaged", to: "\(attempt)/\(last)")
        }
        let resumed = try program.run(["--resume"] + Self.arguments)
        #expect(resumed.code == 0 && resumed.output == whole.output, "\(resumed.summary)")
        let metrics = try Files.readText(run(in: program) + "/metrics.jsonl")
        #expect(metrics.split(separator: "\n").filter { $0.contains("\"learning_rate\"") }.count == 8)
    }

    @Test("values of the script that callbacks change are not in a checkpoint: resuming is refused by name")
    func notResumable() throws {
        let program = try program(
            Self.script.replacingOccurrences(
                of: "print(e.epoch, e.train.loss)", with: "losses[#losses + 1] = e.train.loss"
            )
            .replacingOccurrences(of: "local run", with: "local losses = {}\nlocal run") + "print(#losses)\n")
        defer { program.remove() }
        let whole = try program.run(["--quiet", "--out", "whole", "train.lua"])
        #expect(whole.code == 0 && whole.output.hasSuffix("30\n"), "\(whole.summary)")
        let stopped = try program.run(Self.arguments, interrupt: (whole.seconds * 0.5, SIGTERM))
        #expect(stopped.code == 75)
        let refused = try program.run(["--resume"] + Self.arguments)
        #expect(
            refused.code == 1 && refused.errors.contains("not resumable: its callbacks changed 'losses'"),
            "\(refused.summary)")
        let anew = try program.run(Self.arguments)
        #expect(anew.code == 0 && anew.output == whole.output, "\(anew.summary)")
        let record = try JSON.parse(Files.readText(run(in: program) + "/run.json")).table
        #expect(record?["not_resumable"]?.table?.items.compactMap(\.string) == ["losses"])
        // Finished; but a script that reads `losses` needs the training.
        let again = try program.run(["--progress", "none", "--out", "runs", "train.lua"])
        #expect(
            again.output == whole.output && again.errors.contains("its on_epoch changed 'losses'"), "\(again.summary)")
    }

    @Test("the model of a run that was taken from its record is trained again when it is asked for")
    func models() throws {
        let program = try program(
            """
            local data = bss.data.synthetic{ samples = 100 }
            local run = bss.train{ data = data, epochs = 2, scheduler = "learned" }
            if arg[1] then print(run.model:hash(), #run.scores, run.order[1]) else print(run.parameters_hash) end
            """)
        defer { program.remove() }
        #expect(try program.run(Self.arguments).code == 0)
        let first = try program.run(["--quiet", "--out", "other", "train.lua", "model"])
        let second = try program.run(Self.arguments + ["model"])
        #expect(first.code == 0 && second.output == first.output, "\(second.summary)")
        #expect(try Files.list(run(in: program)).contains("attempt-2"))
    }

    @Test("a run that goes on under another instruction set says so")
    func instructionSets() throws {
        let program = try program()
        defer { program.remove() }
        let probe = try program.run(["-e", "print(bss.engine().instruction_set)"])
        let base = try program.run(["-e", "print(bss.engine().instruction_set)"], environment: ["BSS_ISA": "base"])
        guard probe.output != base.output else {
            print("resume under another instruction set: not run, this machine has only \(base.output)")
            return
        }
        let whole = try program.run(["--quiet", "--out", "whole", "train.lua"])
        let stopped = try program.run(
            Self.arguments, environment: ["BSS_ISA": "base"], interrupt: (whole.seconds * 0.6, SIGTERM))
        #expect(stopped.code == 75)
        let resumed = try program.run(["--progress", "none", "--out", "runs", "--resume", "train.lua"])
        #expect(resumed.code == 0 && resumed.errors.contains("resumed after epoch"), "\(resumed.summary)")
        let record = try JSON.parse(Files.readText(run(in: program) + "/run.json")).table
        let broken = record?.value(atPath: "determinism.broken_by")?.table?.items.compactMap(\.string) ?? []
        #expect(broken.count == 1 && broken[0].contains("base"), "\(broken)")
        let intact = program.folder + "/whole/runs/" + (try Files.list(program.folder + "/whole/runs")[0])
        #expect(try Files.readText(intact + "/run.json").contains("\"broken_by\": []"))
    }
}
