import Glibc

/// The one reading of the system's clocks, in seconds.
public enum Clock {
    /// Time that only goes on, for durations.
    public static func seconds() -> Double { read(CLOCK_MONOTONIC) }
    /// Time that this process has computed, on all its threads.
    public static func processSeconds() -> Double { read(CLOCK_PROCESS_CPUTIME_ID) }

    private static func read(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
