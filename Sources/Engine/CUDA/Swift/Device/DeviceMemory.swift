import BSSCore
import CBSSCUDA

/// Blocks of a card's memory, in the order of one stream: a block that is given back may be handed out at once, as what
/// uses it next runs later. Freed blocks are kept by size.
final class DeviceMemory {
    /// Bytes that live tensors hold, that wait to be used again, and the most that was ever live.
    private(set) var liveBytes = 0, cachedBytes = 0, peakBytes = 0
    /// How often the driver was asked for memory.
    private(set) var driverCalls = 0
    /// The most bytes, live and cached, that this process takes; nil: all there are.
    var limit: Int?
    private var free: [Int: [CUdeviceptr]] = [:]
    private var live: [CUdeviceptr: Int] = [:]
    private let stream: CUstream
    /// `BSS_POOL=exact`: every block is the driver's own, so that a checker sees use after release.
    private let isExact = Environment.text("BSS_POOL") == "exact"
    /// Makes the owners of dropped tensors let go; what a full memory asks first.
    nonisolated(unsafe) static var collect: () -> Void = {}

    init(stream: CUstream) { self.stream = stream }

    /// Multiples of 512 bytes up to 4 KiB, then eight steps a power of two.
    static func rounded(_ byteCount: Int) -> Int {
        let step = max(512, (1 << (Int.bitWidth - (byteCount - 1).leadingZeroBitCount)) / 16)
        return (byteCount + step - 1) / step * step
    }

    /// - Throws: kind `.device` when the card's memory is full, with the largest blocks that are live.
    func take(_ byteCount: Int) throws -> UnsafeMutableRawPointer {
        let size = isExact ? byteCount : DeviceMemory.rounded(byteCount)
        let address = try free[size]?.popLast().map { reused($0, size) } ?? fresh(size)
        live[address] = size
        liveBytes += size
        peakBytes = max(peakBytes, liveBytes)
        guard let pointer = UnsafeMutableRawPointer(bitPattern: UInt(address)) else {
            throw BSSError("tensor", "the driver gave no memory", kind: .device)
        }
        return pointer
    }

    func give(_ pointer: UnsafeMutableRawPointer) {
        let address = CUdeviceptr(UInt(bitPattern: pointer))
        guard let size = live.removeValue(forKey: address) else { return }
        liveBytes -= size
        // A release that fails names an error that every later call reports too.
        if isExact { return _ = bss_cuda_free_in_order(address, stream) }
        cachedBytes += size
        free[size, default: []].append(address)
    }

    private func reused(_ address: CUdeviceptr, _ size: Int) -> CUdeviceptr {
        cachedBytes -= size
        return address
    }

    /// Asks the driver; where it has no more: gives back what is cached, lets dropped tensors go, asks again.
    private func fresh(_ size: Int) throws -> CUdeviceptr {
        for attempt in 0..<3 {
            if attempt == 2 { DeviceMemory.collect() }
            if attempt > 0 { release() }
            var address: CUdeviceptr = 0
            driverCalls += 1
            let isWithin = liveBytes + cachedBytes + size <= limit ?? .max
            let status =
                !isWithin
                ? Driver.outOfMemory
                : isExact ? bss_cuda_allocate_in_order(&address, size, stream) : bss_cuda_allocate(&address, size)
            if status == 0 { return address }
            if status != Driver.outOfMemory { try Driver.check(status, "tensor") }
        }
        throw full(size)
    }

    private func full(_ size: Int) -> BSSError {
        var (unused, total) = (0, 0)
        // Without an answer the message says less.
        _ = bss_cuda_memory_info(&unused, &total)
        let largest = Dictionary(grouping: live.values, by: { $0 }).sorted {
            $0.key * $0.value.count > $1.key * $1.value.count
        }
        let list = largest.prefix(5).map { "\($0.value.count) of \(DeviceMemory.text($0.key))" }.joined(separator: ", ")
        let (wanted, held) = (DeviceMemory.text(size), DeviceMemory.text(liveBytes))
        let has = limit.map { "the limit is \(DeviceMemory.text($0))" } ?? "it has \(DeviceMemory.text(total))"
        return BSSError(
            "tensor",
            "no memory on the graphics card for \(wanted): \(has), tensors hold \(held), the largest: "
                + (list.isEmpty ? "none" : list),
            hint: "a smaller batch_size needs less", kind: .device)
    }

    /// Gives everything cached back to the driver.
    func release() {
        // Work that is enqueued may still use the blocks. What fails here fails again where the result is read.
        _ = bss_cuda_stream_wait(stream)
        for block in free.values.joined() { _ = bss_cuda_free(block) }
        free = [:]
        cachedBytes = 0
    }

    private static func text(_ bytes: Int) -> String {
        bytes >= 1 << 30
            ? Memory.gibibytes(Double(bytes))
            : bytes >= 1 << 20 ? Text.format("%.1f MiB", Double(bytes) / Double(1 << 20)) : "\(bytes) bytes"
    }
}
