/// The part of lua-language-server's annotation grammar that our stubs use, as a recognizer of one line.
///
/// Source: the annotations page of lua-language-server 3. A line that it refuses is one that the server would not read.
struct AnnotationGrammar {
    private var rest: Substring

    static func accepts(_ line: String) -> Bool {
        guard line.hasPrefix("---") else { return declaration(line) }
        guard line.hasPrefix("---@") else { return true }
        var grammar = AnnotationGrammar(rest: line.dropFirst(4))
        return grammar.annotation()
    }

    private static func declaration(_ line: String) -> Bool {
        line.hasPrefix("-- ") || line.hasSuffix(" = {}") || line.hasPrefix("return ")
            || (line.hasSuffix(" end") && (line.hasPrefix("function ") || line.contains("\"] = function(")))
    }

    private mutating func annotation() -> Bool {
        let word = take { $0.isLetter }
        guard take(" ") else { return false }
        switch word {
        case "meta", "class": return name() && rest.isEmpty
        case "field": return field() && take(" ") && type() && description()
        case "param": return (take("...") || name()) && optional() && take(" ") && type() && description()
        case "return":
            repeat { guard type() else { return false } } while take(", ")
            return rest.isEmpty || rest.hasPrefix(" # ")
        case "overload":
            repeat { guard type() else { return false } } while take(", ")
            return rest.isEmpty
        case "operator":
            _ = take { $0.isLetter }
            if take("("), !(type() && take(")")) { return false }
            return take(": ") && type() && rest.isEmpty
        default: return false
        }
    }

    private mutating func field() -> Bool {
        if take("[") { return type() && take("]") }
        return name() && optional()
    }

    private mutating func optional() -> Bool {
        _ = take("?")
        return true
    }

    private func description() -> Bool { rest.isEmpty || rest.hasPrefix(" ") }

    // MARK: Types

    private mutating func type() -> Bool {
        repeat { guard postfixed() else { return false } } while take("|")
        return true
    }

    private mutating func postfixed() -> Bool {
        guard primary() else { return false }
        while take("[]") || take("?") {}
        return true
    }

    private mutating func primary() -> Bool {
        if take("(") { return type() && take(")") }
        if take("\"") {
            _ = take { $0 != "\"" }
            return take("\"")
        }
        if rest.hasPrefix("fun(") { return function() }
        guard name() else { return false }
        if take("<") {
            repeat { guard type() else { return false } } while take(", ")
            return take(">")
        }
        return true
    }

    private mutating func function() -> Bool {
        guard take("fun(") else { return false }
        if !take(")") {
            repeat {
                guard take("...") || name(), optional(), take(": "), type() else { return false }
            } while take(", ")
            guard take(")") else { return false }
        }
        return take(": ") ? type() : true
    }

    // MARK: Words

    private mutating func name() -> Bool {
        guard let first = rest.first, first.isLetter || first == "_" else { return false }
        return !take { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }.isEmpty
    }

    private mutating func take(_ sign: String) -> Bool {
        guard rest.hasPrefix(sign) else { return false }
        rest = rest.dropFirst(sign.count)
        return true
    }

    private mutating func take(_ holds: (Character) -> Bool) -> Substring {
        let word = rest.prefix(while: holds)
        rest = rest.dropFirst(word.count)
        return word
    }
}
