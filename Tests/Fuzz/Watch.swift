import Glibc

/// Tells which input a process dies of, takes too long for, or fills its memory with.
enum Watch {
    /// The running input (-1: none), and the processor time at which it began; read by signal handlers.
    private static let current = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    private static let began = UnsafeMutablePointer<Double>.allocate(capacity: 1)
    private static let limit = UnsafeMutablePointer<Double>.allocate(capacity: 1)
    private static let most = 1536 << 10  // KiB

    static func now() -> Double { time(CLOCK_MONOTONIC) }

    private static func time(_ clock: clockid_t) -> Double {
        var t = timespec()
        clock_gettime(clock, &t)
        return Double(t.tv_sec) + Double(t.tv_nsec) * 1e-9
    }

    static func begin(_ number: Int) {
        began.pointee = time(CLOCK_PROCESS_CPUTIME_ID)
        current.pointee = number
    }

    static func end() {
        let number = current.pointee
        current.pointee = -1
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        if usage.ru_maxrss > most { finding(number, "took \(usage.ru_maxrss >> 10) MiB of memory") }
    }

    static func finding(_ number: Int, _ what: String) -> Never {
        print("finding \(number) \(what)")
        fflush(stdout)
        _exit(1)
    }

    /// Only calls that a signal handler may make.
    private static func die(_ what: StaticString) -> Never {
        var digits: (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8) = (
            48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 32
        )
        withUnsafeMutableBytes(of: &digits) { raw in
            var n = max(0, current.pointee)
            for i in stride(from: 10, through: 0, by: -1) {
                raw[i] = UInt8(48 + n % 10)
                n /= 10
            }
            let head: StaticString = "finding "
            _ = write(STDOUT_FILENO, head.utf8Start, head.utf8CodeUnitCount)
            _ = write(STDOUT_FILENO, raw.baseAddress, raw.count)
            _ = write(STDOUT_FILENO, what.utf8Start, what.utf8CodeUnitCount)
        }
        _exit(1)
    }

    static func start(hang: Double) {
        current.pointee = -1
        limit.pointee = hang
        // A handler of its own stack: deep recursion leaves none.
        var stack = stack_t()
        stack.ss_size = 1 << 16
        stack.ss_sp = UnsafeMutableRawPointer.allocate(byteCount: stack.ss_size, alignment: 16)
        sigaltstack(&stack, nil)
        func handle(_ signals: [Int32], _ body: @escaping @convention(c) (Int32) -> Void) {
            for number in signals {
                var action = sigaction()
                action.__sigaction_handler.sa_handler = body
                action.sa_flags = SA_ONSTACK
                sigaction(number, &action, nil)
            }
        }
        handle([SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGABRT]) { _ in Watch.die("crashed\n") }
        // Under AddressSanitizer its own report comes first, and ends with SIGABRT.
        if getenv("ASAN_OPTIONS") == nil { handle([SIGSEGV]) { _ in Watch.die("crashed (memory or stack)\n") } }
        handle([SIGALRM]) { _ in
            let seconds = Watch.time(CLOCK_PROCESS_CPUTIME_ID) - Watch.began.pointee
            if Watch.current.pointee >= 0, seconds > Watch.limit.pointee { Watch.die("hangs\n") }
        }
        var timer = itimerval(
            it_interval: timeval(tv_sec: 0, tv_usec: 250_000), it_value: timeval(tv_sec: 0, tv_usec: 250_000))
        setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
    }
}
