import BSSCore
import Glibc

/// Files by name: an archive, a folder, or what is about to become one.
public protocol FileTree {
    /// In the order of their bytes.
    var names: [String] { get }
    func size(_ name: String) -> Int?
    /// - Throws: kind `.damaged`: it is not there, or larger than may be held in memory.
    func read(_ name: String) throws -> [UInt8]
    /// Its content in pieces, whatever its size.
    func forEachPiece(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws
}

/// What an artifact of a stranger may ask for.
public enum ArtifactLimits {
    public static let files = 200_000
    /// Of a record, table or script, which are read whole.
    public static let record = 256 << 20
    /// Of the scripts together.
    public static let sources = 64 << 20
}

extension FileTree {
    public func has(_ name: String) -> Bool { size(name) != nil }

    func checkedSize(_ name: String) throws -> Int {
        guard let size = size(name) else { throw BSSError("artifact", "'\(name)' is missing", kind: .damaged) }
        guard size <= ArtifactLimits.record else {
            throw BSSError("artifact", "'\(name)' has \(size) bytes, more than a record may have", kind: .damaged)
        }
        return size
    }

    public func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }

    /// - Throws: kind `.damaged`: no JSON object.
    public func table(_ name: String) throws -> Table {
        do {
            guard let table = try JSON.parse(bytes: read(name), source: name).table else {
                throw BSSError("artifact", "'\(name)' holds no object", kind: .damaged)
            }
            return table
        } catch var error as BSSError {
            error.kind = .damaged
            throw error
        }
    }

    /// The lines of a `.jsonl` file.
    public func lines(_ name: String) throws -> [Table] {
        try text(name).split(separator: "\n").enumerated().map { number, line in
            do {
                if let table = try JSON.parse(String(line), source: "\(name) line \(number + 1)").table { return table }
            } catch var error as BSSError {
                error.kind = .damaged
                throw error
            }
            throw BSSError("artifact", "\(name) line \(number + 1) holds no object", kind: .damaged)
        }
    }

    public func sha256(_ name: String) throws -> String {
        var hash = SHA256()
        try forEachPiece(name) { hash.update($0) }
        return hash.finish()
    }

    /// The names below a folder, without it.
    public func names(in folder: String) -> [String] {
        names.filter { $0.hasPrefix(folder + "/") }.map { String($0.dropFirst(folder.count + 1)) }
    }

    /// Writes files of a folder below another one, which exists.
    public func unpack(_ folder: String, into target: String) throws {
        for name in names(in: folder) {
            let path = "\(target)/\(name)"
            if let slash = path.lastIndex(of: "/") { try Files.makeFolder(String(path[..<slash])) }
            let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
            guard file >= 0 else { throw FileTreeError.writing(path) }
            defer { close(file) }
            try forEachPiece("\(folder)/\(name)") { piece in
                var at = 0
                while at < piece.count {
                    let count = write(file, piece.baseAddress?.advanced(by: at), piece.count - at)
                    guard count > 0 else { throw FileTreeError.writing(path) }
                    at += count
                }
            }
        }
    }
}

enum FileTreeError {
    static func writing(_ path: String) -> BSSError {
        BSSError("artifact", "\(path): \(String(cString: strerror(errno)))", kind: .output)
    }

    static func reading(_ path: String) -> BSSError {
        BSSError("artifact", "\(path): \(String(cString: strerror(errno)))", kind: .damaged)
    }
}

/// Files in memory, over those of another tree.
public struct DraftTree: FileTree {
    private var own: [String: [UInt8]?] = [:]
    private let base: (any FileTree)?

    public init(over base: (any FileTree)? = nil) { self.base = base }

    /// nil removes a file.
    public subscript(name: String) -> [UInt8]? {
        get { own[name] ?? nil }
        set { own.updateValue(newValue, forKey: name) }
    }

    public mutating func write(_ text: String, to name: String) { self[name] = Array(text.utf8) }

    public var names: [String] {
        let kept = (base?.names ?? []).filter { own[$0] == nil }
        return ArtifactPath.sorted(kept + own.compactMap { $0.value == nil ? nil : $0.key })
    }

    public func size(_ name: String) -> Int? {
        if let mine = own[name] { return mine?.count }
        return base?.size(name)
    }

    public func read(_ name: String) throws -> [UInt8] {
        _ = try checkedSize(name)
        if let mine = own[name] { return mine ?? [] }
        return try base?.read(name) ?? []
    }

    public func forEachPiece(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        if let mine = own[name] { return try (mine ?? []).withUnsafeBytes(body) }
        try base?.forEachPiece(name, body)
    }
}
