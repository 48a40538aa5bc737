import BSSCore
import CBSSLua

/// What stands at a dotted path of names.
public enum Found {
    case namespace(Namespace, path: String)
    /// A declared function and its full name.
    case function(Function, path: String)
    case object(any HostObject)
    /// Any other value.
    case value(LuaValue)

    /// What a call of it does, where that is declared.
    public var called: Function? {
        switch self {
        case .function(let function, _): return function
        case .namespace(let namespace, _): return namespace.constructor
        default: return nil
        }
    }
}

extension LuaState {
    /// Walks `path` from the cells' locals or the globals with raw access only: no function of a script runs.
    public func lookUp(_ path: [String]) -> Found? {
        // On a full stack nothing is found: who asks wants help, not an error.
        (try? balanced { L -> Found? in
            let local = try path.first.flatMap { try cellScope?.value(of: $0) }
            if let local { local.push(on: L) } else { bss_lua_push_globals(L) }
            for (i, step) in path.enumerated().dropFirst(local == nil ? 0 : 1) {
                guard lua_checkstack(L, 8) != 0 else { return nil }
                if let (namespace, full) = namespace(at: -1, on: L) {
                    return descend(namespace, full, Array(path[i...]), on: L)
                }
                if let object = hostObject(at: -1, on: L) {
                    if let position = LuaState.position(step) {
                        guard let element = try object.element(Int(position)) else { return nil }
                        try push(element, on: L)
                        continue
                    }
                    if let method = object.objectType.method(step) {
                        return i == path.count - 1 ? .function(method, path: "\(object.objectType.name):\(step)") : nil
                    }
                    guard let member = try object.member(step) ?? object.objectType.property(step)?.get(object) else {
                        return nil
                    }
                    try push(member, on: L)
                } else if lua_type(L, -1) == LUA_TTABLE {
                    if let position = LuaState.position(step) {
                        lua_pushinteger(L, position)
                    } else {
                        push(step, on: L)
                    }
                    lua_rawget(L, -2)
                } else {
                    return nil
                }
            }
            return found(on: L)
        }) ?? nil
    }

    /// `[3]` among names is an index.
    private static func position(_ step: String) -> lua_Integer? {
        step.hasPrefix("[") && step.hasSuffix("]") ? lua_Integer(step.dropFirst().dropLast()) : nil
    }

    /// Names that can follow the value found; `isMethod`: after a colon.
    public func names(of found: Found, isMethod: Bool) -> [String] {
        switch found {
        case .namespace(let namespace, _): return isMethod ? [] : namespace.entries.map(\.name)
        case .function: return []
        case .object(let object):
            let type = object.objectType
            return isMethod ? type.methods.map(\.name) + ["free"] : type.properties.map(\.name) + object.memberNames
        case .value(let value):
            return
                // On a full stack there are no names to offer.
                (try? balanced { L in
                    value.push(on: L)
                    if lua_type(L, -1) == LUA_TSTRING {
                        bss_lua_push_globals(L)
                        bss_lua_raw_get(L, -1, "string")
                    }
                    return tableNames(onlyFunctions: isMethod, on: L)
                }) ?? []
        }
    }

    private func descend(_ namespace: Namespace, _ full: String, _ rest: [String], on L: OpaquePointer) -> Found? {
        guard let first = rest.first else { return .namespace(namespace, path: full) }
        let path = "\(full).\(first)"
        switch namespace[first] {
        case .namespace(let child): return descend(child, path, Array(rest.dropFirst()), on: L)
        case .function(let function) where rest.count == 1: return .function(function, path: path)
        case .value(_, _, let make) where rest.count == 1:
            // A value that cannot be made, or is nested too deeply, is not there to be found.
            guard let value = try? make(), (try? push(value, on: L)) != nil else { return nil }
            return found(on: L)
        default: return nil
        }
    }

    private func namespace(at index: Int32, on L: OpaquePointer) -> (Namespace, String)? {
        guard lua_type(L, index) == LUA_TTABLE, let pointer = lua_topointer(L, index),
            let known = namespaces[UnsafeRawPointer(pointer)]
        else { return nil }
        return (known.namespace, known.path)
    }

    func found(on L: OpaquePointer) -> Found? {
        if lua_type(L, -1) == LUA_TNIL { return nil }
        if let (namespace, path) = namespace(at: -1, on: L) { return .namespace(namespace, path: path) }
        if let (function, path) = declaration(at: -1, on: L) { return .function(function, path: path) }
        if let object = hostObject(at: -1, on: L) { return .object(object) }
        lua_pushvalue(L, -1)
        return .value(LuaValue(self, on: L))
    }

    /// Tables with more entries are listed in part: completion has 50 ms.
    private static let mostNames = 50_000

    /// String keys of the table on top, and of its metatable's `__index` table (classes).
    private func tableNames(onlyFunctions: Bool, on L: OpaquePointer, depth: Int = 0) -> [String] {
        guard lua_type(L, -1) == LUA_TTABLE, depth < 4, lua_checkstack(L, 8) != 0 else { return [] }
        var names: [String] = []
        lua_pushnil(L)
        while lua_next(L, -2) != 0 {
            if lua_type(L, -2) == LUA_TSTRING, !onlyFunctions || lua_type(L, -1) == LUA_TFUNCTION {
                names.append(string(at: -2, on: L))
            }
            bss_lua_pop(L, 1)
            if names.count >= LuaState.mostNames {
                bss_lua_pop(L, 1)
                break
            }
        }
        if lua_getmetatable(L, -1) != 0 {
            if bss_lua_raw_get(L, -1, "__index") == LUA_TTABLE {
                names += tableNames(onlyFunctions: onlyFunctions, on: L, depth: depth + 1)
            }
            bss_lua_pop(L, 2)
        }
        return names
    }
}
