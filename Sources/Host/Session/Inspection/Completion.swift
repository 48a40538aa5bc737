import BSSCore
import BSSLua

/// Candidates for what stands before the cursor, from declarations and by raw access: no function of a script runs.
public struct Completion {
    let state: LuaState
    let root: Namespace
    let commands: [String]

    public init(state: LuaState, root: Namespace, commands: [String]) {
        self.state = state
        self.root = root
        self.commands = commands
    }

    /// - Parameters: byte offsets of the word in `text`.
    public func candidates(_ text: String, _ start: Int, _ end: Int) -> [String] {
        let bytes = Array(text.utf8)
        let before = String(decoding: bytes[..<start], as: UTF8.self)
        let word = String(decoding: bytes[start..<end], as: UTF8.self)
        if start == 0, word.hasPrefix("%") { return commands.map { "%\($0)" }.filter { $0.hasPrefix(word) } }
        if before.hasPrefix("%") { return files(word) + names(word) }
        if before.hasPrefix("!") || Session.shellAssignment(before) != nil { return files(word) }
        let tokens = LuaLexer(before).tokens.dropLast() as [LuaToken]
        if let last = tokens.last, last.kind == .string, last.end >= before.utf8.count, isOpen(last.text) {
            let parts = partNames(Array(tokens.dropLast()))
            return parts.isEmpty ? files(word) : parts.filter { $0.hasPrefix(word) }
        }
        if let first = word.first, first == "." || first == ":", let last = tokens.last, last.end == start {
            return members(Array(tokens), word)
        }
        let isPath = word.contains(".") || word.contains(":")
        if tokens.last?.text == "=", !isPath {
            let values = values(Array(tokens)).filter { $0.hasPrefix(word) }
            if !values.isEmpty { return word.isEmpty ? values : values + names(word) }
        }
        let keys = isPath ? [] : optionKeys(tokens, word)
        if word.isEmpty && !keys.isEmpty { return keys }
        let found = keys + names(word)
        return found.isEmpty && isPath ? received(word, Array(tokens)) : found
    }

    /// Where the word before the cursor begins: after the quote within a string, else the name with its path.
    package static func wordStart(in text: String, before end: Int) -> Int {
        let bytes = Array(text.utf8.prefix(end))
        let before = String(decoding: bytes, as: UTF8.self)
        if before.hasPrefix("%") || before.hasPrefix("!") || Session.shellAssignment(before) != nil {
            return bytes.lastIndex(of: UInt8(ascii: " ")).map { $0 + 1 } ?? 0
        }
        if let last = LuaLexer(before).tokens.dropLast().last, last.kind == .string, last.end >= bytes.count,
            let quote = last.text.first, quote == "\"" || quote == "'", last.text.count == 1 || last.text.last != quote
        {
            return last.start + 1
        }
        return bytes.count - bytes.reversed().prefix(while: isNamePart).count
    }

