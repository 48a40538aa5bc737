import BSSCore
import CBSSLua

/// The local variables at the top level of a sequence of cells: a `local` of one cell is visible in the cells that
/// follow, exactly as if all cells were one chunk.
///
/// Each cell is compiled on its own. Its top-level variables are captured by a closure at the place of their
/// declaration (so that an error further down does not lose them), and a later cell that mentions one gets the variable
/// itself, by `lua_upvaluejoin`: closures of earlier cells and code of later ones share it, and redeclaring a name
/// makes a new variable and leaves the old one to the closures that hold it.
public final class CellScope {
    /// Code of one cell with its top-level declarations, as the caller's parser sees them.
    public struct Source {
        /// One `local` statement: the names and the offset in UTF-8 bytes of its end.
        public struct Declaration {
            public var names: [String]
            /// `<const>` or `<close>`: later cells must not assign.
            public var constants: Set<String>
            public var end: Int
            public init(names: [String], constants: Set<String>, end: Int) {
                self.names = names
                self.constants = constants
                self.end = end
            }
        }
        public var code: String
        /// As in `load`: `@file.lua`, `=cell 3`.
        public var name: String
        /// The line of the first character, from 1, for messages.
        public var line: Int
        public var declarations: [Declaration]
        /// Names that the code mentions.
        public var mentioned: Set<String>

        public init(code: String, name: String, line: Int = 1, declarations: [Declaration] = [], mentioned: Set<String>)
        {
            self.code = code
            self.name = name
            self.line = line
            self.declarations = declarations
            self.mentioned = mentioned
        }
    }

    private struct Variable {
        let closure: LuaReference
        let position: Int32
        let isConstant: Bool
    }

    private unowned let state: LuaState
    private var variables: [String: Variable] = [:]
    /// Names of the variables, in the order of their first declaration.
    public private(set) var names: [String] = []
    private static let keep = "__bss_keep"

    public init(_ state: LuaState) { self.state = state }

    /// The present value of a variable; nil if there is none of this name.
    public func value(of name: String) throws -> LuaValue? {
        guard let variable = variables[name] else { return nil }
        return try state.balanced { L in
            variable.closure.push(on: L)
            guard lua_getupvalue(L, -1, variable.position) != nil else { return nil }
            return LuaValue(state, on: L)
        }
    }

    /// Forgets every variable.
    public func reset() {
        variables = [:]
        names = []
    }

    // MARK: Compiling

    /// - Throws: the syntax error, in the words of Lua for the code alone.
    public func compile(_ source: Source) throws -> LuaFunction {
        // The code alone first: a wrapper would turn "'end' expected near <eof>" into something else, and accept a
        // stray `end`.
        _ = try state.function(String(repeating: "\n", count: max(0, source.line - 1)) + source.code, name: source.name)
        let used = names.filter { source.mentioned.contains($0) && variables[$0] != nil }
        let wrapped = CellScope.wrapped(source, used.map { ($0, variables[$0]?.isConstant ?? false) })
        return try state.balanced { L in
            try state.function(wrapped, name: source.name).push(on: L)
            try state.protectedCall(arguments: 0, results: 1, on: L)
            var position: Int32 = 1
            while let found = lua_getupvalue(L, -1, position) {
                bss_lua_pop(L, 1)
                let name = String(cString: found)
                if name == CellScope.keep {
                    pushKeeper(source.declarations, on: L)
                    lua_setupvalue(L, -2, position)
                } else if let variable = variables[name], used.contains(name) {
                    variable.closure.push(on: L)
                    lua_upvaluejoin(L, -2, position, -1, variable.position)
                    bss_lua_pop(L, 1)
                }
                position += 1
            }
            state.strict?.mainChunk = UnsafeRawPointer(lua_topointer(L, -1))
            return LuaFunction(state, on: L)
        }
    }

    /// `local x, y <const>, __bss_keep = ...; return function(...) CODE end`, the code on its own lines.
    private static func wrapped(_ source: Source, _ used: [(name: String, isConstant: Bool)]) -> String {
        let known = used.map { $0.isConstant ? "\($0.name) <const>" : $0.name } + [keep]
        var text =
            String(repeating: "\n", count: max(0, source.line - 1))
            + "local \(known.joined(separator: ", ")) = ...; return function(...) "
        let bytes = Array(source.code.utf8)
        var done = 0
        for (number, declaration) in source.declarations.enumerated() {
            text += String(decoding: bytes[done..<declaration.end], as: UTF8.self)
            text += " \(keep)(\(number), function() return \(declaration.names.joined(separator: ", ")) end);"
            done = declaration.end
        }
        return text + String(decoding: bytes[done...], as: UTF8.self) + "\nend"
    }

    /// The function that a declaration calls with a closure over its variables.
    private func pushKeeper(_ declarations: [Source.Declaration], on L: OpaquePointer) {
        state.push(
            ClosureEntry(state) { [weak self] state, L in
                let number = Int(bss_lua_integer(L, 1))
                if let self, declarations.indices.contains(number) { try self.keep(declarations[number], on: L) }
                return 0
            }, on: L)
    }

    /// The closure is argument 2. A constant known to the compiler is no upvalue of it: its value goes into one.
    private func keep(_ declaration: Source.Declaration, on L: OpaquePointer) throws {
        var positions: [String: Int32] = [:]
        var position: Int32 = 1
        while let found = lua_getupvalue(L, 2, position) {
            bss_lua_pop(L, 1)
            positions[String(cString: found)] = position
            position += 1
        }
        lua_pushvalue(L, 2)
        let closure = LuaReference(state, on: L)
        for (i, name) in declaration.names.enumerated() {
            let isConstant = declaration.constants.contains(name)
            if let position = positions[name] {
                declare(name, Variable(closure: closure, position: position, isConstant: isConstant))
                continue
            }
            try state.balanced { L in
                try state.function("local v = ...; return function() return v end", name: "=constant").push(on: L)
                closure.push(on: L)
                try state.protectedCall(arguments: 0, results: Int32(declaration.names.count), on: L)
                lua_settop(L, lua_gettop(L) - Int32(declaration.names.count - 1 - i))
                if i > 0 {
                    lua_copy(L, -1, -Int32(i) - 1)
                    bss_lua_pop(L, Int32(i))
                }
                try state.protectedCall(arguments: 1, results: 1, on: L)
                declare(name, Variable(closure: LuaReference(state, on: L), position: 1, isConstant: isConstant))
            }
        }
    }

    private func declare(_ name: String, _ variable: Variable) {
        if variables.updateValue(variable, forKey: name) == nil { names.append(name) }
    }
}

extension LuaState {
    /// Calls a function and keeps its results as they are: tables with cycles, namespaces and coroutines included.
    public func results(of function: LuaFunction, _ arguments: [Value] = []) throws -> [LuaValue] {
        try balanced { L in
            let base = lua_gettop(L)
            function.push(on: L)
            for argument in arguments {
                guard lua_checkstack(L, 8) != 0 else { throw BSSError("lua", "too many arguments") }
                try push(argument, on: L)
            }
            try protectedCall(arguments: Int32(arguments.count), results: LUA_MULTRET, on: L)
            guard lua_checkstack(L, 8) != 0 else { throw BSSError("lua", "too many results") }
            return (base..<lua_gettop(L)).map {
                lua_pushvalue(L, $0 + 1)
                return LuaValue(self, on: L)
            }
        }
    }

    /// - Throws: `BSSError` for values without a plain form (coroutines, cycles, odd keys).
    public func value(of held: LuaValue) throws -> Value {
        try balanced { L in
            held.push(on: L)
            return try value(at: -1, on: L)
        }
    }
}
