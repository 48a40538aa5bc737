import BSSCore

/// An option of the command line: an `Argument` as everywhere, read from words.
public struct CommandOption {
    public let argument: any AnyArgument
    private let type: any WordType.Type
    /// `-o`
    public let short: String?
    /// What stands for its value in usage texts; nil: a switch.
    public let placeholder: String?

    /// - Parameter value: the name of its value in usage texts, where the type's own says too little.
    public init<T: WordType>(_ argument: Argument<T>, short: String? = nil, value: String? = nil) {
        self.argument = argument
        type = T.self
        self.short = short
        placeholder = value ?? T.placeholder
    }

    /// `--x-log`
    public var name: String { "--" + argument.name.split(separator: "_").joined(separator: "-") }
    /// Every spelling.
    public var names: [String] { [name] + (short.map { [$0] } ?? []) }
    /// `-o, --output FILE`
    public var spelled: String {
        (short.map { "\($0), " } ?? "") + name + (placeholder.map { " \($0)" } ?? "")
    }

    /// - Throws: what was expected, under the name that was used.
    func value(of word: String, spelled name: String) throws -> Value {
        if let value = type.value(of: word) {
            // A mistake that only the check of the value finds is told in the same words.
            if (try? argument.decode(value, operation: name)) != nil { return value }
        }
        throw BSSError(name, "expects \(expectation), got '\(word)'", kind: .usage)
    }

    private var expectation: String {
        let words = argument.expected.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        let text = Bytes.find(" or nil", in: argument.expected).map { at in
            String(decoding: Array(argument.expected.utf8)[..<at], as: UTF8.self)
                + String(decoding: Array(argument.expected.utf8)[(at + 7)...], as: UTF8.self)
        }
        let nouns = ["integer", "number", "size", "time", "folder", "list", "string"]
        guard let noun = words.first, nouns.contains(noun) else {
            return text ?? argument.expected
        }
        return (noun == "integer" ? "an " : "a ") + (text ?? argument.expected)
    }
}

/// Words of a command line, read from the left.
struct WordReader {
    let words: [String]
    var at: Int

    var isAtEnd: Bool { at >= words.count }

    mutating func next() -> String? {
        guard at < words.count else { return nil }
        at += 1
        return words[at - 1]
    }

    /// The value of an option just read as `word`: `--name=value`, `--name value`, `-ovalue`; true for a switch.
    /// - Parameter known: whether a word is an option, which is no value: `--out --quiet`.
    mutating func value(
        of option: CommandOption, _ word: String, isOption known: (String) -> Bool
    ) throws -> Value {
        let (name, given) = WordReader.split(word)
        guard let placeholder = option.placeholder else {
            if given != nil { throw BSSError(name, "takes no value", kind: .usage) }
            return .bool(true)
        }
        if let given { return try option.value(of: given, spelled: name) }
        guard let next = next() else { throw BSSError(name, "needs a value: \(placeholder)", kind: .usage) }
        guard !known(WordReader.split(next).name) else {
            throw BSSError(name, "needs a value: \(placeholder), and '\(next)' is an option", kind: .usage)
        }
        return try option.value(of: next, spelled: name)
    }

    /// `--name=value`, `-n=value` → name and value.
    static func split(_ word: String) -> (name: String, value: String?) {
        let isShort = word.utf8.count > 2 && word.utf8.dropFirst(2).first == UInt8(ascii: "=")
        guard word.hasPrefix("--") || (word.hasPrefix("-") && isShort), let equals = word.firstIndex(of: "=") else {
            return (word, nil)
        }
        return (String(word[..<equals]), String(word[word.index(after: equals)...]))
    }

    /// Whether a word asks for an option: not `-`, which is standard input, and no negative number.
    static func looksLikeOption(_ word: String) -> Bool {
        guard word.hasPrefix("-"), word.utf8.count > 1 else { return false }
        return Double(word) == nil
    }

    static func unknown(_ word: String, among names: [String], of command: String) -> BSSError {
        let name = split(word).name
        let near = Text.allNearest(to: name, in: names).map { "'\($0)'" }
        let hint = near.isEmpty ? "\(command) --help lists them" : "did you mean \(near.joined(separator: " or "))?"
        return BSSError("", "unknown option '\(name)'", hint: hint, kind: .usage)
    }
}
