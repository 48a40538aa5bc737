import BSSCore
import BSSLua

/// What a callback receives, while it is written: `on_epoch = function(e) … e.`
extension Completion {
    /// Fields and methods of a parameter, by what its callback is declared to receive, else by its usual name.
    func received(_ word: String, _ tokens: [LuaToken]) -> [String] {
        guard let separator = word.firstIndex(where: { $0 == "." || $0 == ":" }) else { return [] }
        let name = String(word[..<separator])
        let rest = word[word.index(after: separator)...]
        guard
            let type = declared(name, tokens)
                ?? root.allTypes.first(where: { $0.name == name || $0.aliases.contains(name) })
        else {
            return []
        }
        let names = word[separator] == ":" ? type.methods.map(\.name) : type.properties.map(\.name)
        return names.filter { $0.hasPrefix(rest) }.sorted().map { word[...separator] + $0 }
    }

    private func declared(_ name: String, _ tokens: [LuaToken]) -> ObjectType? {
        for start in tokens.indices.reversed() where tokens[start].text == "function" {
            let head = tokens[(start + 1)...]
            guard head.first?.text == "(", let end = head.firstIndex(where: { $0.text == ")" }) else { continue }
            let parameters = tokens[(start + 2)..<end].filter { $0.kind == .name }.map(\.text)
            guard let place = parameters.firstIndex(of: name) else { continue }
            guard let known = argument(before: start, tokens)?.signature?.parameters, known.indices.contains(place)
            else { return nil }
            return root.allTypes.first { LuaType.name($0.name) == known[place].type }
        }
        return nil
    }
}
