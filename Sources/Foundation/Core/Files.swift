import Glibc

/// Whole-file reading and crash-safe writing.
public enum Files {
    /// The bytes of a file.
    /// - Throws: kind `.data`, naming the path and the system's reason.
    public static func read(_ path: String) throws -> [UInt8] { try read(path, stops: false) }

    /// `stops`: Ctrl-C ends the reading of what is long, or waits for somebody who writes.
    static func read(_ path: String, stops: Bool) throws -> [UInt8] {
        // The system would open what stands before it.
        guard !path.utf8.contains(0) else {
            throw BSSError("read", "the path \"\(path.prefix { $0 != "\0" })…\" holds a NUL", kind: .data)
        }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("read", path, kind: .data) }
        defer { close(file) }
        var info = stat()
        guard fstat(file, &info) == 0 else { throw failure("read", path, kind: .data) }
        if info.st_mode & S_IFMT == S_IFDIR { throw BSSError("read", "\(path) is a folder", kind: .data) }
        // Sparse files and devices may claim anything: what memory cannot hold is refused, not tried.
        let most = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        func check(_ size: Int) throws {
            guard size <= most else {
                throw BSSError("read", "\(path): \(size) bytes are more than this machine's memory", kind: .data)
            }
        }
        try check(Int(info.st_size))
        // One more than it says, so that its end is seen without growing.
        var bytes = [UInt8](repeating: 0, count: Int(info.st_size) + 1)
        var filled = 0
        while true {
            try check(filled)
            if stops { try Cancellation.check("read \(path)") }
            if filled == bytes.count { bytes.append(contentsOf: repeatElement(0, count: max(4096, filled / 2))) }
            let room = bytes.count - filled
            let got = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress?.advanced(by: filled), room) }
            if got < 0 { if errno == EINTR { continue } else { throw failure("read", path, kind: .data) } }
            if got == 0 { break }
            filled += got
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    public static var workingFolder: String {
        guard let path = getcwd(nil, 0) else { return "." }
        defer { free(path) }
        return String(cString: path)
    }

    /// Where this process writes; nil: wherever it is asked to. What goes elsewhere is left out.
    nonisolated(unsafe) private static var allowed: [String]?

    /// From now on this process, a worker of several that run one script, writes below these folders alone: what the
    /// script writes elsewhere is another process's to write.
    public static func confine(to folders: [String]) { allowed = folders }

    /// Whether a path is this process's to write.
    public static func isOwn(_ path: String) -> Bool {
        guard let allowed else { return true }
        return allowed.contains { path.hasPrefix($0) || path + "/" == $0 }
    }

    public static func readText(_ path: String) throws -> String { Text.decoded(file: try read(path)) }

    /// Writes to a new file beside `path`, syncs, renames and syncs the folder: readers see the old or the new content,
    /// never a part, and what was written survives a power cut. A file that is replaced keeps its mode, and a symbolic
    /// link goes on pointing to it.
    /// - Parameters:
    ///   - isDurable: false leaves the syncing out.
    ///   - mode: of a file that is new.
    /// - Throws: kind `.output`.
    public static func write(
        _ bytes: UnsafeRawBufferPointer, to link: String, isDurable: Bool = true, mode: mode_t = 0o644
    ) throws {
        guard isOwn(link) else { return }
        let path = target(of: link)
        let temporary = "\(path).\(ProcessIdentity.current.tag).new"
        var before = stat()
        let replaces = stat(path, &before) == 0
        let kept = replaces ? before.st_mode & 0o7777 : mode
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kept & 0o777)
        guard file >= 0 else { throw failure("write", path, kind: .output) }
        do {
            var made = stat()
            if replaces, fstat(file, &made) != 0 || made.st_mode & 0o7777 != kept, fchmod(file, kept) != 0 {
                throw failure("write", path, kind: .output)
            }
            var written = 0
            while written < bytes.count {
                let rest = bytes.baseAddress?.advanced(by: written)
                let count = Glibc.write(file, rest, bytes.count - written)
                if count < 0 { if errno == EINTR { continue } else { throw failure("write", path, kind: .output) } }
                written += count
            }
            guard !isDurable || fsync(file) == 0 else { throw failure("write", path, kind: .output) }
        } catch {
            close(file)
            unlink(temporary)
            throw error
        }
        guard close(file) == 0, rename(temporary, path) == 0 else {
            let reason = failure("write", path, kind: .output)
            unlink(temporary)
            throw reason
        }
        if isDurable { try syncFolder(of: path) }
    }

    /// Makes renames, links and new names in the folder of `path` durable. File systems that sync no folders are left
    /// alone.
    public static func syncFolder(of path: String) throws {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw failure("sync", folder, kind: .output) }
        defer { close(file) }
        guard fsync(file) == 0 || errno == EINVAL || errno == ENOTSUP else {
            throw failure("sync", folder, kind: .output)
        }
    }

    /// Unfinished files (`write`) in a folder that killed processes left are deleted.
    public static func removeLeftovers(in folder: String) throws {
        guard isFolder(folder) else { return }
        for name in try list(folder) where name.hasSuffix(".new") {
            let parts = name.dropLast(4).split(separator: ".")
            if let tag = parts.last, ProcessIdentity.current.isGone(tag: String(tag)) { remove("\(folder)/\(name)") }
        }
    }

    public static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws {
        try bytes.withUnsafeBytes { try write($0, to: path, mode: mode) }
    }
    public static func write(
        _ text: String, to path: String, isDurable: Bool = true, mode: mode_t = 0o644
    ) throws {
        try Array(text.utf8).withUnsafeBytes { try write($0, to: path, isDurable: isDurable, mode: mode) }
    }

    /// What a symbolic link points to; any other path as it is.
    private static func target(of path: String) -> String {
        var info = stat()
        guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFLNK, let real = realpath(path, nil) else {
            return path
        }
        defer { free(real) }
        return String(cString: real)
    }

    /// Bytes of a file; nil: it is not there.
    public static func size(_ path: String) -> Int? {
        var info = stat()
        return stat(path, &info) == 0 ? Int(info.st_size) : nil
    }

    /// Whether nothing more can be written where a path lies: less than 64 KiB are free.
    public static func isDiskFull(_ path: String) -> Bool {
        var info = statvfs()
        return statvfs(path, &info) == 0 && info.f_bavail * info.f_frsize < 1 << 16
    }

    /// Takes from others the right to read and write a file.
    public static func makePrivate(_ path: String) {
        var info = stat()
        if stat(path, &info) == 0, info.st_mode & 0o077 != 0 { chmod(path, info.st_mode & 0o700) }
    }

    /// Appends one line with a single `write`.
    public static func append(line: String, to path: String, mode: mode_t = 0o644) throws {
        guard isOwn(path) else { return }
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure("append", path, kind: .output) }
        defer { close(file) }
        let bytes = Array(line.utf8) + [0x0A]
        guard bytes.withUnsafeBytes({ Glibc.write(file, $0.baseAddress, $0.count) }) == bytes.count else {
            throw failure("append", path, kind: .output)
        }
    }

    /// Creates a folder and its parents.
    public static func makeFolder(_ path: String) throws {
        guard isOwn(path) else { return }
        var built = path.hasPrefix("/") ? "/" : ""
        for step in path.split(separator: "/") {
            built += (built.isEmpty || built == "/" ? "" : "/") + step
            if mkdir(built, 0o755) == 0 {
                try syncFolder(of: built)
            } else if errno != EEXIST, errno != EROFS || !isFolder(built) {
                throw failure("create folder", built, kind: .output)
            }
        }
        guard isFolder(path) || path.isEmpty else {
            throw BSSError("create folder", "\(path) is a file", kind: .output)
        }
    }

    /// Deletes a file if it is there.
    public static func remove(_ path: String) { unlink(path) }

    public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
    public static func isFolder(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }

    public static func isFile(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFREG
    }

    /// When a file was written last, in seconds since 1970; 0 if it is not there.
    public static func modified(_ path: String) -> Double {
        var info = stat()
        guard stat(path, &info) == 0 else { return 0 }
        return Double(info.st_mtim.tv_sec) + Double(info.st_mtim.tv_nsec) * 1e-9
    }

    /// Names in a folder, sorted.
    public static func list(_ path: String) throws -> [String] {
        guard let folder = opendir(path) else { throw failure("list", path, kind: .data) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func failure(_ verb: String, _ path: String, kind: BSSError.Kind) -> BSSError {
        BSSError(verb, "\(path): \(String(cString: strerror(errno)))", kind: kind)
    }
}
