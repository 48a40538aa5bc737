import BSSCore
import BSSLua
import BSSRuns
import BSSSweep
import Glibc

/// `bss-lua sweep SCRIPT`, `bss-lua sweep status|cancel|work DIR`
public enum SweepCommand {
    private static let name = Argument<String?>("sweep", default: nil, "which sweep of the folder; the latest one")
    private static let one = Argument<Int?>(
        "one", default: nil, "only the run of this index of the plan, from 0: an array's index",
        check: .optional(.range(0...1_000_000)))
    private static let time = Argument<Duration?>(
        "for", default: nil, "leave after so long, at a checkpoint (exit 75 if work is left)")

    public static var command: ProgramCommand {
        ProgramCommand(
            "sweep", "run a script's experiments by several processes; look after such sweeps",
            [
                member("status", "how far the runs are (exit 0 done, 6 failures, 75 work left)") { folder, call in
                    try status(folder, asJSON: call.options.json)
                },
                member("cancel", "begin nothing more; runs at work leave at their next checkpoint") { folder, _ in
                    try cancel(folder)
                },
                member(
                    "work", "be one more worker, on this machine or another",
                    [CommandOption(one, value: "INDEX"), CommandOption(time)]
                ) { folder, call in
                    try work(folder, call[one].map { ["--worker-run", String($0)] } ?? [], call[time])
                },
            ], orScript: true)
    }

    private static func member(
        _ name: String, _ summary: String, _ options: [CommandOption] = [],
        _ body: @escaping (SweepFolder, ProgramCommand.Call) throws -> Int32
    ) -> ProgramCommand {
        ProgramCommand(
            name, summary, operand: .init("DIR", .word),
            options: [CommandOption(SweepCommand.name, value: "NAME")] + options, shared: [ProgramOption.json]
        ) { call in try body(SweepFolder.latest(in: call.operand, named: call[SweepCommand.name]), call) }
    }

    /// Exit 0 all done, 6 ended with failures, 75 work left.
    private static func status(_ folder: SweepFolder, asJSON: Bool) throws -> Int32 {
        let status = try SweepStatus(folder.runs(), in: RunStore(folder.root, rules: .standard()))
        var table = status.table
        table["sweep"] = .string(folder.name)
        table["cancelled"] = .bool(folder.isCancelled)
        let words = folder.isCancelled ? "cancelled; " : ""
        print(
            asJSON ? JSON.text(.table(table)) : "\(folder.name): \(words)\(status.text)", terminator: asJSON ? "\n" : ""
        )
        if status.isDone { return 0 }
        return status.count("open") + status.count("running") > 0 ? 75 : 6
    }

    /// Nothing more is begun; runs at work are asked to leave at their next checkpoint, where they can be reached.
    private static func cancel(_ folder: SweepFolder) throws -> Int32 {
        try folder.cancel()
        let store = try RunStore(folder.root, rules: .standard())
        var (reached, others) = (0, 0)
        for run in try folder.runs() {
            guard case .running(let owner) = try store.state(run.id) else { continue }
            if owner.process.life(seenFrom: .current) == .alive, kill(pid_t(owner.process.pid), SIGTERM) == 0 {
                reached += 1
            } else {
                others += 1
            }
        }
        let rest = others > 0 ? "; \(others) elsewhere leave when their epoch ends" : ""
        print("\(folder.name): cancelled; \(reached) \(reached == 1 ? "run" : "runs") asked to leave\(rest)")
        return 0
    }

    /// This process becomes a worker.
    private static func work(_ folder: SweepFolder, _ run: [String], _ time: Duration?) throws -> Int32 {
        let content = try folder.content()
        let root = folder.root.hasPrefix("/") ? folder.root : "\(Files.workingFolder)/\(folder.root)"
        guard chdir(content.workingFolder) == 0 else {
            throw BSSError("sweep work", "there is no folder \(content.workingFolder)", kind: .usage)
        }
        let words =
            [SpawnedProcess.ownPath, "--out", root, "--worker", "1/1@\(folder.name)"] + run
            + (time.map { ["--worker-time", $0.text] } ?? []) + content.options + [content.script, "--"]
            + content.arguments
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        execv(SpawnedProcess.ownPath, &pointers)
        throw BSSError("sweep work", "cannot start \(SpawnedProcess.ownPath): \(String(cString: strerror(errno)))")
    }
}
