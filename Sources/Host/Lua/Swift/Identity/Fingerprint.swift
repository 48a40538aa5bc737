import BSSCore
import CBSSLua

/// What the functions of a configuration do: their code, the local and global variables that they use, and those of the
/// functions that these call in turn, each by hash. Two fingerprints are equal when the functions would compute the
/// same; where they differ, the variables that changed have names.
public struct Fingerprint {
    public internal(set) var pieces: [(name: String, hash: String)] = []
    public var isEmpty: Bool { pieces.isEmpty }

    /// By name; several of one name together.
    public var table: Table {
        var table = Table()
        for (name, hash) in pieces { table[name] = .string((table[name]?.string ?? "") + hash) }
        return Table(fields: table.fields.map { ($0.key, .string(SHA256.hex($0.value.string ?? ""))) })
    }

    /// Names of what differs.
    public func changes(since earlier: Fingerprint) -> [String] {
        let (own, other) = (table, earlier.table)
        return Set(own.keys).union(other.keys).filter { own[$0]?.string != other[$0]?.string }.sorted()
    }
}

extension LuaState {
    /// The functions in a configuration, whether they stand in it or belong to its parts.
    /// - Throws: values nested too deeply; what an object throws that cannot say what it is.
    public func fingerprint(_ configuration: Table) throws -> Fingerprint {
        try balanced { L in
            var walk = FingerprintWalk(state: self, L: L)
            for (key, value) in configuration.fields { try walk.configured(value, key) }
            return walk.result
        }
    }

    /// Names of globals that are the host's own: they are not looked into. Functions of the libraries are known by
    /// name.
    func recordStandardGlobals() {
        bss_lua_push_globals(main)
        recordFunctions(under: "")
        bss_lua_pop(main, 1)
        standardGlobals.remove("arg")
    }

    /// Of the table on top of the stack, and of those in it.
    private func recordFunctions(under path: String) {
        let L = main
        lua_pushnil(L)
        while lua_next(L, -2) != 0 {
            defer { bss_lua_pop(L, 1) }
            guard lua_type(L, -2) == LUA_TSTRING else { continue }
            let name = string(at: -2, on: L)
            if path.isEmpty { standardGlobals.insert(name) }
            let address = UnsafeRawPointer(lua_topointer(L, -1))
            if lua_iscfunction(L, -1) != 0, let address {
                standardFunctions[address] = standardFunctions[address] ?? path + name
            } else if path.isEmpty, lua_type(L, -1) == LUA_TTABLE, !ValueHash.isGlobals(L, -1), let address,
                namespaces[address] == nil
            {
                recordFunctions(under: name + ".")
            }
        }
    }
}

/// One pass over functions and what they reach.
private struct FingerprintWalk {
    let state: LuaState
    let L: OpaquePointer
    var result = Fingerprint()
    private var functions: Set<UnsafeRawPointer> = []
    private var depth = 0

    init(state: LuaState, L: OpaquePointer) { (self.state, self.L) = (state, L) }

    mutating func configured(_ value: Value, _ name: String) throws {
        switch value {
        case .function(let function):
            guard let own = function as? LuaFunction else { return }
            own.push(on: L)
            try variable(name)
        case .table(let table):
            for (i, item) in table.items.enumerated() { try configured(item, "\(name)[\(i + 1)]") }
            for (key, item) in table.fields { try configured(item, "\(name).\(key)") }
        case .object(let object):
            if let part = object as? any ConfiguredObject { try configured(.table(part.configuration), name) }
            result.pieces.append((name, CanonicalText.hash(try object.identityData())))
        default: break
        }
    }

