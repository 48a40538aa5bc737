import BSSLua

/// Reads the code of a cell for the names it uses; resolves inner locals to the shared names whose values they carry.
///
/// Source: Lua 5.4 reference manual, section 9 (syntax). For code that Lua itself accepts; on other text it stops early
/// and the cell counts as having unknown effects.
package struct CellParser {
    struct Stop: Error {}

    /// What an expression's value may refer to, and the dotted path if it is one (`bss.train`).
    struct Carried {
        var roots: Set<String> = []
        var path: String?
        var isFunction = false
        /// May stand left of `=` or be called as a statement.
        var isSuffixed = false
    }

    let tokens: [LuaToken]
    var at = 0
    var names = CellNames()
    /// Inner locals (below the cell's top level) and the shared names behind their values; innermost block last.
    var blocks: [[String: Set<String>]] = []
    var functionDepth = 0, conditionalDepth = 0, nesting = 0

    package static func names(in code: String) -> CellNames {
        var parser = CellParser(code)
        do {
            try parser.block()
            if parser.token.kind != .end { throw Stop() }
        } catch {
            parser.names.isUnderstood = false
            parser.names.hasUnknownEffects = true
            parser.names.readsAnything = true
            parser.names.declarations = []
            parser.names.result = nil
            parser.names.isCut = parser.token.kind == .end
        }
        return parser.names
    }

    private init(_ code: String) {
        tokens = LuaLexer(code).tokens
        names.mentioned = Set(tokens.lazy.filter { $0.kind == .name }.map(\.text))
        names.isEmpty = tokens.count == 1
        names.isSilent = tokens.count > 1 && tokens[tokens.count - 2].text == ";"
    }

    // MARK: Tokens

    var token: LuaToken { tokens[at] }
    var isTopLevel: Bool { blocks.isEmpty && functionDepth == 0 }
    func isAt(_ text: String) -> Bool { token.text == text && token.kind != .string && token.kind != .end }
    mutating func take(_ text: String) -> Bool {
        guard isAt(text) else { return false }
        at += 1
        return true
    }
    mutating func expect(_ text: String) throws { if !take(text) { throw Stop() } }
    mutating func name() throws -> String {
        guard token.kind == .name else { throw Stop() }
        at += 1
        return tokens[at - 1].text
    }

    // MARK: Effects

    func local(_ name: String) -> Set<String>? { blocks.lazy.reversed().compactMap { $0[name] }.first }

    mutating func read(_ name: String) -> Set<String> {
        if let roots = local(name) { return roots }
        if name == "_G" || name == "_ENV" {
            names.readsAnything = true
            names.hasUnknownEffects = true
        }
        if functionDepth > 0 { names.bodyReads.insert(name) }
        if functionDepth > 0 || !names.strongWrites.contains(name) { names.reads.insert(name) }
        return [name]
    }

    mutating func write(_ name: String, from value: Carried) {
        for i in blocks.indices.reversed() where blocks[i][name] != nil {
            blocks[i][name]?.formUnion(value.roots)
            return
        }
        names.writes.insert(name)
        if functionDepth > 0 {
            names.bodyWrites.insert(name)
        } else {
            names.direct.insert(name)
            if conditionalDepth == 0 { names.strongWrites.insert(name) }
        }
        if value.isFunction { names.functions.insert(name) } else { names.functions.remove(name) }
        for root in value.roots where root != name && root != CellNames.parameter { names.shared.append((name, root)) }
    }

    mutating func change(_ roots: Set<String>) {
        let shared = roots.subtracting([CellNames.parameter])
        names.mutates.formUnion(shared)
        guard functionDepth > 0 else {
            names.direct.formUnion(shared)
            return
        }
        names.bodyMutates.formUnion(shared)
        if roots.contains(CellNames.parameter) { names.bodiesChangeParameters = true }
    }

    mutating func useStream(_ stream: String) {
        _ = read(stream)
        change([stream])
    }

    mutating func call(_ callee: Carried, _ arguments: [Carried]) -> Carried {
        let given = arguments.reduce(into: Set<String>()) { $0.formUnion($1.roots) }
        if let path = callee.path, let effect = KnownFunctions.effect(of: path),
            !names.writes.contains(String(path.prefix { $0 != "." }))
        {
            switch effect {
            case .pure(let sharing): return Carried(roots: sharing ? given : [], isSuffixed: true)
            case .changesFirst:
                change(arguments.first?.roots ?? [])
                for root in arguments.first?.roots ?? [] where root != CellNames.parameter {
                    for other in given where other != root && other != CellNames.parameter {
                        names.shared.append((root, other))
                    }
                }
                return Carried(roots: given, isSuffixed: true)
            case .stream(let stream): useStream(stream)
            case .unknown: names.hasUnknownEffects = true
            case .anything:
                names.hasUnknownEffects = true
                names.readsAnything = true
            }
            return Carried(roots: given, isSuffixed: true)
        }
        if ["pcall", "xpcall"].contains(callee.path), let function = arguments.first {
            return call(function, Array(arguments.dropFirst()))
        }
        if let path = callee.path, !path.contains(".") {
            names.calls.append((path, given))  // its definition, in whatever cell, decides
        } else if !callee.isFunction {
            change(callee.roots.union(given))
        } else {
            change(given)
        }
        return Carried(roots: callee.roots.union(given), isSuffixed: true)
    }

    // MARK: Statements

    mutating func inner(
        conditional: Bool = false, locals: [String: Set<String>] = [:], _ body: (inout CellParser) throws -> Void
    ) throws {
        blocks.append(locals)
        if conditional { conditionalDepth += 1 }
        try body(&self)
        if conditional { conditionalDepth -= 1 }
        blocks.removeLast()
    }

    mutating func block() throws {
        while token.kind != .end, !["end", "else", "elseif", "until"].contains(where: isAt) {
            if isTopLevel, !isAt(";") { names.result = nil }
            if take("return") {
                if !isAt(";"), token.kind != .end, !["end", "else", "elseif", "until"].contains(where: isAt) {
                    _ = try expressions()
                }
                _ = take(";")
                return
            }
            try nested { try $0.statement() }
        }
    }

    /// One level deeper, up to Lua's own limit of 200 (LUAI_MAXCCALLS): the parser is as recursive as Lua's.
    mutating func nested<T>(_ body: (inout CellParser) throws -> T) throws -> T {
        guard nesting < 200 else { throw Stop() }
        nesting += 1
        defer { nesting -= 1 }
        return try body(&self)
    }

    mutating func statement() throws {
        if take(";") { return }
        if take("::") {
            _ = try name()
            return try expect("::")
        }
        guard token.kind == .keyword else { return try expressionStatement() }
        at += 1
        switch tokens[at - 1].text {
        case "break": return
        case "goto": _ = try name()
        case "do":
            try inner { try $0.block() }
            try expect("end")
        case "while":
            _ = try expression()
            try expect("do")
            try inner(conditional: true) { try $0.block() }
            try expect("end")
        case "repeat":
            try inner {  // the condition sees the block's locals
                try $0.block()
                try $0.expect("until")
                _ = try $0.expression()
            }
        case "if": try branches()
        case "for": try loop()
        case "function" where !isAt("("): try namedFunction()
        case "local": try localStatement()
        default:
            at -= 1  // false, nil, not …: an expression
            try expressionStatement()
        }
    }

    mutating func branches() throws {
        _ = try expression()
        try expect("then")
        try inner(conditional: true) { try $0.block() }
        while take("elseif") {
            _ = try expression()
            try expect("then")
            try inner(conditional: true) { try $0.block() }
        }
        if take("else") { try inner(conditional: true) { try $0.block() } }
        try expect("end")
    }

    mutating func loop() throws {
        var variables = [try name()]
        while take(",") { variables.append(try name()) }
        guard take("=") || take("in") else { throw Stop() }
        let isNumeric = tokens[at - 1].text == "="
        let roots = try expressions().reduce(into: Set<String>()) { $0.formUnion($1.roots) }
        try expect("do")
        let locals = Dictionary(variables.map { ($0, isNumeric ? [] : roots) }, uniquingKeysWith: { $1 })
        try inner(conditional: true, locals: locals) { try $0.block() }
        try expect("end")
    }

    mutating func namedFunction() throws {
        let base = try name()
        var isField = false
        var isMethod = false
        while isAt(".") || isAt(":") {
            isMethod = isAt(":")
            at += 1
            _ = try name()
            isField = true
        }
        if isField { change(read(base)) } else { write(base, from: Carried(isFunction: true)) }
        try functionBody(isMethod: isMethod)
    }

    mutating func functionBody(isMethod: Bool = false) throws {
        try expect("(")
        var parameters = isMethod ? ["self"] : []
        while !take(")") {
            if !take("...") { parameters.append(try name()) }
            _ = take(",")
        }
        functionDepth += 1
        try inner(locals: Dictionary(parameters.map { ($0, [CellNames.parameter]) }, uniquingKeysWith: { $1 })) {
            try $0.block()
        }
        functionDepth -= 1
        try expect("end")
    }

    mutating func localStatement() throws {
        if take("function") {
            let own = try name()
            declare([(own, Carried(isFunction: true))])
            try functionBody()
            return noteDeclaration([own], [])
        }
        var declared: [String] = []
        var constants: Set<String> = []
        repeat {
            declared.append(try name())
            if take("<") {
                _ = try name()
                try expect(">")
                constants.insert(declared[declared.count - 1])
            }
        } while take(",")
        let values = take("=") ? try expressions() : []
        let rest = values.count < declared.count ? values.last ?? Carried() : Carried()
        declare(declared.enumerated().map { ($1, $0 < values.count ? values[$0] : rest) })
        noteDeclaration(declared, constants)
    }

    mutating func declare(_ variables: [(String, Carried)]) {
        for (name, value) in variables {
            if blocks.isEmpty { write(name, from: value) } else { blocks[blocks.count - 1][name] = value.roots }
        }
    }

    mutating func noteDeclaration(_ declared: [String], _ constants: Set<String>) {
        if isTopLevel { names.declarations.append((declared, constants, tokens[at - 1].end)) }
    }

    mutating func expressionStatement() throws {
        let start = at
        if beginsNoStatement { return try bareExpressions(from: start) }
        let first = try target()
        guard isAt("=") || isAt(",") else {
            guard first.expression.isSuffixed, !CellParser.binary.contains(token.text) || token.kind == .string else {
                return try bareExpressions(from: start)
            }
            return noteResult(.call, from: start, values: start)
        }
        var targets = [first]
        while take(",") {
            if beginsNoStatement { return try bareExpressions(from: start) }
            targets.append(try target())
        }
        if !take("=") { return try bareExpressions(from: start) }
        let firstValue = at
        let values = try expressions()
        let rest = values.count < targets.count ? values.last ?? Carried() : Carried()
        for (i, target) in targets.enumerated() {
            let value = i < values.count ? values[i] : rest
            if let name = target.name {
                write(name, from: value)
            } else {
                change(target.expression.roots)
                for root in target.expression.roots where root != CellNames.parameter {
                    for other in value.roots where other != root && other != CellNames.parameter {
                        names.shared.append((root, other))
                    }
                }
            }
        }
        let opening = tokens[start...].prefix(CellParser.shift.count)
        if opening.map(\.text) == CellParser.shift {
            noteResult(.shift, from: start, values: start + CellParser.shift.count)
        } else if targets.count == 1, targets[0].name == "_" {
            noteResult(.assignment, from: start, values: firstValue)
        }
    }

    /// The statement from token `start` to here gives the cell's result, if it is the last.
    private mutating func noteResult(_ form: CellResult.Form, from start: Int, values: Int) {
        guard isTopLevel else { return }
        names.result = CellResult(
            form: form, isWhole: start == 0, start: tokens[start].start,
            values: tokens[values].start..<tokens[at - 1].end)
    }

    /// A number, a string, `{`, `#x`, `not x`, `function(`: expressions that no statement begins with.
    private var beginsNoStatement: Bool {
        switch token.kind {
        case .number, .string: true
        case .symbol: ["{", "#", "-", "~", "..."].contains(token.text)
        case .keyword: ["nil", "true", "false", "not", "function"].contains(token.text)
        default: false
        }
    }

    /// No statement of Lua, but a cell may end with a list of expressions.
    mutating func bareExpressions(from start: Int) throws {
        guard isTopLevel else { throw Stop() }
        at = start
        _ = try expressions()
        noteResult(.expressions, from: start, values: start)
        while take(";") {}
        if token.kind != .end { throw Stop() }
    }

    private static let shift = ["_3", ",", "_2", ",", "_", "=", "_2", ",", "_", ","]

    /// An expression that may turn out to be assigned to: a plain name is not yet a read.
    mutating func target() throws -> (name: String?, expression: Carried) {
        if token.kind == .name, ["=", ","].contains(tokens[at + 1].text), tokens[at + 1].kind == .symbol {
            let found = try name()
            if isAt("=") || isListOfTargets() { return (found, Carried()) }
            at -= 1
        }
        return (nil, try suffixed())
    }

    /// After a name and at a comma: whether this list ends in `=`, as opposed to a list of expressions.
    private func isListOfTargets() -> Bool {
        var depth = 0
        for token in tokens[at...] where token.kind != .string {
            switch token.text {
            case "(", "{", "[": depth += 1
            case ")", "}", "]": depth -= 1
            case "=" where depth == 0: return true
            case _ where token.kind == .keyword || token.text == ";": return false
            default: break
            }
        }
        return false
    }
}
