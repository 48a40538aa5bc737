import BSSCore
import BSSRuns

/// Files that follow from the others: `claims.json`, `README.md`, `ro-crate-metadata.json`, tables. Packing writes
/// them, verification writes them once more and compares.
struct DerivedFiles {
    let content: ArtifactContent
    let manifest: Manifest

    static let names = ["claims.json", "README.md", "ro-crate-metadata.json"]

    func all() throws -> [(name: String, text: String)] {
        [
            ("claims.json", JSON.text(.table(try claims()), indent: 2) + "\n"),
            ("README.md", try ReadmeText(self).text),
            (
                "ro-crate-metadata.json",
                JSON.text(try CrateMetadata(content: content, manifest: manifest).value, indent: 1) + "\n"
            ),
        ]
    }

    // MARK: Claims

    func claims() throws -> Table {
        Table(fields: [
            ("schema", .int(1)),
            (
                "claims",
                .list(
                    try content.judged().map { experiment, claim, verdict in
                        var table = claim.record
                        let runs = content.runs(of: experiment, arms: claim.arms)
                        let cost = try content.cost(runs)
                        table["experiment"] = .string(experiment.name)
                        table["verdict"] = .string(verdict.word.rawValue)
                        table["numbers"] = .string(verdict.numbers)
                        table["supported"] = .bool(verdict.isSupported)
                        table["aggregation"] = .string("mean of \(experiment.seeds(claim.arms[0]).count) seeds")
                        table["runs"] = .list(runs)
                        table["needs"] = .fields([
                            ("device", experiment.engine["device"] ?? .null), ("data", .list(try needs(runs))),
                        ])
                        table["command"] = .string("bss-lua verify FILE --claim \(claim.id)")
                        table["cost"] = .fields([
                            ("wall_seconds", .number(cost.seconds)), ("peak_memory_kib", .int(cost.memory)),
                        ])
                        return .table(table)
                    })
            ),
        ])
    }

    /// Names of data that comes from files.
    private func needs(_ runs: [String]) throws -> [String] {
        let hashes = Set(try runs.compactMap { try content.run($0).value(atPath: "data.hash")?.string })
        let notes = try content.data().filter { $0["files"] != nil || $0["file_count"] != nil }
        return notes.filter { hashes.contains($0["hash"]?.string ?? "") }.compactMap { $0["name"]?.string }
    }
}
