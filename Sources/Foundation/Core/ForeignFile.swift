/// What lies under a data file's name instead of the file: recognised by its first bytes, so that no parser has to
/// wonder.
enum ForeignFile {
    /// Words that go on from the file's name, and what to do; nil for anything else.
    static func kind(of bytes: [UInt8]) -> (what: String, hint: String)? {
        // The first byte tells most files apart: 'v' or '<' first, behind blanks or a byte order mark.
        let start = bytes.prefix(600).drop { [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }
        guard let first = start.first, first == UInt8(ascii: "v") || first == UInt8(ascii: "<") else { return nil }
        let head = String(decoding: start, as: UTF8.self)
        if head.hasPrefix("version https://git-lfs.github.com/spec/") {
            let size = head.split(whereSeparator: \.isNewline).first { $0.hasPrefix("size ") }?.dropFirst(5)
            return (
                "is a Git LFS pointer, not the file\(size.map { " of \($0) bytes" } ?? "") that it stands for",
                "git lfs pull fetches it"
            )
        }
        let lower = head.lowercased()
        if lower.hasPrefix("<!doctype html") || lower.hasPrefix("<html") {
            return (
                "is an HTML page, not data", "its download gave a web page instead: log in, or take the direct link"
            )
        }
        if lower.hasPrefix("<?xml"), lower.contains("<error>") {
            return ("is a server's error message, not data", "download it again")
        }
        return nil
    }
}

extension Files {
    /// The bytes of a data file that somebody brought.
    /// - Throws: kind `.data`; also for a Git LFS pointer, an HTML page or a server's error message in its place.
    public static func readData(_ path: String) throws -> [UInt8] {
        let bytes = try read(path, stops: true)
        if let foreign = ForeignFile.kind(of: bytes) {
            throw BSSError("read", "\(path) \(foreign.what)", hint: foreign.hint, kind: .data)
        }
        return bytes
    }

    /// The text of a data file that somebody brought, without a byte order mark.
    public static func readDataText(_ path: String) throws -> String { Text.decoded(file: try readData(path)) }
}
