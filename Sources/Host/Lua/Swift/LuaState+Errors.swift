import BSSCore
import CBSSLua

/// A `BSSError` as scripts see it: a value with fields, whose text is the sentence.
final class ErrorObject: HostObject {
    var error: BSSError
    init(_ error: BSSError) { self.error = error }

    var objectType: ObjectType { ErrorObject.type }
    var summary: String { error.located }

    private static let type = ObjectType(
        "error", help: "An error raised by the host; tostring(e) is the sentence.",
        properties: [
            Property("message", "what was expected and what came") { (e: ErrorObject) in .string(e.error.message) },
            Property("operation", "the function that failed") { (e: ErrorObject) in .string(e.error.operation) },
            Property("hint", "what to try, or nil") { (e: ErrorObject) in e.error.hint.map(Value.string) ?? .null },
            Property("position", "file:line of the script, or nil") { (e: ErrorObject) in
                e.error.position.map(Value.string) ?? .null
            },
            Property("traceback", "the script's frames, one a line") { (e: ErrorObject) in
                .string(e.error.traceback ?? "")
            },
            Property("kind", "usage, runtime, data, device, output or cancelled") { (e: ErrorObject) in
                .string("\(e.error.kind)")
            },
        ],
        operators: ["__concat": { operands in .string(operands.map(text).joined()) }])

    private static func text(_ value: Value) -> String {
        switch value {
        case .object(let object): return object.summary
        case .string(let s): return s
        default: return JSON.lua(value)
        }
    }
}

extension LuaState {
    /// Pushes what a Swift callback threw; -1 for the trampoline.
    func pushError(_ thrown: any Error, on L: OpaquePointer) -> Int32 {
        _ = lua_checkstack(L, 12)
        var error = BSSError.of(thrown)
        if let value = error.payload as? LuaReference, value.lifeline === lifeline {
            value.push(on: L)  // the script's own value comes back as it was
            return -1
        }
        if error.position == nil {
            luaL_where(L, 1)
            let place = string(at: -1, on: L)
            bss_lua_pop(L, 1)
            error.position = place.hasSuffix(": ") ? String(place.dropLast(2)) : place
        }
        if error.traceback == nil {
            bss_lua_push_traceback(L, 1)
            error.traceback = string(at: -1, on: L)
            bss_lua_pop(L, 1)
        }
        push(ErrorObject(error), on: L)
        return -1
    }

    /// Pops the error value of a failed protected call and turns it into the error that Swift knows.
    func takeError(on L: OpaquePointer, status: Int32) -> BSSError {
        bss_lua_take_traceback(L)
        let frames = lua_type(L, -1) == LUA_TSTRING ? string(at: -1, on: L) : ""
        bss_lua_pop(L, 1)
        defer { bss_lua_pop(L, 1) }
        if let object = hostObject(at: -1, on: L) as? ErrorObject {
            var error = object.error
            if error.kind == .cancelled && error.operation.isEmpty || error.traceback == nil {
                error.traceback = frames
            }
            return error
        }
        var length = 0
        bss_lua_push_text(L, -1, &length)
        let text = string(at: -1, on: L)
        bss_lua_pop(L, 1)
        let isText = lua_type(L, -1) == LUA_TSTRING
        var error = BSSError("", isText ? text : lua_type(L, -1) == LUA_TNIL ? "error(nil)" : "error value: \(text)")
        error.position = ""
        error.traceback = frames
        if isText { error.hint = forgottenCall(text) ?? Habits.hint(running: text) }
        if !isText {
            lua_pushvalue(L, -1)
            error.payload = LuaReference(self, on: L)
        }
        return error
    }

    /// `attempt to index a function value (field 'shape')`: a method was not called.
    private func forgottenCall(_ message: String) -> String? {
        guard let start = message.range(of: "a function value (field '")?.upperBound,
            let end = message[start...].firstIndex(of: "'"), methodNames.contains(String(message[start..<end]))
        else { return nil }
        return "\(message[start..<end]) is a method: write x:\(message[start..<end])()"
    }
}
