import BSSCore

/// Slips of those who come from Python, C or JavaScript, in a sentence.
enum Habits {
    /// Names of other languages that Lua has not.
    static let names: [String: String] = [
        "True": "Lua writes true", "False": "Lua writes false", "None": "Lua writes nil", "null": "Lua writes nil",
        "undefined": "Lua writes nil", "range": "Lua writes for i = 1, n do … end",
        "len": "Lua writes #t; tensors have t:shape()", "str": "Lua writes tostring(x)",
        "int": "Lua writes math.tointeger(x) or x // 1", "float": "Lua writes tonumber(x)",
        "list": "Lua writes lists as { 1, 2 }", "dict": "Lua writes tables as { a = 1, b = 2 }",
        "enumerate": "Lua writes for i, x in ipairs(t) do … end", "isinstance": "Lua writes type(x) == \"table\"",
        "elif": "Lua writes elseif", "torch": "tensors and training are in bss: help(bss)",
        "np": "tensors are in bss: help(bss.tensor)", "numpy": "tensors are in bss: help(bss.tensor)",
        "plt": "charts are in bss.plot", "exit": "os.exit() ends a script", "quit": "os.exit() ends a script",
        "In": "%history lists inputs", "_i": "%history lists inputs", "_ii": "%history lists inputs",
        "__": "the result before the last is _2", "___": "the result before that is _3", "_1": "results: Out[1]",
        "get_ipython": "commands are functions in bss.repl", "display": "bss.show(x)",
        "lr": "the option is called learning_rate", "self": "methods are called and defined with a colon: t:f()",
        "printf": "Lua writes print(string.format(…))", "console": "Lua writes print(…)",
    ]

    /// What an operation that failed was probably meant to be.
    static func hint(running message: String) -> String? {
        func has(_ text: String) -> Bool { Bytes.find(text, in: message) != nil }
        if has("attempt to add a 'string'") || has("with a 'string'") && has("attempt to add") {
            return "Lua joins texts with a .. b"
        }
        if has("number expected, got tensor") { return "x:item() is the number of a tensor of one element" }
        if has("attempt to mod a 'string'") { return "Lua writes (\"%d\"):format(x)" }
        if has("attempt to call a table value (for iterator") {
            return "for i, x in ipairs(t) do … end goes through a list"
        }
        if has("attempt to call a number value (for iterator") { return "Lua writes for i = 1, n do … end" }
        return nil
    }

    /// A name, a number or a string.
    static func beginsValue(_ token: String) -> Bool {
        guard let first = token.first, !LuaLexer.keywords.contains(token) || token == "nil" else { return false }
        return first.isLetter || first.isNumber || "_\"'{".contains(first)
    }

    /// What a line that Lua cannot read was probably meant to be.
    /// - Parameter near: what the parser stumbled over.
    static func hint(line: String, near: String) -> String? {
        let code = line.trimmed
        func has(_ text: String) -> Bool { code.range(of: text) != nil }
        let first = String(code.prefix { $0.isLetter })
        if has("!=") { return "Lua writes ~= for not equal" }
        for sign in ["+", "-", "*", "/", "%"] where has("\(sign)=") && !has("==") {
            return "Lua has no \(sign)=: write x = x \(sign) …"
        }
        if has("++") && near == "+" { return "Lua has no ++: write x = x + 1" }
        if first == "import" || first == "from" { return "Lua loads modules with: local m = require \"m\"" }
        if first == "def" { return "Lua writes function f(x) … end" }
        if first == "elif" || first == "else" && has("else if") { return "Lua writes elseif … then" }
        if first == "class" { return "Lua has no classes: tables with setmetatable" }
        if first == "lambda" || has("lambda ") { return "Lua writes function(x) return … end" }
        if first == "const" || first == "let" || first == "var" { return "Lua writes local x = …" }
        if has("**") { return "Lua writes x ^ y" }
        if has("<>") { return "Lua writes ~= for not equal" }
        if first == "try" || first == "except" || first == "catch" { return "Lua writes pcall(f, …)" }
        if first == "raise" || first == "throw" { return "Lua writes error(message)" }
        if first == "assert" { return "assert is a function: assert(x == 3, \"message\")" }
        if first == "with" { return "Lua closes with: local f <close> = io.open(path)" }
        if first == "pass" { return "a block of Lua may be empty" }
        if first == "del" { return "Lua writes x = nil" }
        if has(" is None") || has(" is not None") { return "Lua writes x == nil, x ~= nil" }
        if near == "%" { return "Lua writes (\"%d\"):format(x)" }
        if first == "for", has("for ("), has(";") { return "Lua writes for i = 1, n do … end" }
        if first == "function", near == "{" { return "Lua writes function f(x) … end" }
        if near == ":", has("[") { return "tensors are cut by t:narrow{…}, strings by s:sub(i, j)" }
        if has("&&") { return "Lua writes and" }
        if has("||") { return "Lua writes or" }
        if near == "!" { return "Lua writes not" }
        if first == "for", has(" in "), code.hasSuffix(":") { return "Lua writes for i = 1, n do … end" }
        if code.hasSuffix(":") { return "Lua opens blocks with then or do and closes them with end" }
        if near.hasPrefix("\"") || near.hasPrefix("'"), has(near + ".") || has(near + ":") {
            return "methods of a string in quotes need parentheses: (\(near)):upper()"
        }
        if near == "[" || has("= [") && !has("[[") { return "Lua writes lists as { 1, 2 }" }
        if near == "?" { return "Lua writes a and b or c" }
        if near == "#" || code.hasPrefix("//") { return "Lua writes comments as -- …" }
        return nil
    }
}

extension LuaState {
    /// A syntax error with its source line, a caret, and what was probably meant.
    func explained(_ error: BSSError, source: String) -> BSSError {
        guard let (number, message) = LuaState.place(in: error.message) else { return error }
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false).prefix(number)
        guard let last = lines.last(where: { !$0.trimmed.isEmpty }) else { return error }
        let line = String(last)
        // Text that only goes on is no mistake, save where no Lua can go on.
        if message.hasSuffix("<eof>"), !line.trimmed.hasSuffix(":"), line.range(of: "lambda ") == nil { return error }
        var near = ""
        if let start = Bytes.find("near '", in: message) {
            near = String(decoding: message.utf8.dropFirst(start + 6).dropLast(), as: UTF8.self)
        }
        var explained = error
        var hint = Habits.hint(line: line, near: near)
        if hint == nil, ["'}' expected", "')' expected"].contains(where: { Bytes.find($0, in: message) != nil }),
            Habits.beginsValue(near)
        {
            hint = "a comma may be missing before '\(near)'"
        }
        explained.hint = error.hint ?? hint
        let code = line.trimmed
        guard !code.isEmpty, code.utf8.count <= 120 else { return explained }
        var excerpt = "     | \(code)"
        if !near.isEmpty, let at = code.range(of: near) {
            let before = code[..<at.lowerBound].reduce(0) { $0 + Text.columns($1) }
            excerpt += "\n     | " + String(repeating: " ", count: before) + "^"
        }
        explained.traceback = [error.traceback ?? "", excerpt].filter { !$0.isEmpty }.joined(separator: "\n")
        return explained
    }

    /// `s.lua:3: unexpected symbol near '!'` → 3 and the rest.
    private static func place(in message: String) -> (line: Int, rest: String)? {
        let parts = message.split(separator: ":", omittingEmptySubsequences: false)
        for position in parts.indices.dropFirst() {
            guard let line = Int(parts[position]), position + 1 < parts.count else { continue }
            return (line, parts[(position + 1)...].joined(separator: ":"))
        }
        return nil
    }
}
