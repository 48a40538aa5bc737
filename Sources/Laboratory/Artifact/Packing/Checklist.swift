import BSSCore
import BSSRuns

/// What ACM's badges and NeurIPS' checklist ask, answered from the records; what only authors know is left to them, and
/// said so.
struct Checklist {
    let content: ArtifactContent
    let manifest: Manifest

    private enum Answer: String { case yes, no, partly, authors = "for the authors" }

    var text: String {
        get throws {
            let rows = try (acm() + neurips()).map { question, answer, words in
                "| \(question) | \(answer.rawValue) | \(words) |"
            }
            return """
                ## Checklist

                | question | answer | evidence |
                | --- | --- | --- |
                \(rows.joined(separator: "\n"))
                """
        }
    }

    private typealias Row = (question: String, answer: Answer, words: String)

    private func acm() throws -> [Row] {
        let hasSmoke = !content.tree.names(in: "smoke").isEmpty
        let judged = try content.judged()
        let supported = judged.filter(\.verdict.isSupported).count
        return [
            ("ACM available: permanent archive, DOI", .authors, "deposit the file; its seal is in `manifest.json`"),
            (
                "ACM available: licence", content.tree.has("LICENSE") ? .yes : .no,
                content.tree.has("LICENSE") ? "`LICENSE`" : "none was given"
            ),
            ("ACM functional: documented", .yes, "this file"),
            (
                "ACM functional: consistent, complete", supported == judged.count && supported > 0 ? .yes : .partly,
                "\(supported) of \(judged.count) claims are supported; `bss-lua verify --level 1`"
            ),
            (
                "ACM functional: exercisable", hasSmoke ? .yes : .partly,
                hasSmoke ? "small form: `bss-lua verify --level 2`" : "no small form; `bss-lua verify`"
            ),
            ("ACM reproduced", .authors, "by others: their reports go to `checks/`"),
        ]
    }

    private func neurips() throws -> [Row] {
        let records = try content.runIDs.map(content.run)
        let seeds = content.experiments.map { $0.rows.map(\.answers.count).min() ?? 0 }
        let seconds = try content.cost(content.runIDs).seconds
        let failed = records.filter { !($0.value(atPath: "determinism.broken_by")?.table?.items.isEmpty ?? true) }.count
        let outside = try content.data().filter { $0["file_count"] != nil && $0["packed"]?.bool != true }
        return [
            ("NeurIPS 1, claims match evidence", .yes, "every claim names its runs; unsupported ones are listed above"),
            ("NeurIPS 2, limitations", .partly, "\"What is not supported\" above; the rest in the paper"),
            ("NeurIPS 4, results can be reproduced", .yes, "commands above; equal bits on the same build and device"),
            (
                "NeurIPS 5, code and data", outside.isEmpty ? .yes : .partly,
                "`src/`; " + (outside.isEmpty ? "no data is left out" : "\(outside.count) data sets by hash only")
            ),
            ("NeurIPS 6, all settings", .yes, "`runs/<id>/run.json`: `config` with defaults, `parameters`, `streams`"),
            (
                "NeurIPS 7, error bars", (seeds.min() ?? 0) > 1 ? .yes : .no,
                "standard deviation over \(seeds.min() ?? 0) to \(seeds.max() ?? 0) seeds; seeds vary order and "
                    + "initialisation; paired exact permutation tests, Holm-corrected"
            ),
            (
                "NeurIPS 8, compute", .yes,
                "\(ReadmeText.time(seconds)) in all; per run in `run.json`: `time`, `machine`, `threads`"
            ),
            ("NeurIPS 12, licences of data", .authors, "see `data/index.json`"),
            (
                "determinism", failed == 0 ? .yes : .partly,
                failed == 0 ? "no run broke the promise of equal bits" : "\(failed) runs say what broke it"
            ),
        ]
    }
}
