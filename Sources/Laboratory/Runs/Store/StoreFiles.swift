import BSSCore
import Glibc

/// What the run store asks of a file system beside `Files`: names that appear once, and reading what may be replaced
/// meanwhile.
enum StoreFiles {
    /// The text of a file; nil if it is not there (or was replaced on the server while it was open).
    static func text(_ path: String) throws -> String? {
        for _ in 0..<3 {
            if access(path, F_OK) != 0, errno == ENOENT || errno == ESTALE || errno == ENOTDIR { return nil }
            errno = 0
            do { return try Files.readText(path) } catch {
                guard errno == ENOENT || errno == ESTALE else { throw error }
            }
        }
        return nil
    }

    static func table(_ path: String) throws -> Table? {
        guard let text = try text(path) else { return nil }
        guard let table = try JSON.parse(text, source: path).table else {
            throw BSSError("read", "\(path) holds no record", kind: .data)
        }
        return table
    }

    /// Gives a finished file a second name unless that is taken. `false`: it is taken, by another file.
    /// - Throws: kind `.output`.
    static func publish(_ file: String, as name: String) throws -> Bool {
        if link(file, name) == 0 { return true }
        let reason = errno
        if isOneFile(file, name) { return true }  // the request was sent twice, or an earlier try came so far
        if reason == EEXIST { return false }
        guard [EPERM, EOPNOTSUPP, ENOSYS, EMLINK].contains(reason) else { throw failure("publish", name, reason) }
        return try publishWithoutLinks(file, as: name)
    }

    /// Where there are no links: a folder that holds the file is renamed, which one process can do. Then everybody
    /// writes what is in it under the name, so it does not matter who ends when.
    static func publishWithoutLinks(_ file: String, as name: String) throws -> Bool {
        let own = "\(name).\(ProcessIdentity.current.tag).new"
        let first = name + ".first"
        try Files.makeFolder(own)
        try Files.write(Files.read(file), to: own + "/content")
        let reason = rename(own, first) == 0 ? 0 : errno
        if reason != 0 {
            removeFolder(own)
            guard reason == EEXIST || reason == ENOTEMPTY else { throw failure("publish", name, reason) }
        }
        try Files.write(Files.read(first + "/content"), to: name)
        return reason == 0
    }

    static func isOneFile(_ a: String, _ b: String) -> Bool {
        var x = stat()
        var y = stat()
        return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev
    }

    static func removeFolder(_ path: String) {
        // What is left of it is looked for when the store is opened again.
        for name in (try? Files.list(path)) ?? [] { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    /// Bytes of the files of a folder.
    static func size(of folder: String) throws -> Int {
        try Files.list(folder).reduce(0) { $0 + (Files.size("\(folder)/\($1)") ?? 0) }
    }

    static func failure(_ verb: String, _ path: String, _ reason: Int32) -> BSSError {
        BSSError(verb, "\(path): \(String(cString: strerror(reason)))", kind: .output)
    }
}
