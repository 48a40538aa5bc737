import BSSCore
import Glibc

/// The times of the claim protocol, and the clock that they are measured by.
public struct ClaimRules {
    /// Seconds between two rewrites of `beat` by the owner of a run.
    public var beat: Double
    /// Without a beat for so long, as the observer's own clock has it, an owner that cannot be looked at counts as
    /// dead: 60 s in which a shared disk may show old attributes, and eight beats.
    public var lease: Double
    /// Of a machine that was started anew since: five beats.
    public var restartLease: Double
    /// Seconds, monotonic; no clock of another machine is ever read.
    public var now: () -> Double
    /// Waits before an owner is looked at again.
    public var pause: (_ seconds: Double) throws -> Void

    public init(
        lease: Double = 180, now: @escaping () -> Double = Clock.seconds,
        pause: @escaping (Double) throws -> Void = ClaimRules.sleep
    ) {
        (beat, self.lease, restartLease) = (lease / 12, lease, lease * 5 / 12)
        (self.now, self.pause) = (now, pause)
    }

    /// `BSS_LEASE` (seconds) for disks that show others' writes sooner or later than usual.
    /// - Throws: kind `.usage` for anything but a number of at least 1.
    public static func standard() throws -> ClaimRules {
        guard let text = getenv("BSS_LEASE").map({ String(cString: $0) }) else { return ClaimRules() }
        guard let seconds = Double(text), seconds >= 1, seconds.isFinite else {
            throw BSSError("BSS_LEASE", "expects seconds, at least 1, got '\(text)'", kind: .usage)
        }
        return ClaimRules(lease: seconds)
    }

    /// Ends early, by throwing, when the process is asked to stop.
    public static func sleep(_ seconds: Double) throws {
        let end = Clock.seconds() + seconds
        while Clock.seconds() < end {
            try Cancellation.check("waiting for a run")
            usleep(20_000)
        }
    }
}
