import BSSCore
import CBSSLua

/// Values as the prompt shows them: tables with sorted keys, budgets for depth, items and width, cycles marked.
///
/// The same value gives the same text in every run: no addresses.
public struct Printer {
    public var width: Int
    public var maximumDepth = 5
    public var maximumItems = 40

    public init(width: Int = 80) { self.width = max(20, width) }

    public func text(_ value: LuaValue, in state: LuaState) -> String {
        // Printing must not fail: on a full stack the type stands for the value.
        (try? state.balanced { L in
            value.push(on: L)
            var ancestors: [UnsafeRawPointer] = []
            return top(state, L) ?? describe(state, L, indent: 0, ancestors: &ancestors)
        }) ?? "(\(value.type))"
    }

    /// One line, for lists of variables.
    public func line(_ value: LuaValue, in state: LuaState) -> String {
        var small = self
        small.maximumDepth = 1
        small.maximumItems = 6
        small.width = 1 << 20
        let text = small.text(value, in: state).split(separator: "\n").first.map(String.init) ?? ""
        return text.count > width ? text.prefix(width - 1) + "…" : text
    }

    /// What is shown differently when it is the whole result.
    private func top(_ state: LuaState, _ L: OpaquePointer) -> String? {
        if let object = state.hostObject(at: -1, on: L) { return object.summary }
        if let pointer = lua_topointer(L, -1), let (namespace, path) = state.namespaces[UnsafeRawPointer(pointer)] {
            return Help.text(namespace, path: path)
        }
        if lua_type(L, -1) == LUA_TTABLE, lua_getmetatable(L, -1) != 0 {
            let has = bss_lua_raw_get(L, -1, "__tostring") != LUA_TNIL
            bss_lua_pop(L, 2)
            if has { return state.text(at: -1, on: L) }
        }
        return nil
    }

    private func describe(
        _ state: LuaState, _ L: OpaquePointer, indent: Int, ancestors: inout [UnsafeRawPointer]
    ) -> String {
        switch lua_type(L, -1) {
        case LUA_TSTRING: return quoted(state.string(at: -1, on: L))
        case LUA_TTABLE: return table(state, L, indent: indent, ancestors: &ancestors)
        case LUA_TFUNCTION:
            if let method = bss_lua_method_name(L, -1).map({ String(cString: $0) }) {
                return "method \(method) (write x:\(method.split(separator: ":").last ?? "")())"
            }
            if let (_, path) = state.declaration(at: -1, on: L) { return "function \(path)" }
            return "function \(state.place(ofFunctionAt: -1, on: L))"
        case LUA_TUSERDATA:
            if let object = state.hostObject(at: -1, on: L) {
                return String(object.summary.split(separator: "\n").first ?? "")
            }
            return "userdata"
        case LUA_TTHREAD: return "coroutine"
        case LUA_TNIL, LUA_TBOOLEAN, LUA_TNUMBER: return state.text(at: -1, on: L)
        default: return String(cString: lua_typename(L, lua_type(L, -1)))
        }
    }

    private func table(
        _ state: LuaState, _ L: OpaquePointer, indent: Int, ancestors: inout [UnsafeRawPointer]
    ) -> String {
        guard let address = lua_topointer(L, -1).map({ UnsafeRawPointer($0) }) else { return "{}" }
        if let (_, path) = state.namespaces[address] { return "namespace \(path)" }
        if ancestors.contains(address) { return "<cycle>" }
        guard lua_checkstack(L, 16) != 0 else { return "{…}" }
        let count = Int(bss_lua_push_sorted_keys(L, -1))
        defer { bss_lua_pop(L, 1) }
        if count == 0 { return "{}" }
        if ancestors.count >= maximumDepth { return "{… \(count)}" }
        ancestors.append(address)
        defer { ancestors.removeLast() }
        var parts: [String] = []
        for i in 1...min(count, maximumItems) {
            lua_rawgeti(L, -1, lua_Integer(i))  // key
            let key = keyText(state, L, position: i)
            lua_rawget(L, -3)
            parts.append(key + describe(state, L, indent: indent + 2, ancestors: &ancestors))
            bss_lua_pop(L, 1)
        }
        if count > maximumItems { parts.append("… \(count - maximumItems) more") }
        let one = "{ " + parts.joined(separator: ", ") + " }"
        if one.count + indent <= width, !one.contains("\n") { return one }
        let blank = String(repeating: " ", count: indent + 2)
        return "{\n" + lines(parts, indent: indent + 2).map { blank + $0 }.joined(separator: ",\n") + "\n"
            + String(repeating: " ", count: indent) + "}"
    }

    /// Entries of a list share lines; named ones and long ones stand alone.
    private func lines(_ parts: [String], indent: Int) -> [String] {
        var lines: [String] = []
        var joins = false
        for part in parts {
            let short = part.count <= 20 && !part.contains("=") && !part.contains("\n")
            if short, joins, let last = lines.last, last.count + part.count + 2 + indent < width {
                lines[lines.count - 1] = last + ", " + part
            } else {
                lines.append(part)
            }
            joins = short
        }
        return lines
    }

    /// Nothing for the list part, `name = ` or `[key] = `; the key is on top of the stack and stays there.
    private func keyText(_ state: LuaState, _ L: OpaquePointer, position: Int) -> String {
        switch lua_type(L, -1) {
        case LUA_TNUMBER where lua_isinteger(L, -1) != 0 && Int(bss_lua_integer(L, -1)) == position: return ""
        case LUA_TSTRING:
            let name = state.string(at: -1, on: L)
            let isName = name.utf8.enumerated().allSatisfy { i, c in
                c == 95 || (65...90).contains(c) || (97...122).contains(c) || (i > 0 && (48...57).contains(c))
            }
            return isName && !name.isEmpty ? "\(name) = " : "[\(quoted(name))] = "
        case LUA_TNUMBER, LUA_TBOOLEAN: return "[\(state.text(at: -1, on: L))] = "
        case let type: return "[\(String(cString: lua_typename(L, type)))] = "
        }
    }

    private func quoted(_ text: String) -> String {
        let shown = text.count > 400 ? String(text.prefix(400)) + "…" : text
        return Text.shown(JSON.text(.string(shown)))
    }
}

extension LuaState {
    /// The value at `index` as `tostring` gives it.
    func text(at index: Int32, on L: OpaquePointer) -> String {
        var length = 0
        bss_lua_push_text(L, index, &length)
        defer { bss_lua_pop(L, 1) }
        return string(at: -1, on: L)
    }
}
