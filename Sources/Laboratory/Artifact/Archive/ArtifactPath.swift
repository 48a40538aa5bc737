import BSSCore

/// Names of files in artifacts: relative, plain, the same on every machine.
public enum ArtifactPath {
    /// ustar's: 155 bytes of folders, a slash, 100 bytes.
    static let longest = 255

    /// Why a name is refused; nil: it is plain.
    static func fault(_ name: String) -> String? {
        if name.isEmpty { return "is empty" }
        if name.utf8.count > longest { return "is longer than \(longest) bytes" }
        if name.hasPrefix("/") { return "is absolute" }
        if name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F || $0 == "\\" || $0 == "\u{FFFD}" }
        ) {
            return "holds control characters, backslashes or bytes that are no UTF-8"
        }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        if parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) { return "leads out of its folder" }
        return nil
    }

    /// - Throws: kind `.damaged`: a name that is not plain, comes twice, or is a file and a folder.
    static func check(_ names: [String], in source: String) throws {
        var files: Set<String> = []
        for name in names {
            if let fault = fault(name) {
                throw BSSError("artifact", "\(source): the name \(JSON.text(.string(name))) \(fault)", kind: .damaged)
            }
            guard files.insert(name).inserted else {
                throw BSSError("artifact", "\(source): '\(name)' is there twice", kind: .damaged)
            }
        }
        for name in names {
            var folder = name
            while let slash = folder.lastIndex(of: "/") {
                folder = String(folder[..<slash])
                guard !files.contains(folder) else {
                    throw BSSError("artifact", "\(source): '\(folder)' is a file and a folder", kind: .damaged)
                }
            }
        }
    }

    /// Names in the order of their bytes, as archives hold them.
    static func sorted(_ names: some Sequence<String>) -> [String] {
        names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
