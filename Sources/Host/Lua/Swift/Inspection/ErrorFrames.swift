import BSSCore
import CBSSLua

/// A Lua function as an error found it.
public struct ErrorFrame {
    /// `file:line`
    public let place: String
    public let name: String
    /// Upvalues first; of equal names the last is the one that the code sees.
    public let locals: [(name: String, value: LuaValue)]
}

extension LuaState {
    /// Errors from now on leave their frames.
    public func keepFrames() { bss_lua_keep_frames(main) }

    /// Those of the last error, the innermost first.
    public func errorFrames() throws -> [ErrorFrame] {
        try balanced { L in
            bss_lua_push_frames(L)
            guard lua_type(L, -1) == LUA_TTABLE else { return [] }
            return (0..<Int(lua_rawlen(L, -1))).map { index in
                lua_rawgeti(L, -1, lua_Integer(index + 1))
                defer { bss_lua_pop(L, 1) }
                return frame(on: L)
            }
        }
    }

    private func frame(on L: OpaquePointer) -> ErrorFrame {
        func field(_ name: String) -> String {
            bss_lua_raw_get(L, -1, name)
            defer { bss_lua_pop(L, 1) }
            return string(at: -1, on: L)
        }
        let locals = (0..<Int(lua_rawlen(L, -1))).map { index in
            lua_rawgeti(L, -1, lua_Integer(index + 1))
            defer { bss_lua_pop(L, 1) }
            lua_rawgeti(L, -1, 1)
            let name = string(at: -1, on: L)
            bss_lua_pop(L, 1)
            lua_rawgeti(L, -1, 2)
            return (name: name, value: LuaValue(self, on: L))
        }
        return ErrorFrame(place: field("where"), name: field("name"), locals: locals)
    }

    /// Calls a function with values as Lua holds them.
    public func evaluate(_ function: LuaFunction, with arguments: [LuaValue]) throws -> LuaValue? {
        try balanced { L in
            guard lua_checkstack(L, Int32(arguments.count) + 8) != 0 else { throw BSSError("", "too many values") }
            function.push(on: L)
            for argument in arguments { argument.push(on: L) }
            try protectedCall(arguments: Int32(arguments.count), results: 1, on: L)
            return LuaValue(self, on: L)
        }
    }
}
