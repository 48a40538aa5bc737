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
        let tokens = LuaLexer(before).tokens.dropLast() as [LuaToken]
        if let last = tokens.last, last.kind == .string, last.end >= before.utf8.count, isOpen(last.text) {
            let parts = partNames(Array(tokens.dropLast())).filter { $0.hasPrefix(word) }
            return parts.isEmpty ? files(word) : parts
        }
        let keys = word.contains(".") || word.contains(":") ? [] : optionKeys(tokens, word)
        return word.isEmpty && !keys.isEmpty ? keys : keys + names(word)
    }

    /// Where the word before the cursor begins: after the quote within a string, else the name with its path.
    package static func wordStart(in text: String, before end: Int) -> Int {
        let bytes = Array(text.utf8.prefix(end))
        if bytes.first == UInt8(ascii: "%"), !bytes.contains(UInt8(ascii: " ")) { return 0 }
        let before = String(decoding: bytes, as: UTF8.self)
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

    /// Inside `key = "`: what the option offers, or the parts of the family that it expects.
    private func partNames(_ tokens: [LuaToken]) -> [String] {
        guard let call = enclosingCall(tokens) else { return [] }
        var key = call.option ?? call.function.arguments.first?.name
        if call.option == nil, call.inside.last?.text == "=", let name = call.inside.dropLast().last { key = name.text }
        guard let argument = call.function.arguments.first(where: { $0.name == key || $0.aliases.contains(key ?? "") })
        else { return [] }
        let choices = argument.choices + (call.receiver?.choices(of: argument.name) ?? [])
        if !choices.isEmpty { return choices }
        let expected = argument.expected
        for case .namespace(let family) in root.entries {
            let constructors = family.entries.compactMap { entry -> Function? in
                if case .function(let f) = entry { return f } else { return nil }
            }
            if let noun = constructors.first?.returns, !noun.isEmpty, expected.range(of: noun) != nil {
                return constructors.map(\.name)
            }
        }
        return []
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
