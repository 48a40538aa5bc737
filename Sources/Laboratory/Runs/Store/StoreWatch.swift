import BSSCore
import Glibc

/// A store that is looked at again and again: only what has changed since is read.
///
/// Files of a run are renamed into its folders, whose times tell of it; a run in somebody's hands, and one that changed
/// just now, is read every time.
public struct StoreWatch {
    private let store: RunStore
    private var runs: [String: (stamp: [Double], run: StoredRun)] = [:]
    private var curves: [String: (stamp: [Double], metric: String, points: StoredRun.Curve)] = [:]
    private var plans: (names: [String], content: [String: (experiment: String?, arm: String)]) = ([], [:])
    /// Records and measurements read so far.
    private(set) var reads = 0

    public init(_ store: RunStore) { self.store = store }

    /// Every run, the latest begun first.
    public mutating func all() throws -> [StoredRun] {
        try readPlans()
        return try Files.list(store.root + "/runs").filter { Files.isFolder(store.folder($0)) }.map { try run($0) }
            .latestFirst
    }

    public mutating func run(beginning prefix: String, operation: String) throws -> StoredRun {
        if let id = runs.keys.first(where: { $0.hasPrefix(prefix) }) { return try run(id) }
        let found = try store.run(beginning: prefix, operation: operation)
        try readPlans()
        return try run(found.id)
    }

    private mutating func run(_ id: String) throws -> StoredRun {
        let folder = store.folder(id)
        let last = try RunStore.attemptNumbers(in: folder).last
        let stamp = [folder, last.map { Attempt(folder, $0).path } ?? folder, folder + "/label"].map(Files.modified)
        if let known = runs[id], known.stamp == stamp, StoreWatch.isSettled(known.run, stamp) { return known.run }
        let run = try store.run(id, plans.content[id])
        reads += 1
        runs[id] = (stamp, run)
        return run
    }

    private static func isSettled(_ run: StoredRun, _ stamp: [Double]) -> Bool {
        if case .running = run.state { return false }
        return stamp.allSatisfy { $0 < Double(time(nil)) - 2 }
    }

    /// Plans never change: a new one is seen by its name.
    private mutating func readPlans() throws {
        let names = try store.plans()
        guard names != plans.names else { return }
        plans = (names, try store.planned())
        runs = [:]
    }

    public mutating func curve(_ metric: String, of run: StoredRun) throws -> StoredRun.Curve {
        guard let path = run.path(of: "metrics.jsonl") else { return [] }
        let stamp = [Files.modified(path), Double(Files.size(path) ?? 0)]
        if let known = curves[run.id], known.stamp == stamp, known.metric == metric { return known.points }
        let points = try run.curve(metric)
        reads += 1
        curves[run.id] = (stamp, metric, points)
        return points
    }
}
