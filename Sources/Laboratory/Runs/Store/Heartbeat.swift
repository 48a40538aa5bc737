import BSSCore
import Glibc

/// The thread that rewrites an attempt's `beat`, so that observers elsewhere see its owner alive, and notices when
/// another attempt has begun: then this one was taken for dead.
final class Heartbeat: @unchecked Sendable {
    private let attempt: String, number: Int, seconds: Double
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var thread: pthread_t?
    private var isEnding = false
    private var successor: Int?

    init(_ attempt: String, number: Int, every seconds: Double) {
        (self.attempt, self.number, self.seconds) = (attempt, number, seconds)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)  // signals are for the main thread
        var made = pthread_t()
        let context = Unmanaged.passUnretained(self).toOpaque()
        let failed = pthread_create(&made, nil, { $0.flatMap(Heartbeat.run) }, context)
        pthread_sigmask(SIG_SETMASK, &before, nil)
        // Without the thread observers elsewhere may take the run over: two attempts, still one publication.
        thread = failed == 0 ? made : nil
    }

    deinit {
        end()
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(condition)
        mutex.deallocate()
        condition.deallocate()
    }

    /// The number of an attempt that was begun after this one, if there is one.
    var supersededBy: Int? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return successor
    }

    func end() {
        guard let thread else { return }
        pthread_mutex_lock(mutex)
        isEnding = true
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
        pthread_join(thread, nil)
        self.thread = nil
    }

    private static func run(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        let beat = Unmanaged<Heartbeat>.fromOpaque(context).takeUnretainedValue()
        var count = 0
        while beat.waits() {
            count += 1
            // A beat that cannot be written is one that others do not see; the disk's error shows where results are
            // written.
            try? Files.write(String(count), to: beat.attempt + "/beat", isDurable: false)
            beat.lookForSuccessor()
        }
        return nil
    }

    /// False: it is time to end.
    private func waits() -> Bool {
        var until = timespec()
        clock_gettime(CLOCK_MONOTONIC, &until)
        let nanoseconds = Double(until.tv_nsec) + seconds * 1e9
        until.tv_sec += Int(nanoseconds / 1e9)
        until.tv_nsec = Int(nanoseconds.truncatingRemainder(dividingBy: 1e9))
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isEnding, pthread_cond_timedwait(condition, mutex, &until) == 0 {}
        return !isEnding
    }

    private func lookForSuccessor() {
        guard let slash = attempt.lastIndex(of: "/"),
            // A folder that cannot be listed now is looked at again with the next beat.
            let last = try? RunStore.attemptNumbers(in: String(attempt[..<slash])).last, last > number
        else { return }
        pthread_mutex_lock(mutex)
        successor = last
        pthread_mutex_unlock(mutex)
    }
}
