import BSSCore

/// Takes out of texts what belongs to one machine: folders, and for anonymous artifacts who and where.
struct Scrubber {
    /// Folders whose names go: the longest first.
    private let folders: [String]

    init(folders: [String]) {
        let whole = folders.map { path -> String in
            var path = path.hasPrefix("/") ? path : "\(Files.workingFolder)/\(path)"
            while path.count > 1, path.hasSuffix("/") { path.removeLast() }
            return path
        }
        self.folders = Set(whole).filter { $0.split(separator: "/").count > 1 }.sorted { $0.count > $1.count }
    }

    /// `/tmp/a/results/x` becomes `…/results/x` where `/tmp/a` is one of the folders.
    func text(_ text: String) -> String {
        folders.reduce(text) { text, folder in
            Scrubber.holds(text, folder) ? Scrubber.replace(folder, with: "…", in: text) : text
        }
    }

    static func holds(_ text: String, _ word: String) -> Bool {
        let (all, wanted) = (Array(text.utf8), Array(word.utf8))
        guard let first = wanted.first, all.count >= wanted.count else { return false }
        return (0...all.count - wanted.count).contains { at in
            all[at] == first && all[at..<at + wanted.count].elementsEqual(wanted)
        }
    }

    private static func replace(_ what: String, with other: String, in text: String) -> String {
        let (from, all) = (Array(what.utf8), Array(text.utf8))
        var out: [UInt8] = []
        var at = 0
        while at < all.count {
            if all[at] == from[0], all.count - at >= from.count, all[at..<at + from.count].elementsEqual(from) {
                out += Array(other.utf8)
                at += from.count
            } else {
                out.append(all[at])
                at += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// A path that is absolute becomes its last part; other texts lose the folders.
    func value(_ value: Value) -> Value {
        switch value {
        case .string(let string):
            let isPath = string.hasPrefix("/") && !string.contains { $0 == " " || $0 == "\n" }
            let last = string.split(separator: "/").last.map(String.init)
            return .string(isPath ? last ?? string : text(string))
        case .table(let table):
            return .table(
                Table(items: table.items.map(self.value), fields: table.fields.map { ($0.key, self.value($0.value)) }))
        default: return value
        }
    }

    func table(_ table: Table) -> Table { value(.table(table)).table ?? table }

    /// Lines of a text that name one of these words: `3: root = "…"`.
    static func lines(of text: String, naming words: [String]) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { number, line in
            words.contains { holds(String(line), $0) } ? "\(number + 1): \(line.prefix(100))" : nil
        }
    }
}
