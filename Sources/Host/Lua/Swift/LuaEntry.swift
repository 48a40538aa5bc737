import BSSCore
import CBSSLua

/// Something in Swift that Lua can call. Lua owns it; the C trampoline raises what `invoke` throws.
class LuaEntry {
    /// The state outlives its entries.
    unowned(unsafe) let state: LuaState
    init(_ state: LuaState) { self.state = state }

    /// Reads its arguments from the stack, pushes results, returns their number.
    func invoke(_ L: OpaquePointer) throws -> Int32 { 0 }
}

/// A declared function.
final class FunctionEntry: LuaEntry {
    let function: Function
    let path: String

    init(_ state: LuaState, _ function: Function, path: String) {
        self.function = function
        self.path = path
        super.init(state)
    }

    override func invoke(_ L: OpaquePointer) throws -> Int32 {
        try state.push(function.call(state.arguments(from: 1, on: L, operation: path), path: path), on: L)
    }
}

/// A declared method; the C side has checked that the first argument is an object of the type.
final class MethodEntry: LuaEntry {
    let function: Function
    let path: String

    init(_ state: LuaState, _ function: Function, path: String) {
        self.function = function
        self.path = path
        super.init(state)
    }

    override func invoke(_ L: OpaquePointer) throws -> Int32 {
        let object = try state.receiver(on: L)
        do {
            let given = try state.arguments(from: 2, on: L, operation: path)
            return try state.push(function.call(given, receiver: object, path: path), on: L)
        } catch var error as BSSError where error.kind == .usage && error.hint == nil && MethodEntry.isField(L) {
            error.hint = "methods are called with a colon: x:\(function.name)(…)"
            throw error
        }
    }

    /// `x.method(y)` called it: the first argument became the receiver.
    private static func isField(_ L: OpaquePointer) -> Bool {
        var frame = lua_Debug()
        guard lua_getstack(L, 0, &frame) != 0, lua_getinfo(L, "n", &frame) != 0, let how = frame.namewhat else {
            return false
        }
        return String(cString: how) == "field"
    }
}

/// A metamethod of an object type.
final class OperatorEntry: LuaEntry {
    let name: String
    let isUnary: Bool
    let body: ([Value]) throws -> Value

    init(_ state: LuaState, _ name: String, _ body: @escaping ([Value]) throws -> Value) {
        self.name = name
        self.body = body
        isUnary = ["__len", "__unm", "__bnot"].contains(name)
        super.init(state)
    }

    override func invoke(_ L: OpaquePointer) throws -> Int32 {
        if isUnary { lua_settop(L, 1) }  // Lua passes the operand twice
        try state.push(body(state.arguments(from: 1, on: L, operation: name)), on: L)
        return 1
    }
}

/// Hand-written stack code, for the host itself.
final class ClosureEntry: LuaEntry {
    let body: (LuaState, OpaquePointer) throws -> Int32
    init(_ state: LuaState, _ body: @escaping (LuaState, OpaquePointer) throws -> Int32) {
        self.body = body
        super.init(state)
    }
    override func invoke(_ L: OpaquePointer) throws -> Int32 { try body(state, L) }
}

extension LuaState {
    func push(_ entry: LuaEntry, on L: OpaquePointer) {
        bss_lua_push_entry(L, Unmanaged.passRetained(entry).toOpaque())
    }

    /// Pushes a declared function; two-number functions get the direct path.
    func push(_ function: Function, path: String, on L: OpaquePointer) {
        let entry = FunctionEntry(self, function, path: path)
        if let numeric = function.numeric {
            bss_lua_push_numeric_entry(L, Unmanaged.passRetained(entry).toOpaque(), numeric)
        } else {
            push(entry, on: L)
        }
    }

    /// The declaration behind a Lua function at `index`, if Swift made it.
    func declaration(at index: Int32, on L: OpaquePointer) -> (function: Function, path: String)? {
        guard let pointer = bss_lua_entry(L, index) else { return nil }
        switch Unmanaged<LuaEntry>.fromOpaque(pointer).takeUnretainedValue() {
        case let entry as FunctionEntry: return (entry.function, entry.path)
        case let entry as MethodEntry: return (entry.function, entry.path)
        default: return nil
        }
    }
}
