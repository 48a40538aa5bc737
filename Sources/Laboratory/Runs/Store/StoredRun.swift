import BSSCore

/// A run of a store as listings and comparisons see it.
public struct StoredRun {
    public let id: String
    /// `runs/<id>`
    public let folder: String
    public let state: RunState
    /// `run.json` of the published attempt, else of the latest that came to one; empty before.
    public let record: Table
    /// The experiment and arm that planned it, where a plan of the store does.
    public let experiment: String?
    public let arm: String?
    /// What its owner wrote on it: `bss-lua runs label`.
    public let label: String?
    public let attempts: [Attempt]

    public var name: String { arm ?? record["name"]?.string ?? "" }
    public var seed: Int? { record["seed"]?.int }
    /// Accuracy of the summed output on the test split (else validation, else training), at the selected epoch.
    public var accuracy: Double? {
        ["test", "val", "train"].lazy.compactMap { [record] in
            record.value(atPath: "result.selected.\($0).total.accuracy")?.double
        }.first
    }

    /// What conditions may ask for: `id`, `name`, `arm`, `state`, `seed`, `label`, `experiment`; a path in the record;
    /// a key of its configuration or parameters; a metric of the selected epoch (`accuracy`: `test.total.accuracy`).
    public func value(_ key: String) -> Value? {
        switch key {
        case "id": return .string(id)
        case "name", "arm": return .string(name)
        case "state": return .string(state.name)
        case "label": return label.map { .string($0) }
        case "experiment": return experiment.map { .string($0) }
        default: break
        }
        let places = ["", "config.", "parameters.", "result.selected.", "result.selected.test.total.", "time."]
        return places.lazy.compactMap { record.value(atPath: $0 + key) }.first { $0.table == nil }
    }

    public typealias Curve = [(epoch: Int, value: Double)]

    /// One number of every epoch, `val.total.accuracy`, of the attempt that came farthest.
    public func curve(_ metric: String) throws -> Curve {
        try lines("metrics.jsonl").compactMap { line in
            guard line["name"]?.string == metric, let epoch = line["step"]?.int, let value = line["value"]?.double
            else { return nil }
            return (epoch, value)
        }
    }

    /// The names of the numbers of its first epoch.
    public func metrics() throws -> [String] {
        try lines("metrics.jsonl").prefix { $0["step"]?.int == 1 }.compactMap { $0["name"]?.string }
    }

    /// The lines of `metrics.jsonl` or `trace.jsonl`: of the published attempt, else of the latest.
    func lines(_ file: String) throws -> [Table] {
        guard let path = path(of: file) else { return [] }
        return try (StoreFiles.text(path) ?? "").split(separator: "\n").compactMap {
            try JSON.parse(String($0), source: path).table
        }
    }

    func path(of file: String) -> String? {
        ([folder] + attempts.reversed().map(\.path)).map { "\($0)/\(file)" }.first(where: Files.exists)
    }
}

extension RunStore {
    /// A store that is there already.
    /// - Throws: kind `.usage`: the folder holds no runs.
    public static func existing(_ root: String, operation: String) throws -> RunStore {
        guard Files.isFolder(root + "/runs") else {
            throw BSSError(
                operation, "there are no runs in \(root)", hint: "--out DIR names the folder of results", kind: .usage)
        }
        return try RunStore(root, rules: .standard())
    }

    /// Every run of the store, the latest begun first.
    public func runs() throws -> [StoredRun] {
        let planned = try planned()
        return try Files.list(root + "/runs").filter { Files.isFolder(folder($0)) }
            .map { try run($0, planned[$0]) }.latestFirst
    }

