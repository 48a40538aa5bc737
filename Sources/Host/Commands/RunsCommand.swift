import BSSCore
import BSSLua
import BSSRuns
import BSSSweep

/// `bss-lua runs ls|show|rm|label|gc`: the runs of a folder of results.
public enum RunsCommand {
    private static let agreed = Argument("yes", default: false, "do it; without it only what would be done is said")

    public static var command: ProgramCommand {
        ProgramCommand(
            "runs", "list, show, label and remove runs",
            [
                ProgramCommand(
                    "ls",
                    "runs, the latest first; of those that fit: 'arm=BSS*,seed=3', 'accuracy>0.7 and state=finished'",
                    operand: .init("FILTER", .word, isRequired: false),
                    shared: [ProgramOption.out, ProgramOption.json],
                    body: list),
                ProgramCommand(
                    "show", "what went into a run and what came out", operand: .init("ID", .word),
                    shared: [ProgramOption.out, ProgramOption.json], body: show),
                ProgramCommand(
                    "label", "write a word on a run; without TEXT take it off",
                    operand: .init("ID [TEXT]", .word, upTo: 2),
                    shared: [ProgramOption.out], body: label),
                ProgramCommand(
                    "rm", "remove runs: by the beginnings of ids, or those that a filter chooses",
                    operand: .init("ID… | FILTER", .word, upTo: 1000), options: [CommandOption(agreed, short: "-y")],
                    shared: [ProgramOption.out], body: remove),
                ProgramCommand(
                    "gc", "remove what finished runs do not need: checkpoints, attempts beside the published one",
                    options: [CommandOption(agreed, short: "-y")], shared: [ProgramOption.out], body: collect),
            ])
    }

    static func store(_ call: ProgramCommand.Call) throws -> RunStore {
        try RunStore.existing(call.options.out ?? RunOptions.usualOut, operation: call.path)
    }

    // MARK: ls

    private static func list(_ call: ProgramCommand.Call) throws -> Int32 {
        let store = try store(call)
        let filter = try call.operand.isEmpty ? nil : Conditions(call.operand, operation: call.path)
        let runs = try chosen(store.runs(), filter, store, call)
        guard !call.options.json else {
            print(JSON.text(.list(runs.map { .table(entry($0)) })))
            return 0
        }
        let rows = runs.map { run in
            [
                run.id, run.state.name, run.experiment ?? "", run.name, run.seed.map(String.init) ?? "",
                run.accuracy.map { Text.fixed($0, 4) } ?? "",
                run.record.value(atPath: "time.wall_seconds")?.double.map(SweepStatus.duration) ?? "",
                run.record.value(atPath: "time.start")?.string ?? "", run.label ?? "",
            ]
        }
        let head = ["id", "state", "experiment", "name", "seed", "accuracy", "time", "started", "label"]
        print(aligned([head] + rows), terminator: "")
        let count = runs.count == 1 ? "1 run" : "\(runs.count) runs"
        if !call.options.quiet { Terminal.error("\(count) in \(store.root)\n") }
        return 0
    }

    /// - Throws: kind `.usage`: a name that no run knows.
    private static func chosen(
        _ runs: [StoredRun], _ filter: Conditions?, _ store: RunStore, _ call: ProgramCommand.Call
    ) throws -> [StoredRun] {
        guard let filter else { return runs }
        let unknown = filter.keys.first { key in !runs.contains { $0.value(key) != nil } }
        if let unknown, unknown != "label", !runs.isEmpty {
            throw BSSError(
                call.path, "no run of \(store.root) has '\(unknown)'",
                hint: "name, arm, experiment, seed, state, label, a metric (accuracy, val.total.loss), or a key of the "
                    + "configuration (epochs, scheduler.name)", kind: .usage)
        }
        return runs.filter { filter.hold($0.value) }
    }

    private static func entry(_ run: StoredRun) -> Table {
        var entry = Table(fields: [
            ("id", .string(run.id)), ("state", .string(run.state.name)), ("name", .string(run.name)),
            ("folder", .string(run.folder)), ("attempts", .int(run.attempts.count)),
        ])
        entry["experiment"] = run.experiment.map { .string($0) }
        entry["seed"] = run.seed.map { .int($0) }
        entry["label"] = run.label.map { .string($0) }
        entry["selected"] = run.record.value(atPath: "result.selected")
        entry["seconds"] = run.record.value(atPath: "time.wall_seconds")
        entry["started"] = run.record.value(atPath: "time.start")
        return entry
    }

    /// Columns as wide as they need to be; those that are empty throughout are left out.
    static func aligned(_ rows: [[String]]) -> String {
        let used = rows[0].indices.filter { column in rows.dropFirst().contains { !$0[column].isEmpty } }
        let widths = used.map { column in rows.map { Text.columns($0[column]) }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(used, widths).map { Text.padded(row[$0], to: $1) }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }

    // MARK: show, label

    private static func show(_ call: ProgramCommand.Call) throws -> Int32 {
        let run = try store(call).run(beginning: call.operand, operation: call.path)
        if call.options.json {
            var table = run.record
            table["attempts"] = .int(run.attempts.count)
            table["label"] = run.label.map { .string($0) }
            print(JSON.text(.table(table), indent: 2))
        } else {
            print(try RunSheet(run).text, terminator: "")
        }
        return 0
    }

    private static func label(_ call: ProgramCommand.Call) throws -> Int32 {
        let store = try store(call)
        let text = call.operands.count > 1 ? call.operands[1] : ""
        guard text.allSatisfy({ !$0.isNewline }), text.utf8.count <= 200 else {
            throw BSSError(call.path, "a label is one line of at most 200 bytes", kind: .usage)
        }
        try store.label(store.run(beginning: call.operand, operation: call.path), text)
        return 0
    }

    // MARK: rm, gc

    private static func remove(_ call: ProgramCommand.Call) throws -> Int32 {
        let store = try store(call)
        let runs = try call.operands.flatMap { word -> [StoredRun] in
            guard word.contains(where: { "=<>!*".contains($0) }) else {
                return [try store.run(beginning: word, operation: call.path)]
            }
            return try chosen(store.runs(), Conditions(word, operation: call.path), store, call)
        }
        for run in runs {
            let words = "\(run.id)  \(run.name)\(run.seed.map { ", seed \($0)" } ?? "")  \(run.state.name)"
            guard call[agreed] else {
                print("would remove \(words)")
                continue
            }
            try store.remove(run)
            print("removed \(words)")
        }
        if !call[agreed], !runs.isEmpty { Terminal.error("nothing was removed; --yes does it\n") }
        if runs.isEmpty { Terminal.error("no run fits\n") }
        return 0
    }

    private static func collect(_ call: ProgramCommand.Call) throws -> Int32 {
        let store = try store(call)
        var (bytes, count) = (0, 0)
        for run in try store.runs() {
            let freed = try store.collect(run, removes: call[agreed])
            bytes += freed
            count += freed > 0 ? 1 : 0
        }
        let size = Text.fixed(Double(bytes) / 1_048_576, 1)
        print(
            "\(call[agreed] ? "freed" : "would free") \(size) MiB of \(count) finished \(count == 1 ? "run" : "runs")"
                + (call[agreed] || count == 0 ? "" : "; --yes does it"))
        return 0
    }
}
