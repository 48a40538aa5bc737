import BSSCore
import CBSSLua

/// What a userdata holds: finding the object again needs no dynamic cast.
final class ObjectBox {
    let object: any HostObject
    init(_ object: any HostObject) { self.object = object }
}

extension LuaState {
    /// Pushes the object's userdata: always the same one while Lua holds it, so that `==` and table keys work.
    func push(_ object: any HostObject, on L: OpaquePointer) {
        let identity = UnsafeRawPointer(Unmanaged.passUnretained(object as AnyObject).toOpaque())
        if bss_lua_push_known(L, identity) { return }
        pushMetatable(of: object.objectType, on: L)
        let box = Unmanaged.passRetained(ObjectBox(object)).toOpaque()
        bss_lua_push_object(L, box, identity, max(0, object.byteCount), -1)
        bss_lua_remove(L, -2)
    }

    /// The object a method or `__index` was called on (checked by the C side).
    func receiver(on L: OpaquePointer) throws -> any HostObject {
        var box: UnsafeMutableRawPointer?
        guard bss_lua_object(L, 1, &box) == Int32(BSS_LUA_OBJECT), let box else {
            throw BSSError("", "the object was freed")
        }
        return Unmanaged<ObjectBox>.fromOpaque(box).takeUnretainedValue().object
    }

    /// The host object at `index`, if it is one.
    func hostObject(at index: Int32, on L: OpaquePointer) -> (any HostObject)? {
        var box: UnsafeMutableRawPointer?
        guard bss_lua_object(L, index, &box) == Int32(BSS_LUA_OBJECT), let box else { return nil }
        return Unmanaged<ObjectBox>.fromOpaque(box).takeUnretainedValue().object
    }

    private func pushMetatable(of type: ObjectType, on L: OpaquePointer) {
        if let reference = metatables[ObjectIdentifier(type)] {
            bss_lua_push_ref(L, reference)
            return
        }
        bss_lua_new_table(L)  // methods, filled as they are used
        bss_lua_new_table(L)  // the metatable
        bss_lua_push_index_entry(L, Unmanaged.passRetained(IndexEntry(self, type)).toOpaque(), -2)
        bss_lua_raw_set(L, -2, "__index")
        set(
            "__newindex",
            ClosureEntry(self) { state, L in
                let key = lua_type(L, 2) == LUA_TSTRING ? "'\(state.string(at: 2, on: L))'" : "a position"
                throw BSSError(type.name, "cannot set \(key): a \(type.name) is read-only")
            }, on: L)
        set(
            "__tostring",
            ClosureEntry(self) { state, L in
                state.push(try state.receiver(on: L).summary, on: L)
                return 1
            }, on: L)
        set("__pairs", ClosureEntry(self) { state, L in try state.pushPairs(of: type, on: L) }, on: L)
        for (name, body) in type.operators where name != "__gc" && name != "__close" && name != "__metatable" {
            set(name, OperatorEntry(self, name, body), on: L)
        }
        bss_lua_finish_metatable(L, type.name)
        bss_lua_remove(L, -2)
        lua_pushvalue(L, -1)
        metatables[ObjectIdentifier(type)] = bss_lua_ref(L)
    }

    private func set(_ name: String, _ entry: LuaEntry, on L: OpaquePointer) {
        push(entry, on: L)
        bss_lua_raw_set(L, -2, name)
    }

    /// `pairs(object)`: the names that `member` answers, or the declared properties if there are none.
    private func pushPairs(of type: ObjectType, on L: OpaquePointer) throws -> Int32 {
        let object = try receiver(on: L)
        let names = object.memberNames.isEmpty ? type.properties.map(\.name) : object.memberNames
        var next = 0
        push(
            ClosureEntry(self) { state, L in
                while next < names.count {
                    let name = names[next]
                    next += 1
                    guard let value = try object.member(name) ?? type.property(name)?.get(object), !value.isNull else {
                        continue
                    }
                    state.push(name, on: L)
                    try state.push(value, on: L)
                    return 2
                }
                lua_pushnil(L)
                return 1
            }, on: L)
        return 1
    }
}

/// `object.name`, `object[i]`: properties, members, elements; methods on first use (the C side keeps them then).
final class IndexEntry: LuaEntry {
    let type: ObjectType
    init(_ state: LuaState, _ type: ObjectType) {
        self.type = type
        super.init(state)
    }

    override func invoke(_ L: OpaquePointer) throws -> Int32 {
        let object = try state.receiver(on: L)
        switch lua_type(L, 2) {
        case LUA_TSTRING:
            let name = state.string(at: 2, on: L)
            if let method = type.method(name) {
                state.methodNames.insert(name)
                let path = "\(type.name):\(name)"
                let entry = MethodEntry(state, method, path: path)
                bss_lua_push_method_entry(L, Unmanaged.passRetained(entry).toOpaque(), bss_lua_upvalue(2), path)
                keepMethod(name, on: L)
            } else if let property = type.property(name) {
                try state.push(property.get(object), on: L)
            } else if let member = object.member(name) {
                try state.push(member, on: L)
            } else if name == "free" {
                lua_pushcclosure(L, bss_lua_free_object, 0)
                keepMethod(name, on: L)
            } else {
                let known = type.methods.map(\.name) + type.properties.map(\.name) + object.memberNames
                let near = Text.nearest(to: name, in: known).map { "did you mean '\($0)'?" }
                throw BSSError(
                    type.name, "has no '\(name)'",
                    hint: near ?? (known.isEmpty ? nil : "known: " + known.joined(separator: ", ")))
            }
        case LUA_TNUMBER:
            let number = bss_lua_number(L, 2)
            guard let index = Int(exactly: number) else {
                throw BSSError(type.name, "a position must be an integer, got \(Text.number(number))")
            }
            if index == 0, type.operators["__len"] != nil {
                throw BSSError(type.name, "positions count from 1, got 0", hint: "the first is x[1]")
            }
            try state.push(object.element(index) ?? .null, on: L)
        case let other:
            throw BSSError(type.name, "cannot be indexed with a \(String(cString: lua_typename(L, other)))")
        }
        return 1
    }

    private func keepMethod(_ name: String, on L: OpaquePointer) {
        lua_pushvalue(L, -1)
        bss_lua_raw_set(L, bss_lua_upvalue(3), name)
    }
}
