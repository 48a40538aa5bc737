import BSSCore

/// Help texts, all derived from declarations.
public enum Help {
    public static func text(_ function: Function, path: String) -> String {
        var out = path + function.signature.dropFirst(function.name.count) + "\n\n  \(function.summary)\n"
        if !function.arguments.isEmpty {
            out += "\nOptions:\n"
            let width = function.arguments.reduce(0) { max($0, $1.name.count) } + 2
            for argument in function.arguments {
                let value = argument.isRequired ? "required" : "default \(JSON.lua(argument.defaultPlain))"
                let called = argument.signature.map { "; called as \($0.words)" } ?? ""
                let also = argument.aliases.isEmpty ? "" : "; also spelt \(argument.aliases.joined(separator: ", "))"
                out += "  " + Text.padded(argument.name, to: width) + "\(argument.help)\n"
                out += "  " + Text.padded("", to: width) + "\(argument.expected); \(value)\(also)\(called)\n"
            }
        }
        if let rest = function.restHelp { out += "\nFurther fields: \(rest)\n" }
        if !function.returns.isEmpty { out += "\nReturns: \(function.returns)\n" }
        if let example = function.example { out += "\nExample:\n" + indented(example, "  ") }
        if let source = function.source { out += "\nSource: \(source)\n" }
        return out
    }

    public static func text(_ namespace: Namespace, path: String) -> String {
        let rows = namespace.entries.map { ("\(path).\($0.name)", $0.summary) }
        let width = (rows.map(\.0.count).max() ?? 0) + 2
        let made = namespace.constructor.map { text($0, path: path) + "\n" } ?? ""
        return "\(path): \(namespace.help)\n\n" + made
            + rows.map { "  " + Text.padded($0.0, to: width) + $0.1 + "\n" }.joined()
    }

    public static func text(_ type: ObjectType) -> String {
        var out = "\(type.name): \(type.help)\n"
        if !type.properties.isEmpty {
            let width = type.properties.reduce(0) { max($0, $1.name.count) } + 2
            out +=
                "\nProperties:\n"
                + type.properties.map { "  " + Text.padded($0.name, to: width) + $0.help + "\n" }.joined()
        }
        if !type.methods.isEmpty {
            out += "\nMethods:\n" + type.methods.map { "  :\($0.signature)\n      \($0.summary)\n" }.joined()
        }
        let operators = type.operators.keys.sorted()
        if !operators.isEmpty {
            out += "\nOperators: " + operators.map { String($0.dropFirst(2)) }.joined(separator: ", ") + "\n"
        }
        return out
    }

    /// Help for `bss.pace.root`, `pace.root`, `tensor`, `tensor:sum`.
    /// - Throws: usage error with the nearest name.
    public static func lookUp(_ name: String, in root: Namespace) throws -> String {
        let types = root.types + root.received
        if let type = types.first(where: { $0.name == name || $0.aliases.contains(name) }) { return text(type) }
        if let colon = name.firstIndex(of: ":"), let type = types.first(where: { $0.name == String(name[..<colon]) }),
            let method = type.method(String(name[name.index(after: colon)...]))
        {
            return text(method, path: name)
        }
        var steps = name.split(separator: ".").map(String.init)
        if steps.first == root.name { steps.removeFirst() }
        var namespace = root
        var path = root.name
        for (i, step) in steps.enumerated() {
            guard let entry = namespace[step] else {
                let known = namespace.entries.map { "\(path).\($0.name)" } + types.map(\.name)
                let near = Text.nearest(to: "\(path).\(step)", in: known).map { "did you mean '\($0)'?" }
                throw BSSError("help", "nothing is called '\(name)'", hint: near, kind: .usage)
            }
            path += ".\(step)"
            switch entry {
            case .namespace(let child): namespace = child
            case .function(let function) where i == steps.count - 1: return text(function, path: path)
            case .value(_, let help, _) where i == steps.count - 1: return "\(path): \(help)\n"
            default: throw BSSError("help", "\(path) has no parts", kind: .usage)
            }
        }
        return text(namespace, path: path)
    }

    /// Every name whose path, summary or option help contains `word`.
    public static func search(_ word: String, in root: Namespace) -> [(path: String, summary: String)] {
        let needle = word.lowercased()
        var found: [(String, String)] = []
        func matches(_ text: String) -> Bool { text.lowercased().range(of: needle) != nil }
        func visit(_ namespace: Namespace, _ path: String) {
            for entry in namespace.entries {
                let inner = "\(path).\(entry.name)"
                var hit = matches(entry.name) || matches(entry.summary)
                if case .function(let function) = entry {
                    hit =
                        hit || function.arguments.contains { matches($0.name) || matches($0.help) }
                        || matches(function.source ?? "")
                }
                if hit { found.append((inner, entry.summary)) }
                if case .namespace(let child) = entry { visit(child, inner) }
            }
        }
        visit(root, root.name)
        for type in root.types + root.received {
            for method in type.methods where matches(method.name) || matches(method.summary) {
                found.append(("\(type.name):\(method.name)", method.summary))
            }
        }
        return found
    }

    /// The whole reference as Markdown.
    public static func markdown(_ root: Namespace) -> String {
        var out = "# \(root.name)\n\n\(root.help)\n"
        func visit(_ namespace: Namespace, _ path: String, _ level: Int) {
            for entry in namespace.entries {
                let inner = "\(path).\(entry.name)"
                out += "\n\(String(repeating: "#", count: min(6, level))) \(inner)\n\n"
                switch entry {
                case .function(let function): out += "```\n\(text(function, path: inner))```\n"
                case .value(_, let help, _): out += help + "\n"
                case .namespace(let child):
                    out += child.help + "\n"
                    visit(child, inner, level + 1)
                }
            }
        }
        visit(root, root.name, 2)
        for type in root.types + root.received { out += "\n## \(type.name)\n\n```\n\(text(type))```\n" }
        return out
    }

    private static func indented(_ text: String, _ by: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { by + $0 + "\n" }.joined()
    }
}
