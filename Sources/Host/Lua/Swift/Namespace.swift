import BSSCore
import CBSSLua

/// A closed table of scripts (`bss.pace`), declared once: names, help, completion and the Lua table come from it.
///
/// Its contents are made on first use, so an unused family costs nothing at start.
public final class Namespace {
    public enum Entry {
        case function(Function)
        case namespace(Namespace)
        /// A value made on first access.
        case value(String, _ help: String, make: () throws -> Value)

        public var name: String {
            switch self {
            case .function(let function): return function.name
            case .namespace(let namespace): return namespace.name
            case .value(let name, _, _): return name
            }
        }

        /// One line for lists.
        public var summary: String {
            switch self {
            case .function(let function): return function.summary
            case .namespace(let namespace): return namespace.help
            case .value(_, let help, _): return help
            }
        }
    }

    public let name: String
    public let help: String
    /// What calling the table itself does: `bss.model{…}` beside `bss.model.load`.
    public let constructor: Function?
    /// What the constructors of a family make.
    public private(set) lazy var product: ObjectType? = makeProduct()
    private var makeProduct: () -> ObjectType? = { nil }
    private let make: () -> [Entry]
    private var added: [Entry] = []
    /// In reading order; made when somebody looks, for a program's start waits for them no more than it must.
    public private(set) lazy var entries: [Entry] = make() + added
    private lazy var index = Dictionary(
        entries.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })

    /// Object types for help and completion; given at the root only.
    public private(set) lazy var types: [ObjectType] = makeTypes()
    private let makeTypes: () -> [ObjectType]
    /// What the functions of a script receive: tables and objects that no script makes. Given at the root only.
    public private(set) lazy var received: [ObjectType] = makeReceived()
    private let makeReceived: () -> [ObjectType]

    public init(
        _ name: String, _ help: String, types: @escaping () -> [ObjectType] = { [] },
        received: @escaping () -> [ObjectType] = { [] }, constructor: Function? = nil,
        _ entries: @escaping () -> [Entry]
    ) {
        makeReceived = received
        self.name = name
        self.help = help
        self.constructor = constructor
        make = entries
        makeTypes = types
    }

    /// A family of parts as constructors.
    public convenience init<F: Family>(_ family: F.Type) {
        self.init(F.familyName, F.help) { F.parts.map { .function($0.function) } }
        makeProduct = { F.productType }
    }

    /// Adds an entry at the end; before anybody has looked at the namespace.
    public func add(_ entry: Entry) { added.append(entry) }

    public subscript(name: String) -> Entry? { index[name].map { entries[$0] } }
}

extension LuaState {
    /// Makes `namespace` a global and what `require` returns for its name.
    public func install(_ namespace: Namespace) throws {
        try balanced { L in
            push(namespace, path: namespace.name, on: L)
            bss_lua_push_globals(L)
            lua_pushvalue(L, -2)
            bss_lua_raw_set(L, -2, namespace.name)
            if bss_lua_raw_get(L, -1, "package") == LUA_TTABLE, bss_lua_raw_get(L, -1, "loaded") == LUA_TTABLE {
                lua_pushvalue(L, -4)
                bss_lua_raw_set(L, -2, namespace.name)
            }
        }
    }

    /// An empty table whose `__index` is a second table of the entries seen so far; only a first access reaches Swift.
    func push(_ namespace: Namespace, path: String, on L: OpaquePointer) {
        if let reference = namespaceReferences[ObjectIdentifier(namespace)] {
            bss_lua_push_ref(L, reference)
            return
        }
        bss_lua_new_table(L)  // what scripts hold
        bss_lua_new_table(L)  // its metatable
        bss_lua_new_table(L)  // entries seen
        bss_lua_new_table(L)  // their metatable
        push(ClosureEntry(self) { state, L in try state.resolve(namespace, path: path, on: L) }, on: L)
        bss_lua_raw_set(L, -2, "__index")
        lua_setmetatable(L, -2)
        bss_lua_raw_set(L, -2, "__index")
        push(
            ClosureEntry(self) { state, L in
                let key = lua_type(L, 2) == LUA_TSTRING ? "'\(state.string(at: 2, on: L))'" : "an entry"
                throw BSSError(
                    path, "is closed: \(key) cannot be set", hint: "keep your own values in a table of your own")
            }, on: L)
        bss_lua_raw_set(L, -2, "__newindex")
        push(ClosureEntry(self) { state, L in state.pushPairs(of: namespace, on: L) }, on: L)
        bss_lua_raw_set(L, -2, "__pairs")
        push(
            ClosureEntry(self) { state, L in
                state.push("\(path): \(namespace.help)", on: L)
                return 1
            }, on: L)
        bss_lua_raw_set(L, -2, "__tostring")
        if let constructor = namespace.constructor {
            push(
                ClosureEntry(self) { state, L in
                    let values = try state.arguments(from: 2, on: L, operation: path)
                    return try state.push(constructor.call(values, path: path), on: L)
                }, on: L)
            bss_lua_raw_set(L, -2, "__call")
        }
        push("namespace", on: L)
        bss_lua_raw_set(L, -2, "__name")
        push("closed", on: L)
        bss_lua_raw_set(L, -2, "__metatable")
        lua_setmetatable(L, -2)
        if let address = lua_topointer(L, -1) { namespaces[UnsafeRawPointer(address)] = (namespace, path) }
        lua_pushvalue(L, -1)
        namespaceReferences[ObjectIdentifier(namespace)] = bss_lua_ref(L)
    }

    /// `__index` of the entries seen: argument 1 is that table, 2 the name. Keeps what it finds.
    private func resolve(_ namespace: Namespace, path: String, on L: OpaquePointer) throws -> Int32 {
        guard lua_type(L, 2) == LUA_TSTRING else { throw BSSError(path, "has names, not positions") }
        let name = string(at: 2, on: L)
        guard let entry = namespace[name] else {
            let known = namespace.entries.map(\.name)
            let near = Text.nearest(to: name, in: known).map { "did you mean '\($0)'? " } ?? ""
            throw BSSError(
                path, "has no '\(name)'", hint: near + "known: " + known.joined(separator: ", "), kind: .usage)
        }
        switch entry {
        case .function(let function): push(function, path: "\(path).\(name)", on: L)
        case .namespace(let child): push(child, path: "\(path).\(name)", on: L)
        case .value(_, _, let make): try push(make(), on: L)
        }
        lua_pushvalue(L, -1)
        bss_lua_raw_set(L, 1, name)
        return 1
    }

    private func pushPairs(of namespace: Namespace, on L: OpaquePointer) -> Int32 {
        let names = namespace.entries.map(\.name).sorted()
        var next = 0
        push(
            ClosureEntry(self) { state, L in
                guard next < names.count else {
                    lua_pushnil(L)
                    return 1
                }
                state.push(names[next], on: L)
                lua_pushvalue(L, -1)
                // Through a Lua function, because the value may have to be made and that may fail.
                lua_pushvalue(L, 1)
                bss_lua_insert(L, -2)
                next += 1
                try state.protectedIndex(on: L)
                return 2
            }, on: L)
        lua_pushvalue(L, 1)
        lua_pushnil(L)
        return 3
    }

    /// Replaces table and key on top of the stack by `table[key]`, metamethods included.
    func protectedIndex(on L: OpaquePointer) throws {
        lua_pushcclosure(L, bss_lua_index, 0)
        bss_lua_insert(L, -3)
        try protectedCall(arguments: 2, results: 1, on: L)
    }
}
