import BSSBackend
import BSSCPU
import BSSCore
import BSSTensor
import Glibc

/// The kernels of the CPU on memory that the host cannot touch outside their calls: a read of it ends the process.
/// Calls are counted from one update of the parameters to the next.
final class SealedBackend: CPUBackend, KernelObserver {
    private static let size = 64 << 20
    private let start: UnsafeMutableRawPointer
    private var used = 0
    private var free: [Int: [UnsafeMutableRawPointer]] = [:]
    /// Of every update, the calls since the one before, by name.
    private(set) var steps: [[String: Int]] = []
    private var current: [String: Int] = [:]

    override init() {
        let mapped = mmap(nil, Self.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else { fatalError("no memory for a test") }
        start = mapped
    }

    override var device: Device { .cuda(0) }

    override func allocate(byteCount: Int) throws -> Storage {
        let size = (max(byteCount, 1) + 63) / 64 * 64
        if let known = free[size]?.popLast() {
            return Storage(address: known, byteCount: max(byteCount, 1), backend: self)
        }
        guard used + size <= Self.size else { throw BSSError("sealed", "a test needs more memory") }
        used += size
        return Storage(address: start + used - size, byteCount: max(byteCount, 1), backend: self)
    }

    override func deallocate(_ address: UnsafeMutableRawPointer, byteCount: Int) {
        free[(byteCount + 63) / 64 * 64, default: []].append(address)
    }

    func call(_ name: String, elements: Int, on backend: any Backend, _ body: () throws -> Void) rethrows {
        mprotect(start, Self.size, PROT_READ | PROT_WRITE)
        defer { mprotect(start, Self.size, PROT_NONE) }
        try body()
        current[name, default: 0] += 1
        guard name.hasSuffix(" step"), name != "log step" else { return }
        steps.append(current)
        current = [:]
    }

    func allocation(bytes: Int) {}

    /// `body` with tensors made here.
    func asCurrent<R>(_ body: () throws -> R) throws -> R {
        let before = Devices.current
        Devices.current = self
        defer { Devices.current = before }
        return try KernelCall.observed(by: self, body)
    }
}