    /// The value on top of the stack, which is popped.
    private mutating func variable(_ name: String) throws {
        depth += 1
        defer {
            bss_lua_pop(L, 1)
            depth -= 1
        }
        guard depth < ValueHash.deepest, lua_checkstack(L, 12) != 0 else {
            throw BSSError(
                "identity", "a callback reaches more than \(ValueHash.deepest) functions, each through the one before",
                kind: .usage)
        }
        guard lua_type(L, -1) == LUA_TFUNCTION, lua_iscfunction(L, -1) == 0 else {
            var hash = ValueHash(state: state, L: L)
            try hash.add(lua_gettop(L), depth: 0)
            result.pieces.append((name, hash.finish()))
            return
        }
        let dump = FunctionDump(on: L)
        result.pieces.append((name, dump.hash))
        guard let address = lua_topointer(L, -1), functions.insert(UnsafeRawPointer(address)).inserted else { return }
        var i: Int32 = 1
        while let upvalue = lua_getupvalue(L, -1, i) {
            if ValueHash.isGlobals(L, -1) {
                bss_lua_pop(L, 1)
                try globals(dump.texts)
            } else {
                try variable(String(cString: upvalue))
            }
            i += 1
        }
    }

    private mutating func globals(_ names: Set<String>) throws {
        for name in names.subtracting(state.standardGlobals).sorted() {
            bss_lua_push_globals(L)
            let type = bss_lua_raw_get(L, -1, name)
            bss_lua_remove(L, -2)
            if type == LUA_TNIL { bss_lua_pop(L, 1) } else { try variable(name) }
        }
    }
}

/// SHA-256 of a Lua value and all it reaches: tables by sorted keys, functions by code and variables, host objects by
/// what they say of themselves. What occurs again is named by its number, so cycles end.
private struct ValueHash {
    static let deepest = 2000
    let state: LuaState
    let L: OpaquePointer
    private var hash = SHA256()
    private var seen: [UnsafeRawPointer: Int] = [:]

    init(state: LuaState, L: OpaquePointer) { (self.state, self.L) = (state, L) }

    mutating func finish() -> String { hash.finish() }

    static func isGlobals(_ L: OpaquePointer, _ index: Int32) -> Bool {
        guard lua_type(L, index) == LUA_TTABLE else { return false }
        let address = lua_topointer(L, index)
        bss_lua_push_globals(L)
        defer { bss_lua_pop(L, 1) }
        return lua_topointer(L, -1) == address
    }

    mutating func add(_ index: Int32, depth: Int) throws {
        guard depth < ValueHash.deepest, lua_checkstack(L, 12) != 0 else {
            throw BSSError(
                "identity", "a variable of a callback holds tables nested deeper than \(ValueHash.deepest) levels",
                kind: .usage)
        }
        switch lua_type(L, index) {
        case LUA_TNIL: hash.update("nil;")
        case LUA_TBOOLEAN: hash.update(lua_toboolean(L, index) != 0 ? "true;" : "false;")
        case LUA_TNUMBER:
            hash.update(
                lua_isinteger(L, index) != 0
                    ? "\(bss_lua_integer(L, index));" : "f\(bss_lua_number(L, index).bitPattern);")
        case LUA_TSTRING:
            var length = 0
            let text = bss_lua_bytes(L, index, &length)
            hash.update("\(length):")
            hash.update(UnsafeRawBufferPointer(start: text, count: length))
        case LUA_TTABLE: try table(index, depth)
        case LUA_TFUNCTION: try function(index, depth)
        case LUA_TUSERDATA: try object(index)
        default: hash.update(String(cString: lua_typename(L, lua_type(L, index))) + ";")
        }
    }

    /// True if the value was met before; its number is in the hash then.
    private mutating func isKnown(_ index: Int32) -> Bool {
        guard let address = lua_topointer(L, index).map({ UnsafeRawPointer($0) }) else { return false }
        if let number = seen[address] {
            hash.update("@\(number);")
            return true
        }
        seen[address] = seen.count
        return false
    }

