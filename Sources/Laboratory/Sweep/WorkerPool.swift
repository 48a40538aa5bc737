import BSSCore
import BSSRuns
import Glibc

/// Worker processes of this machine. They share nothing but the run store; this one starts them, begins another when
/// one was killed, and ends them.
public final class WorkerPool {
    private struct Worker {
        let number: Int
        let process: SpawnedProcess
        let since: Double
    }

    private let arguments: (_ worker: Int) -> [String]
    private let variables: (_ worker: Int) -> [String: String]
    private let log: (_ worker: Int) -> String
    private var workers: [Worker] = []
    /// Deaths within a second of the start, one after the other.
    private var earlyDeaths = 0
    private static let mostEarlyDeaths = 5

    /// - Parameters:
    ///   - arguments: of worker k's command line.
    ///   - variables: of worker k's environment, beyond those of this process.
    ///   - log: the file for its standard error.
    public init(
        arguments: @escaping (Int) -> [String], variables: @escaping (Int) -> [String: String] = { _ in [:] },
        log: @escaping (Int) -> String
    ) {
        (self.arguments, self.variables, self.log) = (arguments, variables, log)
    }

    deinit { end() }

    public var living: Int { workers.count }

    public func start(_ count: Int) throws {
        for number in 1...max(1, count) {
            Files.remove(log(number))
            try start(number: number)
        }
    }

    private func start(number: Int) throws {
        let process = try SpawnedProcess(
            SpawnedProcess.ownPath, arguments(number), variables: variables(number), errors: .file(log(number)))
        workers.append(Worker(number: number, process: process, since: Clock.seconds()))
    }

    /// A worker that ended by itself.
    public struct Ending {
        public let number: Int
        public let code: Int32
        /// The end of what it wrote to standard error.
        public let words: String
    }

    /// Looks after the workers: one that was killed has a successor.
    /// - Returns: those that ended by themselves.
    public func look() throws -> [Ending] {
        var ended: [Ending] = []
        for worker in workers {
            guard let code = worker.process.reap(blocking: false) else { continue }
            workers.removeAll { $0.number == worker.number }
            let isEarly = Clock.seconds() - worker.since < 1
            earlyDeaths = code > 128 && isEarly ? earlyDeaths + 1 : 0
            if code > 128, earlyDeaths < WorkerPool.mostEarlyDeaths {
                try start(number: worker.number)
            } else {
                ended.append(Ending(number: worker.number, code: code, words: words(of: worker.number)))
            }
        }
        return ended
    }

    private func words(of worker: Int) -> String {
        // A log that cannot be read has nothing to say; the exit code is reported with it.
        let text = (try? Files.readText(log(worker))) ?? ""
        return String(text.suffix(2000))
    }

    /// Asks every worker to leave at its next checkpoint and waits for them; then ends those that did not.
    public func leave(within seconds: Double) {
        for worker in workers { worker.process.send(SIGTERM) }
        wait(seconds)
        end()
    }

    /// Waits for the workers to come to their own end.
    public func wait(_ seconds: Double) {
        let end = Clock.seconds() + seconds
        while !workers.isEmpty, Clock.seconds() < end {
            workers.removeAll { $0.process.reap(blocking: false) != nil }
            if !workers.isEmpty { usleep(5000) }
        }
    }

    private func end() {
        for worker in workers {
            worker.process.end()
            _ = worker.process.reap(blocking: true)
        }
        workers = []
    }
}
