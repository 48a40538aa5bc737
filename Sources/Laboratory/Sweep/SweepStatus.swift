import BSSCore
import BSSRuns

/// How far the runs of a plan have come: counts, the time that is left, what failed.
public struct SweepStatus {
    public struct Run {
        public let planned: RunStore.PlannedRun
        public let state: RunState
        /// Of a finished one.
        public let seconds: Double?
    }
    public let runs: [Run]

    public init(_ planned: [RunStore.PlannedRun], in store: RunStore) throws {
        runs = try planned.map { run in
            let state = try store.state(run.id)
            var seconds: Double?
            if case .finished = state {
                seconds = try store.finished(run.id)?.value(atPath: "time.wall_seconds")?.double
            }
            return Run(planned: run, state: state, seconds: seconds)
        }
    }

    public func count(_ name: String) -> Int { runs.filter { $0.state.name == name }.count }
    public var isDone: Bool { count("finished") == runs.count }

    /// What the runs that are not finished will cost: each as long as the finished ones of its arm, or of all arms.
    /// nil: none is finished.
    public var secondsLeft: Double? {
        var known: [String: [Double]] = [:]
        for run in runs { if let seconds = run.seconds { known[run.planned.name, default: []].append(seconds) } }
        let all = known.values.flatMap { $0 }
        guard !all.isEmpty else { return nil }
        let open = runs.filter { if case .finished = $0.state { return false } else { return true } }
        return open.reduce(0) { sum, run in
            let own = known[run.planned.name] ?? all
            return sum + own.reduce(0, +) / Double(own.count)
        }
    }

    private static let names = ["finished", "running", "open", "failed", "lost"]

    /// `40 runs: 12 finished, 2 running, 26 open; 3.2 min of runs left`
    public var line: String {
        let counts = SweepStatus.names.map { ($0, count($0)) }.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
        let head = "\(runs.count) \(runs.count == 1 ? "run" : "runs"): \(counts.joined(separator: ", "))"
        guard !isDone else { return head }
        return head + "; "
            + (secondsLeft.map { "about \(SweepStatus.duration($0)) of runs left" }
                ?? "no run to estimate the cost from")
    }

    /// The line, then one for each run that failed or is lost.
    public var text: String {
        let problems = runs.compactMap { run -> String? in
            let name = "\(run.planned.name), seed \(run.planned.content["seed"]?.int ?? 0) (\(run.planned.id))"
            switch run.state {
            case .failed(let error): return "  failed: \(name): \(error)"
            case .lost(let tries): return "  lost: \(name): \(tries) tries ended without a word"
            default: return nil
            }
        }
        return ([line] + problems).joined(separator: "\n") + "\n"
    }

    public var table: Table {
        var table = Table(fields: [("runs", .int(runs.count))] + SweepStatus.names.map { ($0, .int(count($0))) })
        if let secondsLeft { table["seconds_left"] = .number(secondsLeft) }
        table["list"] = .list(
            runs.map { run in
                var entry = Table(fields: [
                    ("id", .string(run.planned.id)), ("name", .string(run.planned.name)),
                    ("seed", run.planned.content["seed"] ?? .null), ("state", .string(run.state.name)),
                ])
                switch run.state {
                case .failed(let error): entry["error"] = .string(error)
                case .lost(let tries): entry["tries"] = .int(tries)
                case .running(let owner): entry["owner"] = .string(owner.description)
                case .open, .finished: break
                }
                if let seconds = run.seconds { entry["seconds"] = .number(seconds) }
                return Value.table(entry)
            })
        return table
    }

    public static func duration(_ seconds: Double) -> String {
        if seconds < 100 { return Text.fixed(seconds, seconds < 10 ? 1 : 0) + " s" }
        if seconds < 6000 { return Text.fixed(seconds / 60, 0) + " min" }
        return Text.fixed(seconds / 3600, 1) + " h"
    }
}
