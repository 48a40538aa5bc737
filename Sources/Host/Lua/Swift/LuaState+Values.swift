import BSSCore
import CBSSLua
import Glibc

/// A Lua value that has no plain form; the caller adds the operation.
struct ConversionFailure: Error {
    /// `[3]`, `.name`: from the outermost table inwards.
    var steps: [String] = []
    let problem: String

    /// All steps of a short path, both ends of a long one.
    var path: String {
        steps.count <= 8 ? steps.joined() : steps.prefix(4).joined() + "…" + steps.suffix(2).joined()
    }

    func error(_ operation: String, argument: Int) -> BSSError {
        BSSError(operation, "argument \(argument)\(path) \(problem)", kind: .usage)
    }
}

extension LuaState {
    /// Tables nested deeper than this do not cross.
    static let maximumDepth = 100

    // MARK: Lua to Swift

    /// - Throws: `BSSError` for values without a plain form (coroutines, foreign userdata, cycles, odd keys).
    func value(at index: Int32, on L: OpaquePointer) throws -> Value {
        do { return try convert(lua_absindex(L, index), on: L, ancestors: []) } catch let failure as ConversionFailure {
            throw BSSError("lua", "value\(failure.path) \(failure.problem)", kind: .usage)
        }
    }

    /// The values at 'first' … top, as arguments of `operation`.
    func arguments(from first: Int32, on L: OpaquePointer, operation: String) throws -> [Value] {
        let count = lua_gettop(L) - first + 1
        guard count > 0 else { return [] }
        guard lua_checkstack(L, 8) != 0 else { throw BSSError(operation, "stack overflow") }
        var values: [Value] = []
        values.reserveCapacity(Int(count))
        for i in 0..<count {
            do { values.append(try convert(first + i, on: L, ancestors: [])) } catch let failure as ConversionFailure {
                throw failure.error(operation, argument: Int(i) + 1)
            }
        }
        return values
    }

    private func convert(_ index: Int32, on L: OpaquePointer, ancestors: [UnsafeRawPointer]) throws -> Value {
        switch lua_type(L, index) {
        case LUA_TNIL, LUA_TNONE: return .null
        case LUA_TBOOLEAN: return .bool(lua_toboolean(L, index) != 0)
        case LUA_TNUMBER:
            return lua_isinteger(L, index) != 0
                ? .int(Int(bss_lua_integer(L, index))) : .number(bss_lua_number(L, index))
        case LUA_TSTRING: return .string(string(at: index, on: L))
        case LUA_TTABLE: return .table(try table(index, on: L, ancestors: ancestors))
        case LUA_TFUNCTION:
            lua_pushvalue(L, index)
            return .function(LuaFunction(self, on: L))
        case LUA_TUSERDATA: return .object(try object(index, on: L))
        default:
            throw ConversionFailure(
                problem: "is a \(String(cString: lua_typename(L, lua_type(L, index)))), which the engine cannot take")
        }
    }

    private func object(_ index: Int32, on L: OpaquePointer) throws -> any HostObject {
        var box: UnsafeMutableRawPointer?
        let status = bss_lua_object(L, index, &box)
        if status == Int32(BSS_LUA_OBJECT), let box {
            return Unmanaged<ObjectBox>.fromOpaque(box).takeUnretainedValue().object
        }
        switch status {
        case Int32(BSS_LUA_FREED): throw ConversionFailure(problem: "was freed")
        default: throw ConversionFailure(problem: "is a foreign userdata, which the engine cannot take")
        }
    }