    /// The name with its path around the cursor.
    package static func name(in text: String, at cursor: Int) -> String {
        let bytes = Array(text.utf8)
        let start = min(cursor, bytes.count)
        let head = bytes[..<start].reversed().prefix(while: isNamePart).reversed()
        let tail = bytes[start...].prefix { isNamePart($0) && $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: ":") }
        return String(decoding: head + tail, as: UTF8.self)
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        (48...58).contains(byte) || (97...122).contains(byte | 0x20) || byte == 95 || byte == 46 || byte >= 128
    }

    private func isOpen(_ string: String) -> Bool {
        guard let quote = string.first, quote == "\"" || quote == "'" else { return false }
        return string.count == 1 || string.last != quote
    }

    // MARK: Names

    /// `bss.pace.ro` → `bss.pace.root`; `run:` → methods.
    private func names(_ word: String) -> [String] {
        guard let separator = word.lastIndex(where: { $0 == "." || $0 == ":" }) else {
            return Set(state.globalNames + (state.cellScope?.names ?? []) + LuaLexer.keywords).filter {
                $0.hasPrefix(word)
            }.sorted()
        }
        let path = word[..<separator].split(whereSeparator: { $0 == "." || $0 == ":" }).map(String.init)
        let prefix = word[...separator]
        let rest = word[word.index(after: separator)...]
        guard !path.isEmpty, let found = state.lookUp(path) else { return [] }
        let isMethod = word[separator] == ":"
        return Set(state.names(of: found, isMethod: isMethod)).filter { $0.hasPrefix(rest) }.sorted().map {
            prefix + $0
        }
    }

    /// What follows an index: `run.history[1].` → the fields of that record.
    private func members(_ tokens: [LuaToken], _ word: String) -> [String] {
        guard let path = path(tokens), let found = state.lookUp(path) else { return [] }
        let steps = word.dropFirst().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard let rest = steps.last,
            let whole = state.lookUp(path + steps.dropLast()) ?? (steps.count == 1 ? found : nil)
        else { return [] }
        let head = word.dropLast(rest.count)
        return Set(state.names(of: whole, isMethod: word.hasPrefix(":"))).filter { $0.hasPrefix(rest) }.sorted().map {
            head + $0
        }
    }

    /// The names and constant indices at the end of the tokens: `a.b[1]["c"]` → a, b, 1, c.
    private func path(_ tokens: [LuaToken]) -> [String]? {
        var steps: [String] = []
        var at = tokens.count - 1
        while at >= 0 {
            if tokens[at].text == "]", at >= 2, tokens[at - 2].text == "[",
                tokens[at - 1].kind == .number || tokens[at - 1].kind == .string
            {
                let key = tokens[at - 1].text
                steps.insert(tokens[at - 1].kind == .string ? String(key.dropFirst().dropLast()) : "[\(key)]", at: 0)
                at -= 3
                continue
            }
            guard tokens[at].kind == .name else { return nil }
            steps.insert(tokens[at].text, at: 0)
            guard at >= 1, tokens[at - 1].text == "." else { return steps }
            at -= 2
        }
        return nil
    }

    // MARK: Inside a constructor's table

    private struct OpenCall {
        let function: Function
        /// What it is a method of.
        let receiver: (any HostObject)?
        /// The option whose list is open in it.
        let option: String?
        /// The tokens since.
        let inside: ArraySlice<LuaToken>
    }

    /// The declared function whose `{` or `(` is still open.
    private func enclosingCall(_ tokens: [LuaToken]) -> OpenCall? {
        var depth = 0
        var option: String?
        for i in tokens.indices.reversed() where tokens[i].kind == .symbol {
            switch tokens[i].text {
            case ")", "}", "]": depth += 1
            case "(", "{", "[":
                if depth > 0 {
                    depth -= 1
                    continue
                }
                var path: [String] = []
                var at = i - 1
                if at >= 1, tokens[at].text == "=", tokens[at - 1].kind == .name, option == nil {  // `f{ option = {`
                    option = tokens[at - 1].text
                    continue
                }
                if at >= 0, tokens[i].text == "{", tokens[at].text == "(" { at -= 1 }
                while at >= 0, tokens[at].kind == .name {
                    path.insert(tokens[at].text, at: 0)
                    guard at >= 1, tokens[at - 1].text == "." || tokens[at - 1].text == ":" else { break }
                    at -= 2
                }
                guard !path.isEmpty, let function = state.lookUp(path)?.called else { return nil }
                var receiver: (any HostObject)?
                if path.count > 1, case .object(let object)? = state.lookUp(path.dropLast()) { receiver = object }
                return OpenCall(function: function, receiver: receiver, option: option, inside: tokens[(i + 1)...])
            default: break
            }
        }
        return nil
    }

    /// Option names at a place where a key can stand, those already given left out.
    private func optionKeys(_ tokens: [LuaToken], _ word: String) -> [String] {
        guard let last = tokens.last, ["{", ",", ";", "("].contains(last.text), let call = enclosingCall(tokens),
            call.option == nil
        else { return [] }
        let given = Set(zip(call.inside, call.inside.dropFirst()).filter { $1.text == "=" }.map(\.0.text))
        let open = call.function.arguments.filter { !given.contains($0.name) && given.isDisjoint(with: $0.aliases) }
        // Other spellings are offered when they were begun.
        let names = open.flatMap { [$0.name] + (word.isEmpty ? [] : $0.aliases) }
        return names.filter { $0.hasPrefix(word) }.map { $0 + " = " }
    }

    /// What can stand at `key = `.
    private struct Offer {
        var words: [String] = []
        /// Of the parts that `words` name: `bss.scheduler`.
        var family: String?
    }

    /// Inside `key = "`: what the option offers, or the parts of the family that it expects.
    private func partNames(_ tokens: [LuaToken]) -> [String] { offer(tokens)?.words ?? [] }

    /// After `key = `: parts, names and flags.
    private func values(_ tokens: [LuaToken]) -> [String] {
        guard let offer = offer(tokens) else { return makers(tokens) }
        if offer.words == ["true", "false"] { return offer.words }
        let parts = offer.family.map { family in offer.words.map { "\(family).\($0){" } } ?? []
        return offer.words.map { "\"\($0)\"" } + parts
    }

    private func argument(_ call: OpenCall) -> (any AnyArgument)? {
        var key = call.option ?? call.function.arguments.first?.name
        if call.option == nil, call.inside.last?.text == "=", let name = call.inside.dropLast().last { key = name.text }
        return call.function.arguments.first { $0.name == key || $0.aliases.contains(key ?? "") }
    }

    /// What a value that begins at a token is an option of.
    func argument(before start: Int, _ tokens: [LuaToken]) -> (any AnyArgument)? {
        enclosingCall(Array(tokens[..<start])).flatMap(argument)
    }

    /// Functions that make what an option expects: `bss.measurer{`.
    private func makers(_ tokens: [LuaToken]) -> [String] {
        guard let expected = enclosingCall(tokens).flatMap(argument)?.expected else { return [] }
        return root.entries.compactMap { entry in
            var made: Function?
            if case .function(let function) = entry { made = function }
            if case .namespace(let inner) = entry { made = inner.constructor }
            guard let made, !made.returns.isEmpty, expected == made.returns || expected == "\(made.returns) or nil"
            else { return nil }
            return "\(root.name).\(entry.name)\(made.style == .options ? "{" : "(")"
        }
    }

    private func offer(_ tokens: [LuaToken]) -> Offer? {
        guard let call = enclosingCall(tokens) else { return nil }
        guard let argument = argument(call) else { return call.function.restHelp.flatMap(parts) }
        let choices = argument.choices + (call.receiver?.choices(of: argument.name) ?? [])
        if !choices.isEmpty { return Offer(words: choices, family: family { Set(choices).isSubset(of: $0.names) }) }
        if argument.expected.hasPrefix("boolean") { return Offer(words: ["true", "false"]) }
        return parts(argument.expected)
    }

    /// The family whose parts are meant: its noun stands in what is expected.
    private func parts(_ expected: String) -> Offer? {
        var words: [String] = []
        let found = family { family in
            guard !family.noun.isEmpty, expected.range(of: family.noun) != nil else { return false }
            words = family.names
            return true
        }
        return found.map { Offer(words: words, family: $0) }
    }

    /// The full name of the first family of parts that fits.
    private func family(_ fits: ((names: [String], noun: String)) -> Bool) -> String? {
        for case .namespace(let family) in root.entries where family.constructor == nil {
            let constructors = family.entries.compactMap { entry -> Function? in
                if case .function(let f) = entry { return f } else { return nil }
            }
            guard let first = constructors.first, fits((constructors.map(\.name), first.returns)) else { continue }
            return "\(root.name).\(family.name)"
        }
        return nil
    }

    // MARK: Files

    private func files(_ word: String) -> [String] {
        let slash = word.lastIndex(of: "/")
        let folder = slash.map { String(word[...$0]) } ?? ""
        let rest = slash.map { String(word[word.index(after: $0)...]) } ?? word
        // A folder that cannot be read offers no names.
        let found = (try? Files.list(folder.isEmpty ? "." : folder)) ?? []
        return found.filter { $0.hasPrefix(rest) && (!$0.hasPrefix(".") || rest.hasPrefix(".")) }.map {
            folder + $0 + (Files.isFolder(folder + $0) ? "/" : "")
        }
    }
}
