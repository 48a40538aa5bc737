import BSSCore
import BSSRuns

/// `--only`: which of the planned runs. Conditions stand between commas and all must hold: `seed=3`, `arm=BSS*`, a
/// field of the arm or a parameter (`alpha=0.2`), or a bare text, the arm's name; `*` stands for any text.
public struct RunFilter {
    private let conditions: [(key: String, pattern: String)]

    /// - Throws: kind `.usage` for an empty condition.
    public init(_ text: String) throws {
        conditions = try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(RunFilter.trim)
            guard words.allSatisfy({ !$0.isEmpty }) else {
                throw BSSError("--only", "'\(part)' is no condition: NAME, arm=NAME, seed=N or key=VALUE", kind: .usage)
            }
            return words.count == 2 ? (words[0], words[1]) : ("arm", words[0])
        }
    }

    public func holds(_ run: RunStore.PlannedRun) -> Bool {
        conditions.allSatisfy { key, pattern in
            let value: Value?
            switch key {
            case "arm", "name": value = .string(run.name)
            case "seed": value = run.content["seed"]
            default:
                value = run.content.value(atPath: "arm.\(key)") ?? run.content.value(atPath: "parameters.\(key)")
            }
            guard let value else { return false }
            return RunFilter.matches(value.string ?? JSON.lua(value), pattern)
        }
    }

    private static func trim(_ text: Substring) -> String {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }

    /// `*` stands for any text, an empty one too.
    static func matches(_ text: String, _ pattern: String) -> Bool {
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard let first = parts.first, let last = parts.last, parts.count > 1 else { return text == pattern }
        guard text.hasPrefix(first), text.hasSuffix(last), text.count >= first.count + last.count else { return false }
        var rest = text.dropFirst(first.count).dropLast(last.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let end = RunFilter.end(of: part, in: rest) else { return false }
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
