import BSSCore

/// The thread that rewrites an attempt's `beat`, so that observers elsewhere see its owner alive, and notices when
/// another attempt has begun: then this one was taken for dead.
final class Heartbeat {
    /// What the thread and the one that trains share.
    private final class State: @unchecked Sendable {
        private let lock = Lock()
        private var isEnding = false
        private var successor: Int?

        var supersededBy: Int? {
            get { lock.withLock { successor } }
            set { lock.withLock { successor = newValue } }
        }

        func end() {
            lock.withLock {
                isEnding = true
                lock.wakeAll()
            }
        }

        /// Waits for the next beat. False: it is time to end.
        func waits(_ seconds: Double) -> Bool {
            let until = Clock.seconds() + seconds
            return lock.withLock {
                while !isEnding {
                    let left = until - Clock.seconds()
                    guard left > 0 else { break }
                    lock.wait(milliseconds: Int(saturating: (1e3 * left).rounded(.up)))
                }
                return !isEnding
            }
        }
    }

    private let state: State
    private let threads: Threads

    init(_ attempt: String, number: Int, every seconds: Double) {
        let state = State()
        self.state = state
        // Without the thread observers elsewhere may take the run over: two attempts, still one publication.
        threads = Threads(1) {
            var count = 0
            while state.waits(seconds) {
                count += 1
                // A beat that cannot be written is one that others do not see; the disk's error shows where results
                // are written.
                try? Files.write(String(count), to: attempt + "/beat", isDurable: false)
                if let next = Heartbeat.successor(of: number, attempt) { state.supersededBy = next }
            }
        }
    }

    deinit { end() }

    /// The number of an attempt that was begun after this one, if there is one.
    var supersededBy: Int? { state.supersededBy }

    func end() {
        state.end()
        threads.join()
    }

    private static func successor(of number: Int, _ attempt: String) -> Int? {
        guard let slash = attempt.lastIndex(of: "/"),
            // A folder that cannot be listed now is looked at again with the next beat.
            let last = try? RunStore.attemptNumbers(in: String(attempt[..<slash])).last, last > number
        else { return nil }
        return last
    }
}