    private func table(_ index: Int32, on L: OpaquePointer, ancestors: [UnsafeRawPointer]) throws -> Table {
        guard let address = lua_topointer(L, index).map({ UnsafeRawPointer($0) }) else {
            throw ConversionFailure(problem: "is no table")
        }
        if let (_, path) = namespaces[address] {
            throw ConversionFailure(problem: "is the namespace \(path), not a value")
        }
        if ancestors.contains(address) { throw ConversionFailure(problem: "contains itself") }
        if ancestors.count >= LuaState.maximumDepth {
            throw ConversionFailure(problem: "is nested deeper than \(LuaState.maximumDepth) levels")
        }
        guard lua_checkstack(L, 6) != 0 else { throw ConversionFailure(problem: "is nested too deeply") }
        let inner = ancestors + [address]
        let length = Int(lua_rawlen(L, index))
        var items: [Value] = []
        items.reserveCapacity(length)
        for i in 0..<length {
            let type = lua_rawgeti(L, index, lua_Integer(i + 1))
            defer { bss_lua_pop(L, 1) }
            if type == LUA_TNUMBER {  // the common case of long lists
                items.append(
                    lua_isinteger(L, -1) != 0 ? .int(Int(bss_lua_integer(L, -1))) : .number(bss_lua_number(L, -1)))
                continue
            }
            if type == LUA_TNIL {
                throw ConversionFailure(problem: "has a hole: position \(i + 1) of \(length) is nil")
            }
            do { items.append(try convert(lua_gettop(L), on: L, ancestors: inner)) } catch var failure
                as ConversionFailure
            {
                failure.steps.insert("[\(i + 1)]", at: 0)
                throw failure
            }
        }
        return Table(items: items, fields: try fields(index, on: L, listed: length, ancestors: inner))
    }

    /// The fields beyond the list part, sorted by name: the order of a Lua table differs from run to run.
    private func fields(
        _ index: Int32, on L: OpaquePointer, listed: Int, ancestors: [UnsafeRawPointer]
    ) throws -> [(String, Value)] {
        var found: [(String, Value)] = []
        lua_pushnil(L)
        while lua_next(L, index) != 0 {
            switch lua_type(L, -2) {
            case LUA_TSTRING:
                let key = string(at: -2, on: L)
                do { found.append((key, try convert(lua_gettop(L), on: L, ancestors: ancestors))) } catch var failure
                    as ConversionFailure
                {
                    bss_lua_pop(L, 2)
                    failure.steps.insert(".\(key)", at: 0)
                    throw failure
                }
            case LUA_TNUMBER
            where lua_isinteger(L, -2) != 0 && (1...max(1, listed)).contains(Int(bss_lua_integer(L, -2))) && listed > 0:
                break
            case let type:
                let number = type == LUA_TNUMBER ? " " + Text.number(bss_lua_number(L, -2)) : ""
                let name = String(cString: lua_typename(L, type))
                bss_lua_pop(L, 2)
                throw ConversionFailure(
                    problem: "has the key \(name)\(number); only 1, 2, 3 … and names can be used")
            }
            bss_lua_pop(L, 1)
        }
        return found.sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
    }

    // MARK: Swift to Lua

    /// - Throws: for tables nested too deeply.
    func push(_ value: Value, on L: OpaquePointer, depth: Int = 0) throws {
        switch value {
        case .null: lua_pushnil(L)
        case .bool(let b): lua_pushboolean(L, b ? 1 : 0)
        case .int(let i): lua_pushinteger(L, lua_Integer(i))
        case .number(let d): lua_pushnumber(L, d)
        case .string(let s): push(s, on: L)
        case .object(let o): push(o, on: L)
        case .function(let f): push(f, on: L)
        case .table(let t):
            guard depth < LuaState.maximumDepth, lua_checkstack(L, 8) != 0 else {
                throw BSSError("lua", "a table is nested deeper than \(LuaState.maximumDepth) levels")
            }
            lua_createtable(L, Int32(clamping: t.items.count), Int32(clamping: t.keys.count))
            for (i, item) in t.items.enumerated() {
                try push(item, on: L, depth: depth + 1)
                lua_rawseti(L, -2, lua_Integer(i + 1))
            }
            for (key, item) in t.fields {
                push(key, on: L)
                try push(item, on: L, depth: depth + 1)
                lua_rawset(L, -3)
            }
            if let noun = t.closedAs { close(noun, t.keys, on: L) }
        }
    }