    private mutating func table(_ index: Int32, _ depth: Int) throws {
        if ValueHash.isGlobals(L, index) { return hash.update("_G;") }
        if let address = lua_topointer(L, index), let (_, path) = state.namespaces[UnsafeRawPointer(address)] {
            return hash.update(path + ";")
        }
        guard !isKnown(index) else { return }
        hash.update("{")
        let listed = Int(lua_rawlen(L, index))
        for i in 0..<listed {
            lua_rawgeti(L, index, lua_Integer(i + 1))
            try add(lua_gettop(L), depth: depth + 1)
            bss_lua_pop(L, 1)
        }
        // Keys by type and value; those that are objects come in no order of their own: each by its hash alone.
        var plain: [(key: String, push: (OpaquePointer) -> Void)] = []
        var others: [String] = []
        lua_pushnil(L)
        while lua_next(L, index) != 0 {
            let key = lua_gettop(L) - 1
            switch lua_type(L, key) {
            case LUA_TNUMBER where lua_isinteger(L, key) != 0:
                let number = bss_lua_integer(L, key)
                if !(1...max(1, listed)).contains(Int(number)) || listed == 0 {
                    plain.append(("i\(number)", { lua_pushinteger($0, number) }))
                }
            case LUA_TNUMBER:
                let number = bss_lua_number(L, key)
                plain.append(("f\(number.bitPattern)", { lua_pushnumber($0, number) }))
            case LUA_TBOOLEAN:
                let flag = lua_toboolean(L, key)
                plain.append(("b\(flag)", { lua_pushboolean($0, flag) }))
            case LUA_TSTRING:
                let text = state.string(at: key, on: L)
                plain.append(("s\(text)", { [state] in state.push(text, on: $0) }))
            default:
                var pair = ValueHash(state: state, L: L)
                pair.seen = seen
                try pair.add(key, depth: depth + 1)
                try pair.add(key + 1, depth: depth + 1)
                others.append(pair.finish())
            }
            bss_lua_pop(L, 1)
        }
        for (key, push) in plain.sorted(by: { $0.key < $1.key }) {
            hash.update("\(key.utf8.count):\(key)=")
            push(L)
            lua_rawget(L, index)
            try add(lua_gettop(L), depth: depth + 1)
            bss_lua_pop(L, 1)
        }
        for pair in others.sorted() { hash.update(pair) }
        if lua_getmetatable(L, index) != 0 {
            hash.update("meta")
            try add(lua_gettop(L), depth: depth + 1)
            bss_lua_pop(L, 1)
        }
        hash.update("}")
    }

    private mutating func function(_ index: Int32, _ depth: Int) throws {
        guard !isKnown(index) else { return }
        if lua_iscfunction(L, index) != 0 {
            let name = UnsafeRawPointer(lua_topointer(L, index)).flatMap { state.standardFunctions[$0] }
            return hash.update((state.declaration(at: index, on: L)?.path ?? name ?? "C") + ";")
        }
        lua_pushvalue(L, index)
        let dump = FunctionDump(on: L)
        bss_lua_pop(L, 1)
        hash.update("function \(dump.hash)(")
        var i: Int32 = 1
        while lua_getupvalue(L, index, i) != nil {
            if ValueHash.isGlobals(L, -1) {
                for name in dump.texts.subtracting(state.standardGlobals).sorted() {
                    if bss_lua_raw_get(L, -1, name) != LUA_TNIL {
                        hash.update(name + "=")
                        try add(lua_gettop(L), depth: depth + 1)
                    }
                    bss_lua_pop(L, 1)
                }
            } else {
                try add(lua_gettop(L), depth: depth + 1)
            }
            bss_lua_pop(L, 1)
            i += 1
        }
        hash.update(")")
    }

    private mutating func object(_ index: Int32) throws {
        guard !isKnown(index) else { return }
        guard let object = state.hostObject(at: index, on: L) else { return hash.update("userdata;") }
        hash.update("\(object.objectType.name) \(CanonicalText.hash(try object.identityData()));")
    }
}
