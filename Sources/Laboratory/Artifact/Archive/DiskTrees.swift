import BSSCore
import Glibc

/// A part of a file on disk.
struct FileExtent {
    let path: String
    let start: Int
    let size: Int

    func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw FileTreeError.reading(path) }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: min(max(size, 1), 1 << 20))
        var done = 0
        while done < size {
            try Cancellation.check("artifact")
            let wanted = min(buffer.count, size - done)
            let got = buffer.withUnsafeMutableBytes { pread(file, $0.baseAddress, wanted, off_t(start + done)) }
            guard got > 0 else {
                throw BSSError("artifact", "\(path) ends at byte \(start + done)", kind: .damaged)
            }
            try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<got])) }
            done += got
        }
    }

    func read() throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        try forEachPiece { bytes += $0 }
        return bytes
    }
}

/// Files on disk by their names in an artifact.
public struct DiskTree: FileTree {
    private let extents: [String: FileExtent]
    public let names: [String]

    private init(_ extents: [String: FileExtent]) {
        self.extents = extents
        names = ArtifactPath.sorted(extents.keys)
    }

    public func size(_ name: String) -> Int? { extents[name]?.size }

    public func read(_ name: String) throws -> [UInt8] {
        _ = try checkedSize(name)
        return try extents[name]?.read() ?? []
    }

    public func forEachPiece(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard let extent = extents[name] else { throw BSSError("artifact", "'\(name)' is missing", kind: .damaged) }
        try extent.forEachPiece(body)
    }

    /// An archive, uncompressed ustar. Headers are read, contents when asked for.
    /// - Throws: kind `.damaged`: links, folders, devices, names that lead outside, what ends too early.
    public init(archive path: String) throws {
        guard let total = Files.size(path), Files.isFile(path) else {
            throw BSSError("artifact", "there is no file \(path)", kind: .usage)
        }
        var extents: [String: FileExtent] = [:]
        var names: [String] = []
        var at = 0
        while true {
            guard at + TarHeader.block <= total else {
                throw BSSError("artifact", "\(path) ends without an end mark", kind: .damaged)
            }
            let block = try FileExtent(path: path, start: at, size: TarHeader.block).read()
            if at == 0, block.starts(with: [0x1F, 0x8B]) {
                throw BSSError("artifact", "\(path) is compressed", hint: "gunzip it first", kind: .damaged)
            }
            guard let header = try TarHeader(block, at: at, in: path) else { break }
            let content = at + TarHeader.block
            guard header.size <= total - content else {
                throw BSSError("artifact", "\(path) ends within '\(header.name)'", kind: .damaged)
            }
            names.append(header.name)
            extents[header.name] = FileExtent(path: path, start: content, size: header.size)
            guard names.count <= ArtifactLimits.files else {
                throw BSSError("artifact", "\(path) holds more than \(ArtifactLimits.files) files", kind: .damaged)
            }
            at = content + TarHeader.padded(header.size)
        }
        try ArtifactPath.check(names, in: path)
        self.init(extents)
    }

    /// An unpacked artifact.
    /// - Parameter skipsOthers: what is no plain file is not there, instead of an error.
    /// - Throws: kind `.damaged`: symbolic links, devices.
    public init(folder: String, skipsOthers: Bool = false) throws {
        var extents: [String: FileExtent] = [:]
        func visit(_ inner: String) throws {
            for name in try Files.list(inner.isEmpty ? folder : "\(folder)/\(inner)") {
                let relative = inner.isEmpty ? name : "\(inner)/\(name)"
                let path = "\(folder)/\(relative)"
                var info = stat()
                guard lstat(path, &info) == 0 else { throw FileTreeError.reading(path) }
                switch info.st_mode & S_IFMT {
                case S_IFDIR: try visit(relative)
                case S_IFREG: extents[relative] = FileExtent(path: path, start: 0, size: Int(info.st_size))
                default:
                    guard skipsOthers else {
                        throw BSSError("artifact", "\(path) is no regular file and no folder", kind: .damaged)
                    }
                }
                guard extents.count <= ArtifactLimits.files, relative.utf8.count < 1 << 12 else {
                    throw BSSError("artifact", "\(folder) holds too many files", kind: .damaged)
                }
            }
        }
        try visit("")
        if skipsOthers { extents = extents.filter { ArtifactPath.fault($0.key) == nil } }
        try ArtifactPath.check(Array(extents.keys), in: folder)
        self.init(extents)
    }
}

extension FileTree {
    /// Writes an archive of all files: the same bytes for the same content.
    /// - Parameter time: seconds since 1970, of every file.
    public func writeArchive(_ path: String, time: Int) throws {
        let temporary = "\(path).\(ProcessIdentity.current.tag).new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw FileTreeError.writing(path) }
        var isDone = false
        defer {
            close(file)
            if !isDone { unlink(temporary) }
        }
        func put(_ bytes: UnsafeRawBufferPointer) throws {
            var at = 0
            while at < bytes.count {
                let count = write(file, bytes.baseAddress?.advanced(by: at), bytes.count - at)
                guard count > 0 else { throw FileTreeError.writing(path) }
                at += count
            }
        }
        try ArtifactPath.check(names, in: path)
        for name in names {
            let size = size(name) ?? 0
            try TarHeader(name: name, size: size).bytes(time: time).withUnsafeBytes(put)
            try forEachPiece(name, put)
            try [UInt8](repeating: 0, count: TarHeader.padded(size) - size).withUnsafeBytes(put)
        }
        try [UInt8](repeating: 0, count: 2 * TarHeader.block).withUnsafeBytes(put)
        guard fsync(file) == 0, rename(temporary, path) == 0 else { throw FileTreeError.writing(path) }
        isDone = true
    }
}
