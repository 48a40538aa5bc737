import BSSCore
import Glibc

/// Freed blocks kept by size class: the first touch of a fresh page costs four times the touch of an old one.
///
/// Classes: multiples of 64 bytes up to 1 KiB, then eight steps a power of two. Single-threaded, as all Swift code.
final class MemoryPool {
    private var free: [[UnsafeMutableRawPointer]] = Array(repeating: [], count: 512)
    private var cached = 0
    /// Cached bytes beyond this are returned to the system.
    private let limit = 4 << 30
    private(set) var liveBytes = 0

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

    func take(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        let (index, size) = MemoryPool.sizeClass(byteCount)
        liveBytes += size
        if let block = free[index].popLast() {
            cached -= size
            return block
        }
        var block: UnsafeMutableRawPointer?
        if posix_memalign(&block, 64, size) != 0 {
            liveBytes -= size
            return nil
        }
        return block
    }

    func give(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
        let (index, size) = MemoryPool.sizeClass(byteCount)
        liveBytes -= size
        if cached + size > limit {
            Glibc.free(block)
        } else {
            cached += size
            free[index].append(block)
        }
    }
}
