import BSSLua

/// Expressions: what their values may refer to.
extension CellParser {
    mutating func expressions() throws -> [Carried] {
        var list = [try expression()]
        while take(",") { list.append(try expression()) }
        return list
    }

    static let binary: Set<String> = [
        "or", "and", "<", ">", "<=", ">=", "~=", "==", "|", "~", "&", "<<", ">>", "..", "+", "-", "*", "/", "//", "%",
        "^",
    ]

    /// Precedence does not matter here: only `and` and `or` hand a value on.
    mutating func expression() throws -> Carried {
        var value = try unary()
        while CellParser.binary.contains(token.text), token.kind != .string, token.kind != .name {
            let keeps = isAt("and") || isAt("or")
            at += 1
            let right = try unary()
            value = keeps ? Carried(roots: value.roots.union(right.roots)) : Carried()
        }
        return value
    }

    private mutating func unary() throws -> Carried {
        var isOperated = false
        while isAt("not") || isAt("#") || isAt("-") || isAt("~") {
            at += 1
            isOperated = true
        }
        let value = try nested { try $0.simple() }
        return isOperated ? Carried() : value
    }

    private mutating func simple() throws -> Carried {
        switch token.kind {
        case .number, .string:
            at += 1
            return Carried()
        case .keyword where ["nil", "true", "false"].contains(token.text):
            at += 1
            return Carried()
        case .keyword where take("function"):
            try functionBody()
            return Carried(isFunction: true)
        default:
            if take("...") { return Carried(roots: functionDepth > 0 ? [CellNames.parameter] : []) }
            if isAt("{") { return try table() }
            return try suffixed()
        }
    }

    private mutating func table() throws -> Carried {
        try expect("{")
        var roots: Set<String> = []
        while !take("}") {
            if take("[") {
                roots.formUnion(try expression().roots)
                try expect("]")
                try expect("=")
            } else if token.kind == .name, tokens[at + 1].text == "=", tokens[at + 1].kind == .symbol {
                at += 2
            }
            roots.formUnion(try expression().roots)
            if !take(","), !take(";"), !isAt("}") { throw Stop() }
        }
        return Carried(roots: roots)
    }

    mutating func suffixed() throws -> Carried {
        var value: Carried
        if take("(") {
            value = try expression()
            value.path = nil
            try expect(")")
        } else {
            let found = try name()
            let isInner = local(found) != nil
            value = Carried(roots: read(found), path: isInner ? nil : found)
        }
        while true {
            if take(".") {
                let field = try name()
                value = Carried(roots: value.roots, path: value.path.map { "\($0).\(field)" })
            } else if take("[") {
                _ = try expression()
                try expect("]")
                value = Carried(roots: value.roots)
            } else if take(":") {
                let method = try name()
                let given = try arguments()
                let roots = given.reduce(into: value.roots) { $0.formUnion($1.roots) }
                if !KnownFunctions.pureMethods.contains(method) { change(roots) }
                value = Carried(roots: KnownFunctions.scalarMethods.contains(method) ? [] : roots, isSuffixed: true)
            } else if isAt("(") || isAt("{") || token.kind == .string {
                value = call(value, try arguments())
            } else {
                return value
            }
        }
    }

    private mutating func arguments() throws -> [Carried] {
        if token.kind == .string {
            at += 1
            return [Carried()]
        }
        if isAt("{") { return [try table()] }
        try expect("(")
        if take(")") { return [] }
        let list = try expressions()
        try expect(")")
        return list
    }
}
