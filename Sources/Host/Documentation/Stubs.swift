import BSSCore
import BSSLua

/// Annotations for lua-language-server: the `bss` table as editors see it, from the same declarations as help.
///
/// Every namespace and type of object is a class; the options of a function are a class of their own, in which those
/// with a default are optional (`name?`) and texts that can be listed are literals.
///
/// Source: the annotation grammar of lua-language-server 3 (`---@meta`, `---@class`, `---@field`, `---@param`,
/// `---@return`, `---@overload`, `---@operator`).
public struct Stubs {
    private let root: Namespace
    private let types: [ObjectType]
    private var lines: [String] = []

    /// The text of `bss.lua`, for the folder that the editor's `workspace.library` names.
    public static func text(_ root: Namespace) -> String {
        var stubs = Stubs(root)
        stubs.write()
        return stubs.lines.joined(separator: "\n") + "\n"
    }

    private init(_ root: Namespace) {
        self.root = root
        types = root.allTypes
    }

    private mutating func write() {
        lines = ["---@meta \(root.name)", "-- Written by `bss-lua stubs`, from the declarations.", ""]
        for type in types { add(type) }
        add(root, path: root.name)
        lines += ["---Prints what there is to know about a name or a value.", "---@param what? any"]
        lines += ["function help(what) end"]
        lines += ["", "return \(root.name)"]
    }

    // MARK: Namespaces

    private mutating func add(_ namespace: Namespace, path: String) {
        if let made = namespace.constructor, made.style == .options { addOptions(made, named: "\(path).Options") }
        comment(namespace.help)
        lines += ["---@class \(path)"]
        if let made = namespace.constructor {
            lines.append("---@overload fun(options?: \(path).Options): \(type(ofResult: made.returns))")
        }
        for case .value(let name, let help, _) in namespace.entries {
            lines.append("---@field \(name) any \(oneLine(help))")
        }
        lines += ["\(path) = {}", ""]
        for entry in namespace.entries {
            switch entry {
            case .function(let function): add(function, path: "\(path).\(function.name)", separator: ".", owner: path)
            case .namespace(let child): add(child, path: "\(path).\(child.name)")
            case .value: break
            }
        }
    }

    // MARK: Objects

    private mutating func add(_ type: ObjectType) {
        let name = LuaType.name(type.name)
        let local = String(name.dropFirst(root.name.count + 1))
        comment(type.help)
        lines.append("---@class \(name)")
        for property in type.properties {
            lines.append("---@field \(property.name) \(property.luaType) \(oneLine(property.help))")
        }
        for sign in type.operators.keys.sorted() {
            guard let known = Stubs.operators[sign] else { continue }
            let operand = ["unm", "len"].contains(known) ? "" : "(any)"
            lines.append("---@operator \(known)\(operand): \(known == "len" ? "integer" : name)")
        }
        lines += ["---@field [string] any", "---@field [integer] any", "local \(local) = {}", ""]
        for method in type.methods { add(method, path: "\(name):\(method.name)", separator: ":", owner: local) }
    }

    /// Those that annotations can say; comparisons, calls and indexing need none.
    private static let operators = [
        "__add": "add", "__sub": "sub", "__mul": "mul", "__div": "div", "__pow": "pow", "__mod": "mod",
        "__idiv": "idiv",
        "__unm": "unm", "__len": "len",
    ]

    // MARK: Functions

    private mutating func add(_ function: Function, path: String, separator: String, owner: String) {
        let options = path.map { $0 == ":" ? "." : String($0) }.joined() + ".Options"
        let takesTable = function.style == .options && !(function.arguments.isEmpty && function.restHelp == nil)
        if takesTable { addOptions(function, named: options) }
        comment(function.summary)
        if let source = function.source { comment("Source: \(source)") }
        if let example = function.example { comment("Example:\n```lua\n\(example)\n```") }
        let returned = type(ofResult: function.returns)
        var parameters: [String] = []
        if takesTable {
            let isRequired = function.arguments.contains(where: \.isRequired)
            lines.append("---@param options\(isRequired ? "" : "?") \(options)")
            lines.append("---@overload fun(\(positional(function))): \(returned)")
            parameters = ["options"]
        } else {
            for argument in function.arguments {
                let mark = argument.isRequired ? "" : "?"
                let name = Stubs.safe(argument.name)
                lines.append("---@param \(name)\(mark) \(argument.luaType) \(oneLine(described(argument)))")
                parameters.append(name)
            }
        }
        if function.isVariadic {
            lines.append("---@param ... any")
            parameters.append("...")
        }
        if !function.returns.isEmpty { lines.append("---@return \(returned) # \(oneLine(function.returns))") }
        let list = parameters.joined(separator: ", ")
        lines.append(
            LuaLexer.keywords.contains(function.name)
                ? "\(owner)[\"\(function.name)\"] = function(\(list)) end"
                : "function \(owner)\(separator)\(function.name)(\(list)) end")
        lines.append("")
    }

    private mutating func addOptions(_ function: Function, named name: String) {
        lines.append("---@class \(name)")
        for argument in function.arguments {  // each may come by position, so none is required by name
            for spelling in [argument.name] + argument.aliases {
                lines.append("---@field \(spelling)? \(argument.luaType) \(oneLine(described(argument)))")
            }
        }
        if !function.arguments.isEmpty { lines.append("---@field [integer] any the same in this order") }
        if let rest = function.restHelp { lines.append("---@field [string] any \(oneLine(rest))") }
        lines.append("")
    }

    private func positional(_ function: Function) -> String {
        function.arguments.map { argument in
            "\(Stubs.safe(argument.name))\(argument.isRequired ? "" : "?"): \(argument.luaType)"
        }.joined(separator: ", ")
    }

    private func described(_ argument: any AnyArgument) -> String {
        let value = argument.isRequired ? "required" : "default \(JSON.lua(argument.defaultPlain))"
        return "\(argument.help) (\(argument.expected); \(value))"
    }

    /// What a declaration says it returns, one type a value: by its last word a type of object or what a family makes
    /// (`i64 tensor`), else a plain type by its first word.
    private func type(ofResult words: String) -> String {
        if words.isEmpty { return "nil" }
        return words.split(separator: ",").map { type(ofValue: $0.trimmed) }.joined(separator: ", ")
    }

    private func type(ofValue words: String) -> String {
        let parts = words.split(separator: " ").map(String.init)
        if let known = types.first(where: { $0.name == words || $0.name == parts.last }) {
            return LuaType.name(known.name)
        }
        switch parts.first ?? "" {
        case "number", "integer", "boolean", "string", "table": return parts[0]
        case "text": return "string"
        default: return "any"
        }
    }

    // MARK: Text

    private mutating func comment(_ text: String) {
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) { lines.append("---\(line)") }
    }

    private func oneLine(_ text: String) -> String { text.split(whereSeparator: \.isNewline).joined(separator: " ") }

    /// A parameter may not be called as a keyword is.
    private static func safe(_ name: String) -> String { LuaLexer.keywords.contains(name) ? name + "_" : name }
}

extension Substring {
    /// Without blanks at both ends.
    fileprivate var trimmed: String {
        let start = drop { $0 == " " }
        return String(start.reversed().drop { $0 == " " }.reversed())
    }
}
