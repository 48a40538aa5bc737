import BSSCore
import BSSRuns
import BSSSweep

/// `bss-lua runs show`: a run on a page.
struct RunSheet {
    private let run: StoredRun
    private var lines: [String] = []

    init(_ run: StoredRun) throws {
        self.run = run
        head()
        try attempts()
        section("configuration", flat(run.record["config"]))
        section("parameters", flat(run.record["parameters"]))
        section("data", flat(run.record["data"]))
        section("code", flat(run.record["code"]))
        section("engine", flat(run.record["engine"]))
        results()
        section("cost", flat(run.record["cost"]) + [("wall", seconds)].filter { !$0.1.isEmpty })
        section("warnings", flat(run.record["warnings"]))
    }

    var text: String { lines.joined(separator: "\n") + "\n" }

    private mutating func head() {
        let experiment = run.experiment.map { " of \($0)" } ?? ""
        lines.append("run \(run.id): \(run.name)\(experiment)\(run.seed.map { ", seed \($0)" } ?? "")")
        var facts = [("state", run.state.name), ("folder", run.folder)]
        switch run.state {
        case .failed(let error): facts.append(("error", error))
        case .running(let owner): facts.append(("owner", owner.description))
        default: break
        }
        if let label = run.label { facts.append(("label", label)) }
        if let start = run.record.value(atPath: "time.start")?.string { facts.append(("started", start)) }
        rows(facts)
    }

    private mutating func attempts() throws {
        guard run.attempts.count > 1 else { return }
        let published = run.record["attempt"]?.int
        section(
            "attempts",
            try run.attempts.map { attempt in
                let state = try attempt.record()?["state"]?.string ?? "no record"
                let mark = attempt.number == published && Files.exists(run.folder + "/run.json") ? ", published" : ""
                return ("\(attempt.number)", state + mark)
            })
    }

    private mutating func results() {
        guard let selected = run.record.value(atPath: "result.selected")?.table else { return }
        let names = ["train", "val", "test"].filter { selected[$0]?.table != nil }
        let epoch = selected["epoch"]?.int.map { ", epoch \($0)" } ?? ""
        lines += ["", "results (\(run.record.value(atPath: "config.select")?.string ?? "selected")\(epoch))"]
        let metrics = names.compactMap { selected.value(atPath: "\($0).total")?.table?.keys }.first ?? []
        var table = [[""] + metrics]
        for split in names {
            for (output, figures) in selected[split]?.table?.fields ?? [] {
                guard let figures = figures.table else { continue }
                table.append(["\(split) \(output)"] + metrics.map { number(figures[$0]) })
            }
        }
        lines.append(RunsCommand.aligned(table.map { ["  " + $0[0]] + $0.dropFirst() }).trimmedEnd)
    }

    private func number(_ value: Value?) -> String { value?.double.map { Text.fixed($0, 4) } ?? "-" }

    private var seconds: String {
        run.record.value(atPath: "time.wall_seconds")?.double.map(SweepStatus.duration) ?? ""
    }

    private mutating func section(_ title: String, _ facts: [(String, String)]) {
        guard !facts.isEmpty else { return }
        lines += ["", title]
        rows(facts)
    }

    private mutating func rows(_ facts: [(String, String)]) {
        let width = facts.reduce(0) { max($0, Text.columns($1.0)) }
        lines += facts.map { "  \(Text.padded($0, to: width))  \($1)" }
    }

    /// Dotted paths of the plain values: `("scheduler.name", "learned")`.
    private func flat(_ value: Value?, _ prefix: String = "") -> [(String, String)] {
        guard let table = value?.table else { return value.map { [(prefix, text($0))] } ?? [] }
        guard table.items.isEmpty, !table.isEmpty else {
            return prefix.isEmpty ? [] : [(prefix, JSON.lua(.table(table)))]
        }
        return table.fields.flatMap { flat($1, prefix.isEmpty ? $0 : "\(prefix).\($0)") }
    }

    private func text(_ value: Value) -> String { value.string ?? JSON.lua(value) }
}

extension String {
    /// Without line ends and blanks at its end.
    fileprivate var trimmedEnd: String {
        var text = self
        while let last = text.last, last == " " || last.isNewline { text.removeLast() }
        return text
    }
}
