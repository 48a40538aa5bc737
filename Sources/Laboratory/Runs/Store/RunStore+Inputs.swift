import BSSCore

/// A text that a run used.
public struct SourceFile {
    /// From the script's folder.
    public let path: String
    public let bytes: [UInt8]
    public let sha256: String

    public init(path: String, bytes: [UInt8], sha256: String) {
        (self.path, self.bytes, self.sha256) = (path, bytes, sha256)
    }
}

/// What runs were made from, kept once beside them: `sources/<script>-<hash>/` and `data/<hash>.json`.
extension RunStore {
    /// Copies the script (the first) and its modules.
    /// - Returns: the copies' folder, from the store's; nil: there are none.
    public func keep(sources: [SourceFile]) throws -> String? {
        guard let script = sources.first else { return nil }
        let hash = SHA256.hex(sources.map { "\($0.path)\t\($0.sha256)\n" }.joined()).prefix(12)
        let stem = script.path.split(separator: "/").last?.split(separator: ".").first.map(String.init) ?? "script"
        let folder = "sources/\(RunStore.fileName(stem))-\(hash)"
        for source in sources {
            let copy = "\(root)/\(folder)/\(source.path)"
            guard !Files.exists(copy) else { continue }
            if let slash = copy.lastIndex(of: "/") { try Files.makeFolder(String(copy[..<slash])) }
            try Files.write(source.bytes, to: copy)
        }
        return folder
    }

    /// Notes where data came from: name, folder, files with their hashes.
    /// - Returns: the note, from the store's folder.
    public func keep(data: Table, hash: String) throws -> String {
        let note = "data/\(hash.prefix(12)).json"
        let text = JSON.text(.table(data), indent: 2) + "\n"
        guard try StoreFiles.text("\(root)/\(note)") != text else { return note }
        try Files.makeFolder(root + "/data")
        try Files.write(text, to: "\(root)/\(note)")
        return note
    }
}
