import BSSCore
import CBSSLua

extension LuaState {
    /// The global `help`: `help(bss.train)`, `help("pace")`, `help(run)` print what `?` shows at the prompt.
    public func installHelp(_ root: Namespace) throws {
        try balanced { L in
            bss_lua_push_globals(L)
            push(
                ClosureEntry(self) { state, L in
                    let count = lua_gettop(L)
                    let text: String
                    if count == 0 || lua_type(L, 1) == LUA_TNIL {
                        text = count == 0 ? Help.text(root, path: root.name) : "nil: no value"
                    } else if lua_type(L, 1) == LUA_TSTRING {
                        text = try state.help(named: state.string(at: 1, on: L), in: root)
                    } else {
                        lua_pushvalue(L, 1)
                        text = state.found(on: L).map { state.help(of: $0) } ?? ""
                    }
                    try state.printLine(text.hasSuffix("\n") ? String(text.dropLast()) : text)
                    return 0
                }, on: L)
            bss_lua_raw_set(L, -2, "help")
        }
    }

    /// Help of what stands at a dotted name, in variables or in the catalogue; else every name that the word is found
    /// in.
    /// - Throws: with the nearest name, when there is nothing.
    public func help(named name: String, in root: Namespace) throws -> String {
        let path = name.split(whereSeparator: { $0 == "." || $0 == ":" }).map(String.init)
        if !path.isEmpty, let found = lookUp(path) { return help(of: found) }
        do { return try Help.lookUp(name, in: root) } catch {
            let hits = Help.search(name, in: root)
            guard !hits.isEmpty else { throw error }
            let width = hits.reduce(0) { max($0, $1.path.count) } + 2
            return hits.map { "  " + Text.padded($0.path, to: width) + $0.summary }.joined(separator: "\n")
        }
    }

    /// Help of a value.
    public func help(of value: LuaValue, whole: Bool = false) -> String {
        // Only a full stack throws: then there is nothing to say.
        let found = try? balanced { L -> Found? in
            value.push(on: L)
            return self.found(on: L)
        }
        return (found ?? nil).map { help(of: $0, whole: whole) } ?? "nil: no value"
    }

    /// - Parameter whole: for functions written in Lua: their whole source.
    public func help(of found: Found, whole: Bool = false) -> String {
        switch found {
        case .namespace(let namespace, let path): return Help.text(namespace, path: path)
        case .function(let function, let path): return Help.text(function, path: path)
        case .object(let object): return object.summary + "\n\n" + Help.text(object.objectType)
        case .value(let value):
            guard let function = function(of: value) else {
                if let library = standardHelp(of: value) { return library }
                return "\(value.type)\n" + Printer().text(value, in: self)
            }
            if let (declared, path) = declaration(of: function) { return Help.text(declared, path: path) }
            if let text = sourceOf?(function.definition, whole) { return text }
            return standardHelp(of: value) ?? "function \(function.definition)"
        }
    }
}
