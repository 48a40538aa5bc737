import BSSCore

/// What a choice of runs asks of each: conditions between commas or `and`, all of which must hold.
///
///     seed=3            text or number, `*` stands for any text: arm=BSS*
///     accuracy>=0.7     numbers: > >= < <=
///     state!=finished
///     BSS*              a bare text: the name
public struct Conditions {
    private enum Relation: String, CaseIterable {
        // The longer ones first, as they are looked for.
        case atLeast = ">="
        case atMost = "<="
        case unequal = "!="
        case equal = "="
        case above = ">"
        case below = "<"
    }

    private struct Condition {
        let key: String
        let relation: Relation
        let wanted: String

        func holds(_ value: Value) -> Bool {
            let text = value.string ?? JSON.lua(value)
            switch relation {
            case .equal: return Conditions.matches(text, wanted)
            case .unequal: return !Conditions.matches(text, wanted)
            default: break
            }
            guard let limit = Double(wanted), let number = value.double else { return false }
            switch relation {
            case .atLeast: return number >= limit
            case .atMost: return number <= limit
            case .above: return number > limit
            default: return number < limit
            }
        }
    }

    private let all: [Condition]
    /// The names that are asked for.
    public var keys: [String] { all.map(\.key) }

    /// - Parameter operation: what messages name: `--only`.
    /// - Throws: kind `.usage` for an empty condition, or a limit that is no number.
    public init(_ text: String, operation: String) throws {
        all = try Conditions.parts(of: text).map { part in
            guard let condition = Conditions.condition(part) else {
                throw BSSError(
                    operation, "'\(part)' is no condition: NAME, arm=NAME, seed=N, key=VALUE or key>NUMBER",
                    kind: .usage)
            }
            if [.atLeast, .atMost, .above, .below].contains(condition.relation), Double(condition.wanted) == nil {
                throw BSSError(operation, "'\(part)' compares with '\(condition.wanted)', no number", kind: .usage)
            }
            return condition
        }
    }

    /// Whether all hold; a name that `value` does not know holds for nothing.
    public func hold(_ value: (_ key: String) -> Value?) -> Bool {
        all.allSatisfy { condition in value(condition.key).map(condition.holds) ?? false }
    }

    // MARK: Text

    private static func parts(of text: String) -> [String] {
        text.split(separator: ",", omittingEmptySubsequences: false).flatMap { part -> [String] in
            var words: [[Substring]] = [[]]
            for word in part.split(separator: " ") {
                if word == "and" { words.append([]) } else { words[words.count - 1].append(word) }
            }
            return words.map { $0.joined(separator: " ") }
        }
    }

    private static func condition(_ part: String) -> Condition? {
        guard let at = part.firstIndex(where: { "=<>!".contains($0) }) else {
            return part.isEmpty ? nil : Condition(key: "name", relation: .equal, wanted: part)
        }
        let rest = part[at...]
        guard let relation = Relation.allCases.first(where: { rest.hasPrefix($0.rawValue) }) else { return nil }
        let key = trimmed(part[..<at])
        let wanted = trimmed(rest.dropFirst(relation.rawValue.count))
        return key.isEmpty || wanted.isEmpty ? nil : Condition(key: key, relation: relation, wanted: wanted)
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }

    /// `*` stands for any text, an empty one too.
    public static func matches(_ text: String, _ pattern: String) -> Bool {
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard let first = parts.first, let last = parts.last, parts.count > 1 else { return text == pattern }
        guard text.hasPrefix(first), text.hasSuffix(last), text.count >= first.count + last.count else { return false }
        var rest = text.dropFirst(first.count).dropLast(last.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let end = end(of: part, in: rest) else { return false }
            rest = rest[end...]
        }
        return true
    }

    private static func end(of part: Substring, in text: Substring) -> Substring.Index? {
        var at = text.startIndex
        while at < text.endIndex {
            if text[at...].hasPrefix(part) { return text.index(at, offsetBy: part.count) }
            at = text.index(after: at)
        }
        return nil
    }
}
