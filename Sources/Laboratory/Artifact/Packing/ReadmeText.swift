import BSSCore
import BSSRuns

/// `README.md` of an artifact: claims with their commands and costs, what is not supported, what it was made on, and
/// the checklists that conferences ask for, filled in from the records.
struct ReadmeText {
    private let content: ArtifactContent
    private let manifest: Manifest
    private let tree: any FileTree

    init(_ derived: DerivedFiles) {
        (content, manifest, tree) = (derived.content, derived.manifest, derived.content.tree)
    }

    var text: String {
        get throws {
            let parts = [
                head, try supported(), try unsupported(), try commands(), try machines(), try data(), layout,
                try Checklist(content: content, manifest: manifest).text,
            ]
            return parts.joined(separator: "\n\n") + "\n"
        }
    }

    private var head: String {
        let authors = manifest.authors.isEmpty ? "Authors not named" : manifest.authors.joined(separator: ", ")
        return """
            # \(manifest.title)

            \(authors), \(manifest.published.prefix(10)). Made by `bss-lua pack`;
            everything below follows from the records in it.

            ```sh
            bss-lua verify FILE.bss                 # every claim below is computed again, in a sandbox
            bss-lua verify FILE.bss --level 2       # the small form only
            bss-lua verify FILE.bss --claim ID --why
            ```
            """
    }

    // MARK: Claims

    private func supported() throws -> String {
        let rows = try content.supported().map { experiment, claim, verdict in
            let cost = try content.cost(content.runs(of: experiment, arms: claim.arms))
            let cells = [
                claim.id, claim.place, claim.text, verdict.numbers, claim.kind.rawValue,
                "`bss-lua verify FILE.bss --claim \(claim.id)`",
                "\(ReadmeText.time(cost.seconds)), \(cost.memory / 1024) MiB",
            ]
            return "| " + cells.map(ReadmeText.cell).joined(separator: " | ") + " |"
        }
        guard !rows.isEmpty else { return "## Claims\n\nNo claim is supported by the runs in here." }
        return """
            ## Claims

            | id | place | claim | numbers | class | command | cost there |
            | --- | --- | --- | --- | --- | --- | --- |
            \(rows.joined(separator: "\n"))
            """
    }

    private func unsupported() throws -> String {
        var lines = try content.judged().filter { !$0.verdict.isSupported }.map { _, claim, verdict in
            let needed = verdict.needed.map { ", needs \($0) seeds" } ?? ""
            return "- \(claim.id) (\(claim.text)): \(verdict.word.rawValue)\(needed): \(verdict.numbers)"
        }
        lines += content.experiments.filter(\.claims.isEmpty).map {
            "- the table '\($0.name)': no claim is made about it"
        }
        lines += content.experiments.filter { !$0.hasRuns }.map {
            "- the table '\($0.name)': no runs are recorded behind its numbers"
        }
        let made = content.experiments.filter { $0.rows.contains { $0.answers.contains { !$0.isRun } } }
        lines += made.filter(\.hasRuns).map {
            "- '\($0.name)' has numbers that its script makes of runs: level 1 cannot derive them again, level 3 does"
        }
        if tree.names(in: "smoke").isEmpty {
            lines.append("- level 2: there is no record of a small form")
        }
        if !tree.has("LICENSE") { lines.append("- use by others: no licence was given") }
        lines += try absolutePaths().map { "- other machines: \($0)" }
        return "## What is not supported\n\n" + (lines.isEmpty ? "Nothing is left out." : lines.joined(separator: "\n"))
    }

    /// Scripts that name folders of one machine.
    private func absolutePaths() throws -> [String] {
        try tree.names(in: "src").flatMap { name in
            Scrubber.lines(of: try tree.text("src/\(name)"), naming: Environment.quotedFolders)
                .map { "src/\(name):\($0)" }
        }
    }

    // MARK: How

    private func commands() throws -> String {
        let rows = try content.experiments.map { experiment in
            let runs = content.runs(of: experiment)
            let cost = try content.cost(runs)
            return "| \(ReadmeText.cell(experiment.name)) | `\(experiment.command.text(in: "src"))` | \(runs.count) | "
                + "\(ReadmeText.time(cost.seconds)) |"
        }
        return """
            ## Commands

            | table | command, in the unpacked folder | runs | cost there |
            | --- | --- | ---: | --- |
            \(rows.joined(separator: "\n"))
            """
    }

    private func machines() throws -> String {
        let records = try content.runIDs.map(content.run)
        let kinds = records.map { record in
            let machine = record["machine"]?.table ?? Table()
            let engine = record["engine"]?.table ?? Table()
            return "- \(machine["cpu"]?.string ?? "?"), \(machine["cores"]?.int ?? 0) cores, "
                + "\(machine["memory_mib"]?.int ?? 0) MiB, device \(engine["device"]?.string ?? "?"), instruction set "
                + "\(engine["instruction_set"]?.string ?? "?"); bss-lua \(engine["version"]?.string ?? "?"), build "
                + "\(engine["build"]?.string ?? "?"), \(engine["lua"]?.string ?? "?")"
        }
        let seconds = try content.cost(content.runIDs).seconds
        return "## Made on\n\n" + Set(kinds).sorted().joined(separator: "\n")
            + "\n\n\(content.runIDs.count) runs, \(ReadmeText.time(seconds)) of training in all."
    }

    private func data() throws -> String {
        let lines = try content.data().map { note in
            let files = note["file_count"]?.int
            let isPacked = note["packed"]?.bool ?? false
            let what =
                files.map {
                    "\($0) files, \(note["bytes"]?.int ?? 0) bytes; \(isPacked ? "packed" : "not packed: --data")"
                }
                ?? "made by the script"
            return "- \(note["name"]?.string ?? "?"): \(what); \(note["hash"]?.string ?? "?")"
        }
        return "## Data\n\n" + (lines.isEmpty ? "None is recorded." : lines.joined(separator: "\n"))
    }

    private var layout: String {
        """
        ## Layout

        `src/` scripts and modules, `config/` frozen plans, `runs/<id>/` records (`run.json`, `metrics.jsonl`,
        `trace.jsonl`, `output.txt`), `results/` experiments, tables and figures, `smoke/` the small form, `data/` notes
        of the data and what of it is packed, `claims.json`, `ro-crate-metadata.json` (RO-Crate 1.1, Process Run Crate
        0.5), `SHA256SUMS`, `manifest.json`.
        """
    }

    static func time(_ seconds: Double) -> String {
        seconds < 100
            ? Text.format("%.3g s", seconds)
            : seconds < 7200 ? Text.format("%.3g min", seconds / 60) : Text.format("%.3g h", seconds / 3600)
    }

    static func cell(_ text: String) -> String {
        text.map { $0 == "|" ? "\\|" : $0.isNewline ? " " : String($0) }.joined()
    }
}
