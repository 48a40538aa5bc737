import BSSCodecs
import BSSCore
import Glibc

/// SHA-256 of files that training reads by name (media, weights): their bytes count, not path and size alone.
///
/// Files are hashed once a process; one whose size, times or inode differ is hashed again. (The time of a file's last
/// change of status cannot be set: a file that was written and given its old time back is noticed.)
public enum MediaHash {
    private struct Known {
        let stamp: [Int]
        let sha256: String
    }
    nonisolated(unsafe) private static var known: [String: Known] = [:]

    /// In the order of `paths`; of a folder (frames) over the names and bytes of its files.
    /// - Throws: kind `.data`, naming the file that cannot be read.
    public static func of(_ paths: [String], operation: String) throws -> [String] {
        let stamps = paths.map(stamp)
        let open = paths.indices.filter { i in
            guard let found = known[paths[i]], let stamp = stamps[i] else { return true }
            return found.stamp != stamp
        }
        let clock = LoadingClock("hashing media", of: open.count)
        let hashes = try Parallel.map(open.count, operation: operation, progress: clock.report) { i in
            Result { try hash(paths[open[i]]) }
        }
        var fresh: [String: String] = [:]
        for (place, result) in zip(open, hashes) {
            let sha256 = try result.get()
            fresh[paths[place]] = sha256
            if let stamp = stamps[place] {
                known[paths[place]] = Known(stamp: stamp, sha256: sha256)
            }
        }
        return paths.map { fresh[$0] ?? known[$0]?.sha256 ?? "" }
    }

    /// nil: no file, but a folder, whose files may change without it.
    private static func stamp(_ path: String) -> [Int]? {
        var info = stat()
        guard stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return nil }
        return [
            Int(info.st_size), Int(bitPattern: UInt(info.st_ino)), info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
            info.st_ctim.tv_sec, info.st_ctim.tv_nsec,
        ]
    }

    private static func hash(_ path: String) throws -> String {
        guard Files.isFolder(path) else { return Checksum.sha256(try Files.read(path)) }
        let names = try Files.list(path)
        return Checksum.sha256(Array(try names.map { "\($0)\t\(try hash("\(path)/\($0)"))\n" }.joined().utf8))
    }
}
