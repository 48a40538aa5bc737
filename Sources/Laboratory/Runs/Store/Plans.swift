import BSSCore

/// Frozen plans: `plans/<name>-<hash>.jsonl`, one line a run. The hash is of the lines, so a plan that has changed is
/// another file, and two processes with one plan write the same one.
extension RunStore {
    public struct PlannedRun {
        public var id: String
        public var name: String
        /// What decides the run, as far as it is known before it begins.
        public var content: Table
        public init(id: String, name: String, content: Table) {
            (self.id, self.name, self.content) = (id, name, content)
        }

        fileprivate var line: String {
            JSON.text(.fields([("id", .string(id)), ("name", .string(name))] + content.fields)) + "\n"
        }
    }

    /// Writes the plan unless it is there.
    /// - Returns: its path.
    @discardableResult
    public func freeze(_ name: String, _ runs: [PlannedRun]) throws -> String {
        let text = runs.map(\.line).joined()
        let path = "\(root)/plans/\(RunStore.fileName(name))-\(SHA256.hex(text).prefix(12)).jsonl"
        guard try StoreFiles.text(path) != text else { return path }
        try Files.write(text, to: path)
        return path
    }

    /// The plans of this name, by path, the latest first.
    public func plans(_ name: String? = nil) throws -> [String] {
        let names = try Files.list(root + "/plans").filter { $0.hasSuffix(".jsonl") }
        return names.filter { file in name.map { file.dropLast(19) == RunStore.fileName($0)[...] } ?? true }
            .map { "\(root)/plans/\($0)" }.sorted { Files.modified($0) > Files.modified($1) }
    }

    public func plan(_ path: String) throws -> [PlannedRun] {
        try Files.readText(path).split(separator: "\n").enumerated().map { number, line in
            guard var table = try JSON.parse(String(line), source: "\(path) line \(number + 1)").table,
                let id = table["id"]?.string
            else {
                throw BSSError("plan", "\(path) line \(number + 1) has no id", kind: .data)
            }
            let name = table["name"]?.string ?? ""
            (table["id"], table["name"]) = (nil, nil)
            return PlannedRun(id: id, name: name, content: table)
        }
    }

    /// Letters, digits, `.`, `_`, `+` and `-` of any alphabet; the rest becomes `-`.
    public static func fileName(_ name: String) -> String {
        let text = String(name.map { $0.isLetter || $0.isNumber || "._+-".contains($0) ? $0 : "-" }.prefix(60))
        return text.isEmpty || text.hasPrefix(".") ? "-" + text : text
    }
}
