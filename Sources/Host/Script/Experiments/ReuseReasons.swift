import BSSCore
import BSSLua
import BSSRuns

/// Why runs of an earlier plan cannot stand for those of this one, in words.
struct ReuseReasons {
    let store: RunStore
    /// The script's name as sources have it.
    let script: String?

    init(_ store: RunStore, _ workbench: Workbench) {
        self.store = store
        script = workbench.options.script.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
    }

    /// `the script changed (tokens differ at line 14)`, `epochs = 20, was 10`
    func words(_ own: Table, _ other: Table) -> [String] {
        var differences = own.differences(from: other)
        differences.removeAll { $0.path == "given.seeds" }
        // What the script's functions reach follows from the script and its parameters.
        let causes = ["sources.", "given.", "parameters."]
        if differences.contains(where: { difference in causes.contains { difference.path.hasPrefix($0) } }) {
            differences.removeAll { $0.path.hasPrefix("code.") || $0.path.hasPrefix("callbacks") }
        }
        var told: Set<String> = []
        if let words = renamed(own, other) {
            differences.removeAll { $0.path.hasPrefix("sources.") }
            return [words] + differences.map { word($0.path, $0.own, $0.other) }
        }
        return differences.map { word($0.path, $0.own, $0.other) }.filter { told.insert($0).inserted }
    }

    /// The other plan was a script's of another name.
    private func renamed(_ own: Table, _ other: Table) -> String? {
        guard let script, let theirs = other["sources"]?.table, theirs[script] == nil,
            own["sources"]?.table?[script] != nil, let name = theirs.keys.first
        else { return nil }
        return "the script is '\(script)', was '\(name)'"
    }

    private func word(_ path: String, _ own: Value, _ other: Value) -> String {
        let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
        let rest = parts.count > 1 ? parts[1] : ""
        switch parts[0] {
        case "sources": return source(rest, own.string, other.string)
        case "engine" where rest == "build": return "another build of bss-lua"
        case "engine": return "\(rest) = \(JSON.lua(own)), was \(JSON.lua(other))"
        case "parameters" where !isHash(own) && !isHash(other), "given",
            "configuration" where !rest.isEmpty:
            return "\(rest) = \(JSON.lua(own)), was \(JSON.lua(other))"
        case "code": return "a value that the functions of the script use changed: \(rest)"
        case "data": return "the data changed"
        default:
            return isHash(own) || isHash(other)
                ? "\(path) changed" : "\(path) = \(JSON.lua(own)), was \(JSON.lua(other))"
        }
    }

    private func isHash(_ value: Value) -> Bool { (value.string?.utf8.count ?? 0) >= 40 }

    // MARK: Sources

    private func source(_ name: String, _ own: String?, _ other: String?) -> String {
        let whose = name == script ? "the script" : "'\(name)'"
        guard let own else { return "\(whose) is not loaded any more" }
        guard let other else { return "\(whose) was not there" }
        // Without the earlier text there is no line to name.
        guard let new = text(name, own), let old = text(name, other), let line = ReuseReasons.firstDifference(new, old)
        else { return "\(whose) changed" }
        return "\(whose) changed (tokens differ at line \(line))"
    }

    /// The line in the new text from which on the tokens are others.
    static func firstDifference(_ new: String, _ old: String) -> Int? {
        let (new, old) = (LuaLexer(new).tokens, LuaLexer(old).tokens)
        return zip(new, old).first { $0.text != $1.text || $0.kind != $1.kind }?.0.line
            ?? (new.count == old.count ? nil : new.last?.line)
    }

    /// The kept copy (`sources/<script>-<hash>/…`) of a file with these tokens, wherever below it lies.
    private func text(_ name: String, _ tokens: String) -> String? {
        func find(_ folder: String) -> String? {
            // What cannot be read cannot be compared with: the line is then not named.
            for entry in (try? Files.list(folder)) ?? [] {
                let path = "\(folder)/\(entry)"
                if Files.isFolder(path) {
                    if let found = find(path) { return found }
                } else if entry == name, let bytes = try? Files.read(path),  // here too
                    SourceLedger.tokenHash(bytes) == tokens
                {
                    return Text.decoded(bytes)
                }
            }
            return nil
        }
        return find(store.root + "/sources")
    }
}
