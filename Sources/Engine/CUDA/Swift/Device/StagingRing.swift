import BSSBackend
import BSSCore
import CBSSCUDA

/// Page-locked memory through which long copies leave for the card, so that the host goes on at once: from memory that
/// can be paged out, a copy holds the host until all that the stream has before it is done.
///
/// Three slots take turns; one is filled again when the event behind its last copy has passed.
final class StagingRing {
    /// Shorter copies the driver keeps itself; longer than a slot they leave in pieces.
    static let shortest = 64 << 10, slotBytes = 32 << 20
    private static let slotCount = 3

    private struct Slot {
        var address: UnsafeMutableRawPointer
        var byteCount: Int
        let event: CUevent
    }
    private var slots: [Slot] = []
    private var next = 0
    private let stream: CUstream

    init(stream: CUstream) { self.stream = stream }

    /// - Returns: whether the bytes are on their way; false where there is no page-locked memory for them.
    func send(_ source: UnsafeRawPointer, to target: CUdeviceptr, _ byteCount: Int) throws -> Bool {
        for start in stride(from: 0, to: byteCount, by: StagingRing.slotBytes) {
            let count = min(StagingRing.slotBytes, byteCount - start)
            guard let slot = try slot(of: count) else { return false }
            slot.address.copyMemory(from: source + start, byteCount: count)
            try Driver.check(bss_cuda_upload(target + CUdeviceptr(start), slot.address, count, stream), "upload")
            try Driver.check(bss_cuda_event_record(slot.event, stream), "upload")
        }
        return true
    }

    /// The slot whose turn it is, free to be written, with room for so many bytes.
    private func slot(of byteCount: Int) throws -> Slot? {
        defer { next = (next + 1) % StagingRing.slotCount }
        guard next < slots.count else {
            guard let address = locked(byteCount) else { return nil }
            var event: CUevent?
            let untimed: UInt32 = 2
            try Driver.check(bss_cuda_event_create(&event, untimed), "upload")
            guard let event else { return nil }
            slots.append(Slot(address: address, byteCount: byteCount, event: event))
            return slots[next]
        }
        try Driver.check(bss_cuda_event_wait(slots[next].event), "upload")
        if slots[next].byteCount < byteCount {
            guard let address = locked(byteCount) else { return nil }
            try Driver.check(bss_cuda_locked_free(slots[next].address), "upload")
            (slots[next].address, slots[next].byteCount) = (address, byteCount)
        }
        return slots[next]
    }

    private func locked(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        var address: UnsafeMutableRawPointer?
        // Without it copies are slower, not wrong.
        return bss_cuda_locked_allocate(&address, byteCount, 0) == 0 ? address : nil
    }
}
