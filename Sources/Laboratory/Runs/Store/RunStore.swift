import BSSCore
import Glibc

/// The folder of an experiment's results (surface.md section 4), which any number of processes on any number of
/// machines may share:
///
///     plans/<name>-<hash>.jsonl        frozen, never changed
///     runs/<id>/attempt-<k>/           everything that the k-th try writes, and who tries: owner.json, beat
///     runs/<id>/{metrics.jsonl, trace.jsonl, output.txt, run.json}   links to those of the attempt that finished first
///     results/tables, results/figures
///     tmp/                             attempts that are about to be claimed
///
/// An attempt is claimed by renaming a complete folder, owner and all, to its name: a rename onto a folder that is not
/// empty fails, so one process wins and no claim is without an owner. Nothing is locked. That a run has one result
/// rests on publication alone: `run.json` gets its name once. What was published is never replaced.
public final class RunStore {
    public let root: String
    public let rules: ClaimRules
    let process: ProcessIdentity
    /// Beats of owners that cannot be looked at, by attempt: the last one seen, and when it was first seen.
    private var seen: [String: (beat: String, at: Double)] = [:]

    /// Unfinished files and claims of processes that were killed are removed.
    /// - Throws: kind `.output` if a folder cannot be made.
    public init(
        _ root: String, rules: ClaimRules = ClaimRules(), as process: ProcessIdentity = .current
    ) throws {
        (self.root, self.rules, self.process) = (root, rules, process)
        for folder in ["runs", "plans", "tmp"] { try Files.makeFolder("\(root)/\(folder)") }
        for name in try Files.list(root + "/tmp") {
            let tag = name.split(separator: ".").first.map(String.init) ?? ""
            if process.isGone(tag: tag) { StoreFiles.removeFolder("\(root)/tmp/\(name)") }
        }
        try RunStore.tidy(root, depth: 3) { $0 != "runs" && $0 != "tmp" }
    }

    /// Removes unfinished files of killed processes from a folder and those below it.
    private static func tidy(_ folder: String, depth: Int, where enters: (String) -> Bool = { _ in true }) throws {
        try Files.removeLeftovers(in: folder)
        guard depth > 0 else { return }
        for name in try Files.list(folder) where enters(name) && Files.isFolder("\(folder)/\(name)") {
            try tidy("\(folder)/\(name)", depth: depth - 1)
        }
    }

    public func folder(_ id: String) -> String { "\(root)/runs/\(id)" }
    public var tables: String { root + "/results/tables" }
    public var figures: String { root + "/results/figures" }

    // MARK: Reading

    /// `run.json` of a finished run; nil if there is none.
    public func finished(_ id: String) throws -> Table? { try StoreFiles.table(folder(id) + "/run.json") }

    /// Every finished run's record, by id.
    public func records() throws -> [(id: String, record: Table)] {
        try Files.list(root + "/runs").compactMap { id in try finished(id).map { (id, $0) } }
    }

    /// The tries of a run, oldest first.
    public func attempts(_ id: String) throws -> [Attempt] {
        try RunStore.attemptNumbers(in: folder(id)).map { Attempt(folder(id), $0) }
    }

    static func attemptNumbers(in folder: String) throws -> [Int] {
        guard Files.isFolder(folder) else { return [] }
        return try Files.list(folder).filter { $0.hasPrefix("attempt-") }.compactMap { Int($0.dropFirst(8)) }.sorted()
    }

    // MARK: Claiming

    public enum Claim {
        case taken(RunFolder)
        /// It has a result.
        case finished
        /// Its owner is at work.
        case held(RunOwner)
        /// Its owner cannot be looked at and has not been heard of since; seconds until it counts as dead.
        case silent(RunOwner, left: Double)
    }

    /// One look: takes the run if nobody has it.
    /// - Parameters:
    ///   - identity: the parts of the run's identity, for later readers.
    ///   - again: a new attempt even if the run is finished.
    public func claim(_ id: String, identity: Table = Table(), again: Bool = false) throws -> Claim {
        try Files.makeFolder(folder(id))
        while true {
            let last = try attempts(id).last
            if let last, let claim = try hold(on: last) { return claim }
            // After the look at its owner: who ends, publishes first.
            if !again, Files.exists(folder(id) + "/run.json") { return .finished }
            if let taken = try make(attempt: (last?.number ?? 0) + 1, of: id, RunOwner(process, identity: identity)) {
                return .taken(taken)
            }
        }
    }

