/// The memory that recorded calls touch.
///
/// What was there before the recording is held. A block that is made while it runs belongs to it: when its storage
/// goes, the next storage of that size takes it, in every replay as in the recording; to others it goes when the
/// recording does.
final class RecordedMemory {
    private var held: [ObjectIdentifier: Storage] = [:]
    /// By address, the bytes of blocks made here.
    private var blocks: [UnsafeMutableRawPointer: Int] = [:]
    /// By size, those whose storage has gone.
    private var free: [Int: [Block]] = [:]
    private var made: [WeakStorage] = []
    /// Bytes of all blocks made here.
    private(set) var size = 0

    private struct Block {
        let address: UnsafeMutableRawPointer
        let backend: any Backend
    }

    private struct WeakStorage { weak var storage: Storage? }

    /// A kernel was given it.
    func keep(_ storage: Storage) {
        if blocks[storage.address] == nil { held[ObjectIdentifier(storage)] = storage }
    }

    /// A free block of that size and device.
    func recycled(_ byteCount: Int, of backend: any Backend) -> UnsafeMutableRawPointer? {
        guard let last = free[byteCount]?.lastIndex(where: { $0.backend === backend }) else { return nil }
        return free[byteCount]?.remove(at: last).address
    }

    /// A storage was made in a new or a recycled block.
    func allocated(_ storage: Storage) {
        made.append(WeakStorage(storage: storage))
        if blocks.updateValue(storage.byteCount, forKey: storage.address) == nil { size += storage.byteCount }
    }

    /// Takes back a block, if it is one of these.
    func recycles(_ address: UnsafeMutableRawPointer, _ byteCount: Int, of backend: any Backend) -> Bool {
        guard blocks[address] == byteCount else { return false }
        free[byteCount, default: []].append(Block(address: address, backend: backend))
        return true
    }

    /// Ends the recording: what lives stays.
    func close() {
        for storage in made.compactMap(\.storage) { held[ObjectIdentifier(storage)] = storage }
        made = []
    }

    /// Nothing is to be replayed: blocks in use belong to their storages again.
    func forget() { (held, blocks, made) = ([:], [:], []) }

    deinit {
        held = [:]
        for (byteCount, some) in free {
            for block in some { block.backend.deallocate(block.address, byteCount: byteCount) }
        }
    }
}
