import BSSCore
import Glibc

/// Told of every call to a kernel while it is `KernelCall.observer`.
public protocol KernelObserver: AnyObject {
    /// Runs `body`: one call of the operator `name`, which writes so many elements.
    func call(_ name: String, elements: Int, on backend: any Backend, _ body: () throws -> Void) rethrows
    /// A block of memory was asked for.
    func allocation(bytes: Int)
}

/// How often each operator ran, for how long, and how many elements it wrote: what is behind `%profile`.
///
/// Names are those of the field; a derivative is its operator's name with "backward". A backend that enqueues work is
/// waited for after each call, so that times belong to operators.
public final class OperatorProfile: KernelObserver {
    public struct Row {
        public let name: String
        public fileprivate(set) var calls = 0
        public fileprivate(set) var seconds = 0.0
        public fileprivate(set) var elements = 0
    }

    private var positions: [String: Int] = [:]
    private var recorded: [Row] = []
    /// Blocks that were asked for, and their bytes.
    public private(set) var allocations = 0, allocatedBytes = 0

    public init() {}

    /// Operators, the one that took longest first.
    public var rows: [Row] { recorded.sorted { ($0.seconds, $1.name) > ($1.seconds, $0.name) } }
    public var seconds: Double { recorded.reduce(0) { $0 + $1.seconds } }
    public var calls: Int { recorded.reduce(0) { $0 + $1.calls } }

    /// Profiles `body`; an outer profile rests meanwhile.
    public func measure<T>(_ body: () throws -> T) rethrows -> T { try KernelCall.observed(by: self, body) }

    public func call(_ name: String, elements: Int, on backend: any Backend, _ body: () throws -> Void) rethrows {
        let start = Clock.seconds()
        try body()
        try? backend.synchronise()  // what failed on a device is thrown by the next call that reads from it
        add(name, Clock.seconds() - start, elements: elements)
    }

    public func allocation(bytes: Int) {
        allocations += 1
        allocatedBytes += bytes
    }

    private func add(_ name: String, _ seconds: Double, elements: Int) {
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
}
