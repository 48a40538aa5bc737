import BSSCore
import BSSLuaHost
import Glibc

/// Timing of code for `%time` and `%timeit`.
enum Timing {
    static func cpu() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    static func size(_ bytes: Int) -> String {
        switch bytes {
        case 0: return ""
        case ..<1024: return "\(bytes) B"
        case ..<(1 << 20): return Text.fixed(Double(bytes) / 1024, 1) + " KB"
        default: return Text.fixed(Double(bytes) / Double(1 << 20), 1) + " MB"
        }
    }

    /// Seven rounds of as many runs as fill a tenth of a second, after one round to warm up.
    static func timeit(_ repl: REPL, _ code: String) throws {
        let state = repl.session.state
        let function = try repl.session.compile(code)
        func round(_ runs: Int) throws -> Double {
            let start = Session.now()
            for _ in 0..<runs {
                try state.run(function)
                if state.isStopping { throw BSSError.cancelled("%timeit") }
            }
            return (Session.now() - start) / Double(runs)
        }
        var runs = 1
        var once = try round(1)
        while once * Double(runs) < 0.1, runs < 10_000_000 {
            runs = max(runs + 1, min(runs * 10, Int(0.12 / max(once, 1e-9))))
            once = try round(runs)
        }
        let times = try (0..<7).map { _ in try round(runs) }.sorted()
        let median = times[3], spread = times[5] - times[1]
        repl.show("median \(REPL.duration(median)), middle five within \(REPL.duration(spread)), best \(REPL.duration(times[0])) (7 rounds of \(runs))")
        if spread > 0.2 * median { repl.show("the times vary by more than a fifth: the machine is busy") }
    }
}
