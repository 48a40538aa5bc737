import BSSCore
import CBSSLua

/// Globals of scripts: reading an unknown name is an error, creating one inside a function a warning.
///
/// Deviation from `lua`: there both are silent, and a misspelt variable is nil. `--no-strict` switches this off.
final class StrictGlobals {
    private var declared: Set<String> = []
    private var warned: Set<String> = []
    var isOn = true
    /// A cell's function: its top level may create globals, as a main chunk may.
    var mainChunk: UnsafeRawPointer?

    /// Names that other Lua versions define: programs ask for them to find out where they run. And a prompt's
    /// last results, nil before the first.
    private static let otherVersions: Set<String> = [
        "unpack", "loadstring", "setfenv", "getfenv", "module", "jit", "bit", "bit32", "newproxy", "gcinfo", "ffi",
        "arg", "_PROMPT", "_PROMPT2", "_ENV", "_", "_2", "_3",
    ]

    func install(in state: LuaState) {
        let L = state.main
        bss_lua_push_globals(L)
        bss_lua_new_table(L)
        state.push(ClosureEntry(state) { [self] state, L in try read(state, L) }, on: L)
        bss_lua_raw_set(L, -2, "__index")
        state.push(ClosureEntry(state) { [self] state, L in try write(state, L) }, on: L)
        bss_lua_raw_set(L, -2, "__newindex")
        lua_setmetatable(L, -2)
        bss_lua_pop(L, 1)
    }

    private func read(_ state: LuaState, _ L: OpaquePointer) throws -> Int32 {
        lua_pushnil(L)
        guard isOn, lua_type(L, 2) == LUA_TSTRING else { return 1 }
        let name = state.string(at: 2, on: L)
        if declared.contains(name) || StrictGlobals.otherVersions.contains(name) { return 1 }
        if let meant = Habits.names[name] { throw BSSError("", "undeclared variable '\(name)'", hint: meant) }
        let near = Text.nearest(to: name, in: state.globalNames(on: L)).map { "did you mean '\($0)'?" }
        throw BSSError("", "undeclared variable '\(name)'", hint: near)
    }

    private func isMainChunk(_ frame: inout lua_Debug, _ L: OpaquePointer) -> Bool {
        guard let mainChunk, lua_getinfo(L, "f", &frame) != 0 else { return false }
        defer { bss_lua_pop(L, 1) }
        return UnsafeRawPointer(lua_topointer(L, -1)) == mainChunk
    }

    private func write(_ state: LuaState, _ L: OpaquePointer) throws -> Int32 {
        if lua_type(L, 2) == LUA_TNIL { throw BSSError("", "index is nil") }
        if lua_type(L, 2) == LUA_TNUMBER, bss_lua_number(L, 2).isNaN { throw BSSError("", "index is NaN") }
        if lua_type(L, 2) == LUA_TSTRING {
            let name = state.string(at: 2, on: L)
            var frame = lua_Debug()
            if isOn, !declared.contains(name), lua_getstack(L, 1, &frame) != 0, lua_getinfo(L, "S", &frame) != 0,
                String(cString: frame.what) == "Lua", !isMainChunk(&frame, L), warned.insert(name).inserted
            {
                luaL_where(L, 1)
                let place = state.string(at: -1, on: L)
                bss_lua_pop(L, 1)
                Terminal.error("bss-lua: warning: \(place)a function creates the global '\(name)' (local \(name)?)\n")
            }
            declared.insert(name)
        }
        lua_settop(L, 3)
        lua_rawset(L, 1)
        return 0
    }
}

extension LuaState {
    /// Names of the global table, sorted.
    func globalNames(on L: OpaquePointer) -> [String] {
        guard lua_checkstack(L, 8) != 0 else { return [] }
        var names: [String] = []
        bss_lua_push_globals(L)
        lua_pushnil(L)
        while lua_next(L, -2) != 0 {
            if lua_type(L, -2) == LUA_TSTRING { names.append(string(at: -2, on: L)) }
            bss_lua_pop(L, 1)
        }
        bss_lua_pop(L, 1)
        return names.sorted()
    }
}
