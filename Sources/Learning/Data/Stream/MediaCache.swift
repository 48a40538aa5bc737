import BSSCore
import Glibc

/// Decoded media on disk, memory-mapped when read: `<folder>/<key>.data` and `<folder>/<key>.index`.
///
/// The key names everything that changes the numbers (a reader's options and the format's version), so that a changed
/// option is another cache. Every record carries the medium's size and time of change; a changed medium is decoded
/// again and appended. The index is read once; records that a crash cut off are ignored. Only the pages of the record
/// that is being read are mapped, so that memory does not grow with the cache. Several threads and processes may share
/// it.
final class MediaCache: @unchecked Sendable {
    private struct Record {
        let stamp: UInt64
        let offset, length: Int
    }

    static let version = 1
    private static let recordBytes = 32
    private let data, index: Int32
    private let lock = Lock()
    private var records: [UInt64: Record] = [:]
    let path: String

    /// - Throws: kind `.output`: the folder or its files cannot be written.
    init(folder: String, key: String) throws {
        try Files.makeFolder(folder)
        path = "\(folder)/\(key)"
        func opened(_ path: String) throws -> Int32 {
            let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard file >= 0 else {
                throw BSSError("cache", "\(path): \(String(cString: strerror(errno)))", kind: .output)
            }
            return file
        }
        data = try opened(path + ".data")
        index = try opened(path + ".index")
        let size = MediaCache.size(data)
        let bytes = try Files.read(path + ".index")
        bytes.withUnsafeBytes { bytes in
            for start in stride(
                from: 0, to: bytes.count - bytes.count % MediaCache.recordBytes, by: MediaCache.recordBytes)
            {
                let words = (0..<4).map {
                    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 8 * $0, as: UInt64.self))
                }
                guard let offset = Int(exactly: words[2]), let length = Int(exactly: words[3]), offset <= size,
                    length <= size - offset
                else { continue }
                records[words[0]] = Record(stamp: words[1], offset: offset, length: length)
            }
        }
    }
    deinit {
        close(data)
        close(index)
    }

    private static func size(_ file: Int32) -> Int {
        var info = stat()
        return fstat(file, &info) == 0 ? Int(info.st_size) : 0
    }

    /// Size and time of change of a file as one number; 0 if there is none.
    static func stamp(_ path: String) -> UInt64 {
        var info = stat()
        guard stat(path, &info) == 0 else { return 0 }
        return hash("\(info.st_size) \(info.st_mtim.tv_sec) \(info.st_mtim.tv_nsec)")
    }

    /// 64-bit FNV-1a.
    static func hash(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }

    /// The block of a file (or of a part of it): the kept one, or a new one from `make`, which is then kept.
    func block(_ file: String, part: String = "", _ make: () throws -> SampleBlock) throws -> SampleBlock {
        let key = MediaCache.hash("\(file)#\(part)")
        let stamp = MediaCache.stamp(file)
        if let record = lock.withLock({ records[key] }), record.stamp == stamp, let block = mapped(record) {
            return block
        }
        let block = try make()
        keep(block, key, stamp)
        return block
    }

    private func mapped(_ record: Record) -> SampleBlock? {
        let page = 4096
        let start = record.offset / page * page
        let length = record.offset - start + record.length
        guard let base = mmap(nil, length, PROT_READ, MAP_SHARED | Int32(MAP_POPULATE), data, start), base != MAP_FAILED
        else { return nil }
        defer { munmap(base, length) }
        return SampleBlock(packed: UnsafeRawBufferPointer(start: base + (record.offset - start), count: record.length))
    }

    /// Appends; a full disk loses the record, not the training.
    private func keep(_ block: SampleBlock, _ key: UInt64, _ stamp: UInt64) {
        let bytes = block.packed
        lock.withLock {
            flock(data, LOCK_EX)
            defer { flock(data, LOCK_UN) }
            let offset = (MediaCache.size(data) + 63) / 64 * 64
            guard bytes.withUnsafeBytes({ write(data, $0, at: offset) }) else { return }
            let words = [key, stamp, UInt64(offset), UInt64(bytes.count)].map(\.littleEndian)
            let end = MediaCache.size(index) / MediaCache.recordBytes * MediaCache.recordBytes
            guard words.withUnsafeBytes({ write(index, $0, at: end) }) else { return }
            records[key] = Record(stamp: stamp, offset: offset, length: bytes.count)
        }
    }

    private func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        var done = 0
        while done < bytes.count {
            let count = pwrite(file, start + done, bytes.count - done, offset + done)
            if count < 0 { if errno == EINTR { continue } else { return false } }
            done += count
        }
        return true
    }
}
