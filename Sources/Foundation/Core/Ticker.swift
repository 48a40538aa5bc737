/// Calls a function at intervals, on a thread of its own, until it is ended.
public final class Ticker {
    /// What the thread and its owner share.
    private final class State: @unchecked Sendable {
        private let lock = Lock()
        private var isEnding = false

        func end() {
            lock.withLock {
                isEnding = true
                lock.wakeAll()
            }
        }

        /// Waits for the next time. False: it is time to end.
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

    /// - Parameter tick: must not hold the ticker's owner, whose end ends the thread.
    public init(every seconds: Double, _ tick: @escaping @Sendable () -> Void) {
        let state = State()
        self.state = state
        threads = Threads(1) { while state.waits(seconds) { tick() } }
    }

    deinit { end() }

    /// Returns when the function is called no more.
    public func end() {
        state.end()
        threads.join()
    }
}
