import BSSCodecs
import BSSCore
import Glibc

/// Where datasets are looked up by folder name.
public enum DataPath {
    /// Folders given on the command line (`--data`), searched before those of `BSS_DATA` (separated by colons).
    public static var folders: [String] {
        get { SearchPath.dataFolders }
        set { SearchPath.dataFolders = newValue }
    }

    static var all: [String] { SearchPath.allDataFolders }

    /// Names of the folders on the data path, and of those that are on it themselves.
    static var folderNames: [String] {
        all.flatMap { folder -> [String] in
            // A folder that cannot be listed offers no names.
            let inside: [String] = (try? Files.list(folder)) ?? []
            let own = folder.split(separator: "/").last.map(String.init) ?? ""
            return inside.filter { Files.isFolder("\(folder)/\($0)") } + [own]
        }
    }

    /// The folder of a dataset: `root`, else a folder called one of `names` on the data path, else a folder of the path
    /// that itself holds `marker`.
    static func find(_ names: [String], marker: String, root: String?, operation: String) throws -> DataFolder {
        if let root {
            guard Files.isFolder(root) else {
                throw BSSError(operation, "root = \"\(root)\" is not a folder", kind: .data)
            }
            return DataFolder(root, operation)
        }
        for folder in all {
            for name in names where Files.isFolder("\(folder)/\(name)") {
                return DataFolder("\(folder)/\(name)", operation)
            }
        }
        for folder in all where Files.exists("\(folder)/\(marker)") { return DataFolder(folder, operation) }
        let searched = all.isEmpty ? "no data folder is set" : "looked in \(all.joined(separator: ", "))"
        throw BSSError(
            operation, "no folder \(names.map { "'\($0)'" }.joined(separator: " or ")): \(searched)",
            hint: "name its parent with --data DIR or BSS_DATA, or pass root = DIR", kind: .data)
    }
}

/// A dataset's folder: reads files by relative path, and keeps what was read for the manifest.
final class DataFolder {
    let path: String
    private let operation: String
    private(set) var records: [FileRecord] = []

    init(_ path: String, _ operation: String) {
        self.path = path
        self.operation = operation
    }

    /// A relative path, or an absolute one.
    func full(_ relative: String) -> String {
        relative.hasPrefix("/") || path.isEmpty ? relative : "\(path)/\(relative)"
    }

    /// - Throws: the reason with the file's path, under the dataset's name.
    func read(_ relative: String) throws -> [UInt8] {
        let bytes = try explained { try Files.readData(full(relative)) }
        records.append(FileRecord(path: relative, size: bytes.count, sha256: Checksum.sha256(bytes)))
        return bytes
    }

    /// Records a file that somebody else has read.
    func add(_ record: FileRecord) { records.append(record) }

    /// The first of these files that is there, as given or in `annotations/`.
    func first(of names: [String]) -> String? {
        names.flatMap { [$0, "annotations/\($0)"] }.first { Files.exists(full($0)) }
    }

    /// - Throws: where none is there, naming what was looked for.
    func annotation(_ names: [String]) throws -> String {
        if let found = first(of: names) { return found }
        throw BSSError(
            operation, "\(path): the annotation file \(names.map { "'\($0)'" }.joined(separator: " or ")) is not there",
            hint: "it may also stand in annotations/", kind: .data)
    }

    /// Lines of a text file (gzip and UTF-16 too) with their numbers, without line ends.
    func lines(_ relative: String) throws -> [(text: String, number: Int)] {
        var bytes = try read(relative)
        if bytes.starts(with: [0x1F, 0x8B]) { bytes = try explained { try Gzip.unpacked(bytes, source: relative) } }
        return TextLines.split(bytes).filter { !$0.text.isEmpty }
    }

    func csv(_ relative: String, separator: Character = ",") throws -> CSVTable {
        let bytes = try read(relative)
        return try explained { try CSVTable(text: bytes, source: relative, separator: separator) }
    }

    func npy(_ relative: String) throws -> NpyArray {
        let bytes = try read(relative)
        return try explained { try Npy.parse(bytes, source: relative) }
    }

    func npz(_ relative: String) throws -> Npz {
        let bytes = try read(relative)
        return try explained { try Npz(bytes: bytes, source: relative) }
    }

    /// Runs a reader; its error keeps its words and gets the dataset's name as its operation.
    func explained<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch var error as BSSError {
            error.operation = operation
            throw error
        }
    }
}
