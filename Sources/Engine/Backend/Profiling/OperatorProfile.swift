import BSSCore
import Glibc

/// How often each operator ran, for how long, and how many elements it wrote.
///
/// While a profile is taken, every call that ops make to a backend goes through a `ProfilingBackend`; otherwise nothing
/// stands in between. A backend that enqueues work is waited for after each call, so that times belong to operators.
public final class OperatorProfile {
    public struct Row {
        public let name: String
        public fileprivate(set) var calls = 0
        public fileprivate(set) var seconds = 0.0
        public fileprivate(set) var elements = 0
    }

    private var positions: [String: Int] = [:]
    private var recorded: [Row] = []
    /// Blocks that were asked for, and their bytes.
    public fileprivate(set) var allocations = 0, allocatedBytes = 0
    private var watchers: [ProfilingBackend] = []

    nonisolated(unsafe) fileprivate static var running: OperatorProfile?

    public init() {}

    /// Operators, the one that took longest first.
    public var rows: [Row] { recorded.sorted { ($0.seconds, $1.name) > ($1.seconds, $0.name) } }
    public var seconds: Double { recorded.reduce(0) { $0 + $1.seconds } }
    public var calls: Int { recorded.reduce(0) { $0 + $1.calls } }

    /// Profiles `body`; an outer profile rests meanwhile.
    public func measure<T>(_ body: () throws -> T) rethrows -> T {
        let outer = OperatorProfile.running
        OperatorProfile.running = self
        defer {
            OperatorProfile.running = outer
            watchers = []  // they hold this profile
        }
        return try body()
    }

    /// Where calls to `backend` go now.
    @inline(__always)
    static func watched(_ backend: any Backend) -> any Backend {
        running == nil ? backend : running!.watcher(of: backend)
    }

    private func watcher(of backend: any Backend) -> any Backend {
        if let known = watchers.first(where: { $0.base === backend }) { return known }
        if backend is ProfilingBackend { return backend }
        let new = ProfilingBackend(backend, self)
        watchers.append(new)
        return new
    }

    func add(_ name: String, _ seconds: Double, elements: Int) {
        let position: Int
        if let known = positions[name] {
            position = known
        } else {
            position = recorded.count
            positions[name] = position
            recorded.append(Row(name: name))
        }
        recorded[position].calls += 1
        recorded[position].seconds += seconds
        recorded[position].elements += elements
    }

    func addAllocation(bytes: Int) {
        allocations += 1
        allocatedBytes += bytes
    }

    static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

extension Backend {
    /// This backend, or what counts its calls while a profile is taken.
    public var watched: any Backend { OperatorProfile.watched(self) }
}