    /// Reading a field that the table on top of the stack has not is an error, unless strictness is switched off.
    private func close(_ noun: String, _ names: [String], on L: OpaquePointer) {
        bss_lua_new_table(L)
        push(
            ClosureEntry(self) { state, L in
                lua_pushnil(L)
                guard state.strict?.isOn == true, lua_type(L, 2) == LUA_TSTRING else { return 1 }
                let name = state.string(at: 2, on: L)
                let near = Text.nearest(to: name, in: names).map { "did you mean '\($0)'?" }
                let known = names.isEmpty ? "there are none" : "known: \(names.joined(separator: ", "))"
                throw BSSError(noun, "there is no '\(name)'", hint: near ?? known, kind: .usage)
            }, on: L)
        bss_lua_raw_set(L, -2, "__index")
        lua_setmetatable(L, -2)
    }

    func push(_ values: [Value], on L: OpaquePointer) throws -> Int32 {
        guard lua_checkstack(L, Int32(clamping: values.count + 8)) != 0 else {
            throw BSSError("lua", "too many results (\(values.count))")
        }
        for value in values { try push(value, on: L) }
        return Int32(values.count)
    }

    private func push(_ function: any Callable, on L: OpaquePointer) {
        if let own = function as? LuaFunction, own.lifeline === lifeline {
            own.push(on: L)
        } else {
            push(
                ClosureEntry(self) { state, L in
                    try state.push(
                        try function.call(state.arguments(from: 1, on: L, operation: function.definition)), on: L)
                }, on: L)
        }
    }

    // MARK: Strings
    //
    // Lua strings are bytes, Swift strings are Unicode. Bytes that are not UTF-8 travel as scalars of a private
    // plane (U+10FE00 + byte), as Python's surrogateescape does, so that every string comes back unchanged.

    func string(at index: Int32, on L: OpaquePointer) -> String {
        var length = 0
        guard let bytes = bss_lua_bytes(L, index, &length) else { return "" }
        let buffer = UnsafeRawBufferPointer(start: bytes, count: length)
        if memchr(bytes, 0xF4, length) == nil, let valid = String(validating: buffer, as: UTF8.self) { return valid }
        return LuaState.escaped(buffer)
    }

    private static func escaped(_ bytes: UnsafeRawBufferPointer) -> String {
        var out = ""
        var at = 0
        while at < bytes.count {
            let length = bytes[at] < 0x80 ? 1 : bytes[at] < 0xE0 ? 2 : bytes[at] < 0xF0 ? 3 : 4
            let piece = UnsafeRawBufferPointer(rebasing: bytes[at..<min(at + length, bytes.count)])
            if let valid = String(validating: piece, as: UTF8.self), let first = valid.unicodeScalars.first,
                !isEscape(first)
            {
                out += valid
                at += piece.count
            } else {
                // U+10FE00 … U+10FEFF are scalars, all of them.
                UnicodeScalar(0x10FE00 + UInt32(bytes[at])).map { out.unicodeScalars.append($0) }
                at += 1
            }
        }
        return out
    }

    private static func isEscape(_ scalar: UnicodeScalar) -> Bool { (0x10FE80...0x10FEFF).contains(scalar.value) }

    func push(_ text: String, on L: OpaquePointer) {
        var text = text
        text.withUTF8 { utf8 in
            guard let start = utf8.baseAddress, memchr(start, 0xF4, utf8.count) != nil else {
                utf8.withMemoryRebound(to: CChar.self) { _ = lua_pushlstring(L, $0.baseAddress, $0.count) }
                return
            }
            var bytes: [UInt8] = []
            for scalar in String(decoding: utf8, as: UTF8.self).unicodeScalars {
                if LuaState.isEscape(scalar) {
                    bytes.append(UInt8(scalar.value & 0xFF))
                } else {
                    bytes += Array(String(Character(scalar)).utf8)
                }
            }
            bytes.withUnsafeBytes {
                _ = lua_pushlstring(L, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
            }
        }
    }
}
