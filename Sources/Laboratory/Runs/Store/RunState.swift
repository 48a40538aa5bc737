import BSSCore

/// How far a planned run has come, as anybody who sees the folder can tell.
public enum RunState {
    /// Nobody has it: never begun, given back, or stopped with a checkpoint.
    case open
    case finished
    case running(RunOwner)
    /// Its function or training ended with this message; `RunStore.reopen` lets it be tried again.
    case failed(String)
    /// The last so many tries ended without a word: their processes are gone.
    case lost(Int)

    public var name: String {
        switch self {
        case .open: return "open"
        case .finished: return "finished"
        case .running: return "running"
        case .failed: return "failed"
        case .lost: return "lost"
        }
    }

    /// So many lost tries in a row, and a run is not begun again by itself: it may be what ends the processes.
    public static let mostLost = 10
}

extension RunStore {
    public func state(_ id: String) throws -> RunState {
        if Files.exists(folder(id) + "/run.json") { return .finished }
        var lost = 0
        for attempt in try attempts(id).reversed() {
            if attempt.isReopened || Files.exists(attempt.path + "/released") { break }
            if let record = try attempt.record() {
                guard lost == 0, record["state"]?.string == RunRecord.State.failed.rawValue else { break }
                return .failed(record["error"]?.string ?? "no message")
            }
            guard let owner = try attempt.owner(), owner.process.life(seenFrom: process) == .gone else {
                guard lost == 0, let owner = try attempt.owner() else { break }
                return .running(owner)
            }
            lost += 1
        }
        return lost == 0 ? .open : .lost(lost)
    }

    /// Attempts that ended otherwise than the published one, and in what.
    public func differences(_ id: String) throws -> [(attempt: Int, paths: [String])] {
        try attempts(id).compactMap { attempt in
            let file = attempt.path + "/differences.json"
            guard let text = try StoreFiles.text(file) else { return nil }
            return (attempt.number, try [String](value: JSON.parse(text, source: file)))
        }
    }

    /// Lets a failed or lost run be begun again, by whoever comes first.
    public func reopen(_ id: String) throws {
        guard let last = try attempts(id).last else { return }
        try Files.write("", to: last.path + "/reopened")
    }

    /// A run that ended before its training began: an attempt with nothing but its record.
    public func recordFailure(_ id: String, name: String, seed: Int, _ error: any Error) throws {
        guard case .taken(let attempt) = try claim(id) else { return }
        var record = RunRecord(
            identity: RunIdentity(Table(), id: id), name: name, configuration: Table(), clock: RunClock())
        (record.state, record.exitCode, record.seed, record.error) = (.failed, 1, seed, "\(error)")
        try attempt.finish(record)
    }
}

extension Attempt {
    /// A failed or lost try that does not stand in the way of another one.
    var isReopened: Bool { Files.exists(path + "/reopened") }
}
