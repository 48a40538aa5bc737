import BSSCore
import CBSSLua

/// A Lua value held as it is, not converted: what the prompt prints, keeps as `_` and completes on.
public final class LuaValue: LuaReference {
    public let type: String

    /// Takes the value on top of the stack.
    override init(_ state: LuaState, on L: OpaquePointer) {
        type = String(cString: lua_typename(L, lua_type(L, -1)))
        super.init(state, on: L)
    }
}

extension LuaState {
    /// Each value as `tostring` gives it.
    public func texts(_ values: [Value]) throws -> [String] {
        try balanced { L in
            try values.map { value in
                try push(value, on: L)
                defer { bss_lua_pop(L, 1) }
                return text(at: -1, on: L)
            }
        }
    }

    /// `body` with the value as Lua holds it.
    public func withValue<T>(_ value: Value, _ body: (LuaValue) throws -> T) throws -> T {
        let held = try balanced { L in
            try push(value, on: L)
            return LuaValue(self, on: L)
        }
        return try body(held)
    }

    /// Writes a line through the script's `print`.
    public func printLine(_ text: String) throws {
        try balanced { L in
            bss_lua_push_globals(L)
            bss_lua_raw_get(L, -1, "print")
            push(text, on: L)
            try protectedCall(arguments: 1, results: 0, on: L)
        }
    }

    /// Calls a chunk and keeps its results unconverted.
    /// - Throws: `BSSError` with the script's traceback.
    public func evaluate(_ function: LuaFunction) throws -> [LuaValue] {
        try balanced { L in
            function.push(on: L)
            let base = lua_gettop(L) - 1
            try protectedCall(arguments: 0, results: LUA_MULTRET, on: L)
            guard lua_checkstack(L, 8) != 0 else { throw BSSError("", "too many results") }
            return (0..<(lua_gettop(L) - base)).map { index in
                lua_pushvalue(L, base + 1 + index)
                return LuaValue(self, on: L)
            }
        }
    }

    /// Calls a chunk and forgets its results; for timing.
    public func run(_ function: LuaFunction) throws {
        try balanced { L in
            function.push(on: L)
            try protectedCall(arguments: 0, results: 0, on: L)
        }
    }

    public func setGlobal(_ name: String, _ value: LuaValue) throws {
        try balanced { L in
            bss_lua_push_globals(L)
            value.push(on: L)
            bss_lua_raw_set(L, -2, name)
        }
    }

    /// Sets `table[position]` of a global table, without metamethods; what is no table stays as it is.
    public func setElement(of table: String, _ position: Int, _ value: LuaValue?) throws {
        try balanced { L in
            bss_lua_push_globals(L)
            guard bss_lua_raw_get(L, -1, table) == LUA_TTABLE else { return }
            lua_pushinteger(L, lua_Integer(position))
            if let value { value.push(on: L) } else { lua_pushnil(L) }
            lua_rawset(L, -3)
        }
    }

    /// Names of all globals, sorted; raw access.
    public var globalNames: [String] { globalNames(on: L) }

    /// Removes a global.
    public func removeGlobal(_ name: String) throws { try setGlobal(name, .null) }

    /// The declaration behind a function that Swift made.
    public func declaration(of function: LuaFunction) -> (function: Function, path: String)? {
        // Only a full stack throws: then there is no declaration to be seen.
        (try? balanced { L in
            function.push(on: L)
            return declaration(at: -1, on: L)
        }) ?? nil
    }

    /// The namespace behind a closed table.
    public func namespace(of value: LuaValue) -> (namespace: Namespace, path: String)? {
        // Only a full stack throws: then there is no namespace to be seen.
        (try? balanced { L in
            value.push(on: L)
            return lua_topointer(L, -1).flatMap { namespaces[UnsafeRawPointer($0)] }
        }) ?? nil
    }

    /// The host object behind a userdata.
    public func object(of value: LuaValue) -> (any HostObject)? {
        // Only a full stack throws: then there is no host object to be seen.
        (try? balanced { L in
            value.push(on: L)
            return hostObject(at: -1, on: L)
        }) ?? nil
    }

    /// The function behind a value.
    public func function(of value: LuaValue) -> LuaFunction? {
        guard value.type == "function" else { return nil }
        // Only a full stack throws: then there is no function to be seen.
        return try? balanced { L in
            value.push(on: L)
            return LuaFunction(self, on: L)
        }
    }
}
