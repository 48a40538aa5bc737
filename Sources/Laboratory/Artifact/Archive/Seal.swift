import BSSCore

/// The seal of an artifact: `SHA256SUMS` over every file, and a hash of that in the manifest.
public enum Seal {
    private static let sums = "SHA256SUMS", manifest = "manifest.json"
    /// Reports of verifications may be added later.
    private static func isSealed(_ name: String) -> Bool {
        name != sums && name != manifest && !name.hasPrefix("checks/")
    }

    private static func lines(_ tree: any FileTree) throws -> String {
        try tree.names.filter(isSealed).map { "\(try tree.sha256($0))  \($0)\n" }.joined()
    }

    private static func seal(_ sums: String, _ manifest: Manifest) -> String {
        var table = manifest.table
        table["seal"] = nil
        return SHA256.hex(sums + CanonicalText.of(.table(table)))
    }

    /// Writes both files.
    public static func close(_ tree: inout DraftTree, _ manifest: Manifest) throws {
        var manifest = manifest
        tree[Seal.sums] = nil
        tree[Seal.manifest] = nil
        let text = try lines(tree)
        manifest.content = try ContentHash.of(tree)
        manifest.seal = seal(text, manifest)
        tree.write(text, to: Seal.sums)
        tree.write(manifest.text, to: Seal.manifest)
    }

    /// What does not fit; empty: the seal is whole.
    public static func faults(_ tree: any FileTree) throws -> [String] {
        let manifest = try Manifest(of: tree)
        let text = try tree.text(sums)
        guard try tree.text(Seal.manifest) == manifest.text else { return ["manifest.json is not what was sealed"] }
        guard seal(text, manifest) == manifest.seal else {
            return ["SHA256SUMS or manifest.json is not what was sealed"]
        }
        var open = Set(tree.names.filter(isSealed))
        var faults: [String] = []
        for line in text.split(separator: "\n") {
            let (hash, name) = (line.prefix(64), String(line.dropFirst(66)))
            guard tree.has(name) else {
                faults.append("\(name) is missing")
                continue
            }
            open.remove(name)
            if try tree.sha256(name) != hash { faults.append("\(name) was changed") }
        }
        return faults + open.sorted().map { "\($0) was added" }
    }
}

/// A hash of what two executions of one plan share: times, machines and thread counts left out.
enum ContentHash {
    static func of(_ tree: any FileTree) throws -> String {
        var hash = SHA256()
        for name in tree.names {
            guard let text = try fingerprint(name, in: tree) else { continue }
            hash.update("\(name)\t\(text)\n")
        }
        return hash.finish()
    }

    /// nil: it holds times, or follows from the rest.
    private static func fingerprint(_ name: String, in tree: any FileTree) throws -> String? {
        let parts = name.split(separator: "/").map(String.init)
        if parts.count == 1 { return nil }
        if parts.last == "run.json" {
            var record = try tree.table(name)
            for key in ["time", "machine", "threads", "attempt", "restarts", "warnings"] { record[key] = nil }
            var engine = record["engine"]?.table ?? Table()
            engine["backend"] = nil
            record["engine"] = .table(engine)
            return CanonicalText.hash(.table(record))
        }
        if name.hasPrefix("checks/") || parts.contains("tables") || parts.contains("figures") { return nil }
        if parts.contains("experiments"), parts.first != "src" {
            var text = try tree.table(name)
            let rows = text["rows"]?.table?.items ?? []
            text["rows"] = .list(rows.map(withoutTimes))
            return CanonicalText.hash(.table(text))
        }
        return try tree.sha256(name)
    }

    private static func withoutTimes(_ value: Value) -> Value {
        guard case .table(let table) = value else { return value }
        return .table(
            Table(
                items: table.items.map(withoutTimes),
                fields: table.fields.filter { !$0.key.hasSuffix("seconds") }.map { ($0.key, withoutTimes($0.value)) }))
    }
}
