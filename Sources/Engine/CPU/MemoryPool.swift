import BSSCore
import Glibc

/// Freed blocks kept by size class: the first touch of a fresh page costs four times the touch of an old one.
///
/// Classes: multiples of 64 bytes up to 1 KiB, then eight steps a power of two. Single-threaded, as all Swift code.
final class MemoryPool {
    @exclusivity(unchecked) private var free: [[UnsafeMutableRawPointer]] = Array(repeating: [], count: 512)
    @exclusivity(unchecked) private var cached = 0
    /// Live and cached blocks together hold no more than this, or a quarter more than was ever live at once: blocks of
    /// sizes that come no more must not pile up.
    private let leastLimit = 512 << 20
    private var limit: Int { max(leastLimit, max(peak, liveBytes) / 4 * 5) }
    @exclusivity(unchecked) private var peak = 0
    /// `BSS_POOL=exact`: blocks of their own of exactly the size asked for, so that sanitizers see every step beyond
    /// one.
    private let isExact = getenv("BSS_POOL").map { String(cString: $0) } == "exact"
    @exclusivity(unchecked) private(set) var liveBytes = 0

    static func sizeClass(_ byteCount: Int) -> (index: Int, size: Int) {
        if byteCount <= 1024 {
            let index = max(1, (byteCount + 63) / 64)
            return (index, index * 64)
        }
        let bits = Int.bitWidth - (byteCount - 1).leadingZeroBitCount  // 2^(bits-1) < byteCount <= 2^bits
        let step = 1 << (bits - 4)
        let steps = (byteCount + step - 1) / step  // 9 … 16
        return (16 + (bits - 11) * 8 + (steps - 8), steps * step)
    }

    /// - Throws: more than the machine has free.
    func take(_ byteCount: Int) throws -> UnsafeMutableRawPointer {
        let (index, rounded) = MemoryPool.sizeClass(byteCount)
        let size = isExact ? byteCount : rounded
        if let block = free[index].popLast() {
            liveBytes += size
            cached -= size
            return block
        }
        if liveBytes + size + cached > limit { release() }
        do { try Memory.reserve(size, "tensor", held) } catch {
            release()  // cached blocks of other sizes may make room
            try Memory.reserve(size, "tensor", held)
        }
        var block: UnsafeMutableRawPointer?
        if posix_memalign(&block, 64, size) != 0 {
            release()
            posix_memalign(&block, 64, size)
        }
        guard let block else {
            throw BSSError("tensor", "no memory for \(Memory.gibibytes(Double(size))) for \(held)")
        }
        liveBytes += size
        return block
    }

    private var held: String { "a tensor; tensors hold \(Memory.gibibytes(Double(liveBytes))) already" }

    func give(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
        let (index, rounded) = MemoryPool.sizeClass(byteCount)
        let size = isExact ? byteCount : rounded
        peak = max(peak, liveBytes)
        liveBytes -= size
        if isExact { return Glibc.free(block) }
        if liveBytes + cached + size > limit { release() }
        cached += size
        free[index].append(block)
    }

    /// Returns everything cached to the system.
    private func release() {
        for index in free.indices {
            for block in free[index] { Glibc.free(block) }
            free[index] = []
        }
        cached = 0
    }
}
