import BSSCore
import BSSRuns

/// Follows the runs of a plan until all are finished, or the sweep has to stop.
public struct SweepWatch {
    /// What a failed run does to the others.
    public enum Policy: Equatable {
        case goOn
        /// Stop when so many have failed.
        case stopAfter(Int)

        /// `continue`, `stop`, `stop-after=N`
        public init(_ text: String) throws {
            let count = text.hasPrefix("stop-after=") ? Int(text.dropFirst(11)) : nil
            switch text {
            case "continue": self = .goOn
            case "stop": self = .stopAfter(1)
            default:
                guard let count, count > 0 else {
                    throw BSSError(
                        "--on-error", "expects continue, stop or stop-after=N, got '\(text)'", kind: .usage)
                }
                self = .stopAfter(count)
            }
        }
    }

    public enum Outcome: Equatable {
        case finished
        /// All have ended, so many of them without a result.
        case failed(Int)
        case stopped(String)
    }

    private let store: RunStore
    private let policy: Policy
    private var open: [RunStore.PlannedRun]
    private var failures: [(run: RunStore.PlannedRun, error: String)] = []
    public let total: Int
    /// Runs that the last look found finished.
    public private(set) var news: [RunStore.PlannedRun] = []
    private var finished = 0
    /// So many runs whose first tries failed alike end the sweep, if none has succeeded.
    private static let alike = 3

    public init(_ runs: [RunStore.PlannedRun], in store: RunStore, policy: Policy) {
        (self.store, self.policy, open, total) = (store, policy, runs, runs.count)
    }

    /// One look at the folder.
    /// - Parameter tell: a line for every failure, at once.
    /// - Returns: nil: there is work left.
    public mutating func look(_ tell: (String) -> Void) throws -> Outcome? {
        var left: [RunStore.PlannedRun] = []
        news = []
        for run in open {
            switch try store.state(run.id) {
            case .finished:
                finished += 1
                news.append(run)
            case .failed(let error):
                failures.append((run, error))
                tell("\(SweepWatch.name(run)) failed: \(error)")
            case .lost(let tries) where tries >= RunState.mostLost:
                let words = "\(tries) tries ended without a word"
                failures.append((run, words))
                tell("\(SweepWatch.name(run)) is lost: \(words)")
            default: left.append(run)
            }
        }
        open = left
        if case .stopAfter(let most) = policy, failures.count >= most {
            return .stopped("\(failures.count) of \(total) runs failed (--on-error)")
        }
        let kinds = Set(failures.map(\.error))
        if finished == 0, failures.count >= SweepWatch.alike, kinds.count == 1 {
            return .stopped("the same error in \(failures.count) of \(failures.count) runs")
        }
        if open.isEmpty { return failures.isEmpty ? .finished : .failed(failures.count) }
        return nil
    }

    /// `12 of 40 done`
    public var progress: String {
        "\(finished) of \(total) done" + (failures.isEmpty ? "" : ", \(failures.count) failed")
    }
    public var ended: Int { finished + failures.count }

    public static func name(_ run: RunStore.PlannedRun) -> String {
        "\(run.name), seed \(run.content["seed"]?.int ?? 0) (\(run.id))"
    }
}