    /// How long a claim waits for owners that are at work or cannot be looked at.
    public enum Patience {
        /// Not at all: there are other runs to take.
        case none
        /// For one that is just being killed, and until a silent one counts as dead.
        case some
    }

    /// Takes the run, waiting where an owner's death has to be made sure of, and for an owner that is just being
    /// killed.
    /// - Parameter waiting: told once, when the wait may take its time.
    /// - Returns: nil: it is finished, and `again` was not asked for.
    /// - Throws: kind `.busy`: the run is in the hands of a living process (named).
    public func take(
        _ id: String, identity: Table = Table(), again: Bool = false, patience: Patience = .some,
        waiting: (String) -> Void = { _ in }
    ) throws -> RunFolder? {
        let start = rules.now()
        var isTold = false
        while true {
            switch try claim(id, identity: identity, again: again) {
            case .taken(let run): return run
            case .finished: return nil
            case .held(let owner):
                let isNear = owner.process.sharesTable(with: process) && owner.process != process
                guard isNear, patience == .some, rules.now() - start < 3 else { throw busy(id, owner) }
                try rules.pause(0.05)
            case .silent(let owner, _) where patience == .none: throw busy(id, owner)
            case .silent(let owner, let left):
                if !isTold {
                    waiting(
                        "\(id) was begun by \(owner.description), which cannot be looked at from here; "
                            + "it counts as dead "
                            + "after \(Text.fixed(left, 0)) s without a sign of life")
                }
                isTold = true
                try rules.pause(max(0.02, min(left, rules.beat / 4)))
            }
        }
    }

    private func busy(_ id: String, _ owner: RunOwner) -> BSSError {
        BSSError(
            "claim run", "\(id) is in the hands of \(owner.description)",
            hint: "wait for it, or end it; then run again", kind: .busy)
    }

    /// Whether whoever had the run last counts as dead: gone, or without a sign of life for the lease, as this process
    /// has seen it.
    public func isAbandoned(_ id: String) throws -> Bool {
        guard let last = try attempts(id).last else { return true }
        return try hold(on: last) == nil
    }

    /// nil: nobody holds this attempt.
    private func hold(on attempt: Attempt) throws -> Claim? {
        guard try !attempt.hasEnded else { return nil }
        // A folder without an owner was never claimed; an owner that cannot be read is treated as alive.
        guard let owner = try RunOwner(of: attempt.path) else { return nil }
        switch owner.process.life(seenFrom: process) {
        case .alive: return .held(owner)
        case .gone: return nil
        case .unknown: break
        }
        // Host names are not unique (containers, clones): a machine that was started anew is likely, not certain.
        let isRestarted = owner.process.host == process.host && owner.process.boot != process.boot
        let lease = isRestarted ? min(rules.restartLease, rules.lease) : rules.lease
        let beat = try StoreFiles.text(attempt.path + "/beat") ?? ""
        let now = rules.now()
        guard let last = seen[attempt.path] else {
            seen[attempt.path] = (beat, now)
            return .silent(owner, left: lease)
        }
        guard last.beat == beat else {
            seen[attempt.path] = (beat, now)
            return .held(owner)
        }
        return now - last.at >= lease ? nil : .silent(owner, left: lease - (now - last.at))
    }

    /// nil: another process was first.
    private func make(attempt number: Int, of id: String, _ owner: RunOwner) throws -> RunFolder? {
        let own = "\(root)/tmp/\(process.tag).\(owner.token)"
        let path = "\(folder(id))/attempt-\(number)"
        try Files.makeFolder(own)
        do {
            try Files.write(JSON.text(.table(owner.table)) + "\n", to: own + "/owner.json")
            try Files.write("0", to: own + "/beat")
        } catch {
            StoreFiles.removeFolder(own)
            throw error
        }
        let reason = rename(own, path) == 0 ? 0 : errno
        // A request that was sent again may fail although the first one succeeded: the owner's token tells.
        if reason != 0, try RunOwner(of: path)?.token != owner.token {
            StoreFiles.removeFolder(own)
            guard [EEXIST, ENOTEMPTY, ENOENT].contains(reason) else {
                throw StoreFiles.failure("claim run", path, reason)
            }
            return nil
        }
        do { try Files.syncFolder(of: path) } catch {
            StoreFiles.removeFolder(path)
            throw error
        }
        return RunFolder(self, id: id, number: number, path: path, owner: owner)
    }
}