    /// The run whose id begins so.
    /// - Throws: kind `.usage`: none, or several.
    public func run(beginning prefix: String, operation: String) throws -> StoredRun {
        let known = try Files.list(root + "/runs")
        let found = known.filter { $0.hasPrefix(prefix) }
        guard let id = found.first, found.count == 1 || found.contains(prefix), !prefix.isEmpty else {
            let near = Text.nearest(to: prefix, in: known).map { "did you mean \($0)?" }
            throw BSSError(
                operation,
                found.isEmpty
                    ? "no run of \(root) has an id that begins with '\(prefix)'"
                    : "'\(prefix)' may be \(found.prefix(4).joined(separator: ", "))\(found.count > 4 ? ", …" : "")",
                hint: found.isEmpty ? near ?? "bss-lua runs ls lists them" : "give more digits", kind: .usage)
        }
        let chosen = found.contains(prefix) ? prefix : id
        return try run(chosen, planned()[chosen])
    }

    func run(_ id: String, _ plan: (experiment: String?, arm: String)?) throws -> StoredRun {
        let attempts = try attempts(id)
        let latest = try attempts.reversed().lazy.compactMap { try $0.record() }.first
        return StoredRun(
            id: id, folder: folder(id), state: try state(id), record: try finished(id) ?? latest ?? Table(),
            experiment: plan?.experiment, arm: plan?.arm, label: try StoreFiles.text(folder(id) + "/label"),
            attempts: attempts)
    }

    /// What plans say of their runs, by id; the latest plan of each.
    func planned() throws -> [String: (experiment: String?, arm: String)] {
        var all: [String: (String?, String)] = [:]
        for path in try plans() {
            for run in try plan(path) where all[run.id] == nil {
                all[run.id] = (run.content["experiment"]?.string, run.name)
            }
        }
        return all
    }

    // MARK: Keeping order

    /// Writes on a run; an empty text takes the label off.
    public func label(_ run: StoredRun, _ text: String) throws {
        if text.isEmpty {
            Files.remove(run.folder + "/label")
        } else {
            try Files.write(text, to: run.folder + "/label")
        }
    }

    /// Takes a run off the disk, attempts, results and all.
    /// - Throws: kind `.busy`: it is in the hands of a living process.
    public func remove(_ run: StoredRun) throws {
        if case .running(let owner) = run.state {
            throw BSSError(
                "runs rm", "\(run.id) is in the hands of \(owner.description)", hint: "end it first", kind: .busy)
        }
        // The record goes first: what is half removed is no result.
        Files.remove(run.folder + "/run.json")
        for attempt in run.attempts { StoreFiles.removeFolder(attempt.path) }
        StoreFiles.removeFolder(run.folder)
        guard !Files.exists(run.folder) else {
            throw BSSError("runs rm", "\(run.folder) is not gone: it holds what no run writes", kind: .output)
        }
    }

    /// What nobody will read again: attempts of finished runs beside the published one (those that ended otherwise
    /// stay), states that a finished run does not need.
    /// - Returns: bytes freed, or that would be.
    public func collect(_ run: StoredRun, removes: Bool) throws -> Int {
        guard case .finished = run.state else { return 0 }
        let published = run.record["attempt"]?.int
        var bytes = 0
        for attempt in run.attempts where attempt.number != published {
            guard !Files.exists(attempt.path + "/differences.json"), try attempt.isOver(to: process) else { continue }
            bytes += try StoreFiles.size(of: attempt.path)
            if removes { StoreFiles.removeFolder(attempt.path) }
        }
        for old in try checkpoints(run.id) { bytes += Files.size(old.path) ?? 0 }
        if removes { try tidy(run.id) }
        return bytes
    }
}

extension [StoredRun] {
    var latestFirst: [StoredRun] { sorted { ($0.began, $1.id) > ($1.began, $0.id) } }
}

extension StoredRun {
    fileprivate var began: String {
        // An owner that cannot be read sorts last.
        record.value(atPath: "time.start")?.string ?? ((try? attempts.last?.owner()) ?? nil)?.started ?? ""
    }
}

extension Attempt {
    /// It came to an end, with a record or without.
    fileprivate func isOver(to observer: ProcessIdentity) throws -> Bool {
        if try hasEnded { return true }
        return try owner()?.process.life(seenFrom: observer) == .gone
    }
}
