import BSSCore
import Synchronization

/// Rewrites an attempt's `beat`, so that observers elsewhere see its owner alive, and notices when another attempt has
/// begun: then this one was taken for dead.
final class Heartbeat {
    /// What its thread has seen.
    private final class Seen: Sendable {
        let beats = Mutex(0), successor = Mutex<Int?>(nil)
    }

    private let seen: Seen
    private let ticker: Ticker

    init(_ attempt: String, number: Int, every seconds: Double) {
        let seen = Seen()
        self.seen = seen
        // Without the thread observers elsewhere may take the run over: two attempts, still one publication.
        ticker = Ticker(every: seconds) {
            let count = seen.beats.withLock { count in
                count += 1
                return count
            }
            // A beat that cannot be written is one that others do not see; the disk's error shows where results are
            // written.
            try? Files.write(String(count), to: attempt + "/beat", isDurable: false)
            if let next = Heartbeat.successor(of: number, attempt) { seen.successor.withLock { $0 = next } }
        }
    }

    /// The number of an attempt that was begun after this one, if there is one.
    var supersededBy: Int? { seen.successor.withLock { $0 } }

    func end() { ticker.end() }

    private static func successor(of number: Int, _ attempt: String) -> Int? {
        guard let slash = attempt.lastIndex(of: "/"),
            // A folder that cannot be listed now is looked at again with the next beat.
            let last = try? RunStore.attemptNumbers(in: String(attempt[..<slash])).last, last > number
        else { return nil }
        return last
    }
}
