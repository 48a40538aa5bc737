import BSSCore
import BSSRuns

/// What an artifact says, read from its files:
///
///     manifest.json  SHA256SUMS  ro-crate-metadata.json  README.md  LICENSE  claims.json
///     src/                      every script and module that the runs loaded
///     config/<plan>.jsonl       frozen plans
///     data/index.json           name, hash, files of the data; data/files/<folder>/…, where it is packed
///     runs/<id>/                run.json, metrics.jsonl, trace.jsonl, output.txt
///     results/                  experiments, tables, figures
///     smoke/                    the same of the small form: runs, results
///     checks/                   reports of verifications
public final class ArtifactContent {
    public let tree: any FileTree
    /// "" or "smoke/"
    public let place: String
    public let experiments: [ExperimentRecord]
    private var known: [String: Table] = [:]

    /// - Throws: kind `.damaged`.
    public init(_ tree: any FileTree, in place: String = "") throws {
        (self.tree, self.place) = (tree, place)
        experiments = try tree.names(in: place + "results/experiments").filter { $0.hasSuffix(".json") }.map { file in
            let path = "\(place)results/experiments/\(file)"
            do { return try ExperimentRecord(tree.table(path), source: path) } catch var error as BSSError {
                error.kind = .damaged
                throw error
            }
        }
    }

    public func run(_ id: String) throws -> Table {
        if let found = known[id] { return found }
        let table = try tree.table("\(place)runs/\(id)/run.json")
        known[id] = table
        return table
    }

    /// Ids of all runs that are there.
    public var runIDs: [String] {
        tree.names(in: place + "runs").filter { $0.hasSuffix("/run.json") && $0.split(separator: "/").count == 2 }
            .map { String($0.dropLast(9)) }
    }

    public func runs(of experiment: ExperimentRecord, arms: [String]? = nil) -> [String] {
        experiment.rows.filter { arms?.contains($0.name) ?? true }.flatMap { $0.answers.flatMap(\.runs) }
    }

    /// Wall seconds of runs, and the largest memory in KiB.
    public func cost(_ ids: [String]) throws -> (seconds: Double, memory: Int) {
        let records = try ids.map(run)
        return (
            records.reduce(0) { $0 + ($1.value(atPath: "time.wall_seconds")?.double ?? 0) },
            records.compactMap { $0.value(atPath: "time.peak_memory_kib")?.int }.max() ?? 0
        )
    }

    /// Where a file of a data folder stands, as scripts name the folder.
    static func packedFile(_ path: String, in folder: String) -> String {
        "data/files/" + (folder.isEmpty ? path : "\(folder)/\(path)")
    }

    /// Notes of the data, by hash.
    public func data() throws -> [Table] {
        guard tree.has("data/index.json") else { return [] }
        return try tree.table("data/index.json")["data"]?.table?.items.compactMap(\.table) ?? []
    }

    /// Claims that a verification is asked for: those that the runs support.
    public func supported() throws -> [(experiment: ExperimentRecord, claim: StatedClaim, verdict: ClaimVerdict)] {
        try judged().filter { $0.verdict.isSupported }
    }

    public func judged() throws -> [(experiment: ExperimentRecord, claim: StatedClaim, verdict: ClaimVerdict)] {
        try experiments.flatMap { experiment in
            try zip(experiment.claims, experiment.verdicts()).map { (experiment, $0, $1) }
        }
    }
}

/// `manifest.json`
public struct Manifest {
    public static let schema = 1
    public var title: String
    public var authors: [String]
    /// The day of the last run, or of SOURCE_DATE_EPOCH: `2026-11-29T04:06:56Z`.
    public var published: String
    public var isAnonymous: Bool
    public var engine: Table
    /// Hash of everything but times and machines: two executions of one plan agree in it.
    public var content = ""
    /// Hash of `SHA256SUMS` and of what else stands here.
    public var seal = ""

    public init(title: String, authors: [String], published: String, isAnonymous: Bool, engine: Table) {
        (self.title, self.authors, self.published) = (title, authors, published)
        (self.isAnonymous, self.engine) = (isAnonymous, engine)
    }

    var table: Table {
        Table(fields: [
            ("schema", .int(Manifest.schema)), ("kind", .string("bss artifact")), ("title", .string(title)),
            ("authors", .list(authors)), ("published", .string(published)), ("anonymous", .bool(isAnonymous)),
            ("engine", .table(engine)),
            ("time_fields", .list(["run.json: time, machine, threads", "claims.json: cost", "columns in seconds"])),
            ("content", .string(content)), ("seal", .string(seal)),
        ])
    }

    var text: String { JSON.text(.table(table), indent: 2) + "\n" }

    /// - Throws: kind `.damaged`.
    init(_ table: Table) throws {
        guard table["kind"]?.string == "bss artifact", let title = table["title"]?.string,
            let published = table["published"]?.string
        else { throw BSSError("artifact", "manifest.json describes no artifact", kind: .damaged) }
        guard table["schema"]?.int == Manifest.schema else {
            throw BSSError(
                "artifact", "its schema is \(JSON.lua(table["schema"] ?? .null)), this program knows 1", kind: .damaged)
        }
        self.init(
            title: title, authors: table["authors"]?.table?.items.compactMap(\.string) ?? [], published: published,
            isAnonymous: table["anonymous"]?.bool ?? false, engine: table["engine"]?.table ?? Table())
        (content, seal) = (table["content"]?.string ?? "", table["seal"]?.string ?? "")
    }

    public init(of tree: any FileTree) throws { try self.init(tree.table("manifest.json")) }
}
