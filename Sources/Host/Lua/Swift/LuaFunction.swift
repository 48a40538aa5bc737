import BSSCore
import CBSSLua

/// A Lua value in the registry, kept alive by Swift.
public class LuaReference {
    let lifeline: Lifeline
    let reference: Int32

    /// Takes the value on top of the stack.
    init(_ state: LuaState, on L: OpaquePointer) {
        lifeline = state.lifeline
        reference = bss_lua_ref(L)
    }

    deinit { lifeline.retire(reference) }

    func push(on L: OpaquePointer) { bss_lua_push_ref(L, reference) }
}

/// A Lua function held by Swift: callable as long as its state lives.
public final class LuaFunction: LuaReference, Callable {
    public let definition: String

    /// Takes the function on top of the stack.
    override init(_ state: LuaState, on L: OpaquePointer) {
        definition = state.place(ofFunctionAt: -1, on: L)
        super.init(state, on: L)
    }

    /// - Throws: the error raised inside, with the script's traceback.
    public func call(_ arguments: [Value]) throws -> [Value] {
        guard let state = lifeline.state else { throw BSSError("lua", "the function's state is closed") }
        return try state.balanced { L in
            push(on: L)
            for argument in arguments {
                guard lua_checkstack(L, 8) != 0 else { throw BSSError("lua", "too many arguments") }
                try state.push(argument, on: L)
            }
            return try state.call(arguments: Int32(arguments.count), on: L)
        }
    }
}

extension LuaState {
    /// `file:line`, or `[C]` for a function of the host.
    func place(ofFunctionAt index: Int32, on L: OpaquePointer) -> String {
        var frame = lua_Debug()
        lua_pushvalue(L, index)
        guard lua_getinfo(L, ">S", &frame) != 0, frame.linedefined >= 0 else { return "[C]" }
        let source = String(cString: frame.source)
        let name =
            source.hasPrefix("@")
            ? String(source.dropFirst()) : source.hasPrefix("=") ? String(source.dropFirst()) : "text"
        return "\(name):\(max(1, frame.linedefined))"
    }
}
