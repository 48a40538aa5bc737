import BSSArtifact
import BSSCore
import BSSLua
import BSSRuns

/// `bss-lua verify FILE|DIR`: computes what an artifact claims again.
public enum VerifyCommand {
    private static let
        level = Argument(
            "level", default: 3,
            "0 seal, 1 derive from the records, 2 small form, 3 run again, 4 new seeds; each with those below it",
            check: .range(0...4)),
        claim = Argument<[String]>("claim", default: [], "only these claims, by id, between commas"),
        budget = Argument<BSSLua.Duration?>("budget", default: nil, "stop after so long: 90, 30m, 2h (1h)"),
        trust = Argument("trust", default: false, "run its scripts without the sandbox"),
        why = Argument("why", default: false, "the numbers of both sides, and how they were compared"),
        mutate = Argument("mutate", default: false, "plant faults in copies of it: each must be found"),
        report = Argument<String?>("report", default: nil, "write the outcome: .json, else Markdown")

    public static var command: ProgramCommand {
        ProgramCommand(
            "verify",
            "compute again what an artifact claims (exit 0 holds, 3 differs, 4 not checked, 5 damaged, 7 limit)",
            operand: .init("FILE|DIR", .word),
            options: [
                CommandOption(level), CommandOption(claim, value: "ID"), CommandOption(budget), CommandOption(trust),
                CommandOption(why), CommandOption(mutate), CommandOption(report, value: "FILE"),
            ], shared: ProgramOption.engine + [ProgramOption.data, ProgramOption.quiet, ProgramOption.json],
            body: verify)
    }

    private static func verify(_ call: ProgramCommand.Call) throws -> Int32 {
        let tree = try open(call.operand)
        let tell: (String) -> Void = { if !call.options.quiet { Terminal.error("verify: \($0)\n") } }
        if call[mutate] { return try mutations(tree, call, tell) }
        let result = try Verifier(tree, options(call, call[level]), launcher(call), tell: tell).run()
        if let file = call[report] {
            let isJSON = file.hasSuffix(".json")
            try Files.write(isJSON ? JSON.text(.table(result.record), indent: 2) + "\n" : result.markdown, to: file)
        }
        print(
            call.options.json ? JSON.text(.table(result.record)) + "\n" : Text.shown(result.text(why: call[why])),
            terminator: "")
        return result.exitCode
    }

    /// - Throws: kind `.damaged`; `.usage`: a folder that is no artifact.
    private static func open(_ path: String) throws -> any FileTree {
        guard Files.exists(path) else { throw BSSError("verify", "there is no '\(path)'", kind: .usage) }
        guard Files.isFolder(path) else { return try DiskTree(archive: path) }
        guard Files.exists(path + "/manifest.json") else {
            throw BSSError(
                "verify", "'\(path)' is no artifact", hint: "bss-lua pack \(path) -o paper.bss makes one", kind: .usage)
        }
        return try DiskTree(folder: path)
    }

    private static func options(_ call: ProgramCommand.Call, _ level: Int) -> Verifier.Options {
        var options = Verifier.Options()
        (options.level, options.claims, options.budget) = (level, call[claim], call[budget]?.seconds ?? 3600)
        return options
    }

    private static func launcher(_ call: ProgramCommand.Call) -> Launcher {
        let hasSandbox = call.program.options.contains { $0.name == "--sandbox" }
        let wall: Launcher.Wall =
            call[trust]
            ? .none
            : hasSandbox
                ? .sandbox { seconds in ["--sandbox", "--max-time", Text.format("%.0f", seconds + 5)] }
                : .missing("this build has no sandbox (--trust runs the scripts without one)")
        return Launcher(
            wall: wall, threads: call.options.threads, dataFolders: call.options.dataFolders.map(absolute),
            allowed: ProgramOption.deciding + ["-e", "-l"])
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(Files.workingFolder)/\(path)"
    }

    // MARK: Faults

    private static func mutations(
        _ tree: any FileTree, _ call: ProgramCommand.Call, _ tell: @escaping (String) -> Void
    ) throws -> Int32 {
        let whole = try Verifier(tree, options(call, min(call[level], 1)), launcher(call)).run()
        guard whole.exitCode == 0 else {
            print(Text.shown(whole.text()), terminator: "")
            throw BSSError("verify", "the artifact itself does not pass", kind: .usage)
        }
        let outcomes = try Mutation.all(in: tree) { copy, level in
            guard level <= call[self.level] else { return nil }
            return try Verifier(copy, options(call, level), launcher(call)).run()
        } told: { outcome in
            let word = outcome.isFound.map { $0 ? "found" : "MISSED" } ?? "not planted"
            print(
                Text.shown(
                    "\(Text.padded(word, to: 11))  level \(outcome.mutation.level)  \(outcome.mutation.name): "
                        + "\(outcome.words)"))
        }
        func count(_ isFound: Bool?) -> Int { outcomes.filter { $0.isFound == isFound }.count }
        print("\(count(true)) found, \(count(false)) missed, \(count(nil)) not planted or not run here")
        return count(false) == 0 ? 0 : 1
    }
}
