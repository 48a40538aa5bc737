import BSSCore

/// Names that a script gives: of arms, metrics, seeds of a table.
public enum GivenNames {
    /// - Throws: kind `.usage`: a name that comes twice, whose values would count twice.
    public static func checkDistinct(_ names: [some Hashable], _ what: String, _ operation: String) throws {
        var seen: Set<AnyHashable> = []
        for name in names where !seen.insert(name).inserted {
            throw BSSError(operation, "\(what) '\(name)' comes twice", hint: "name it once", kind: .usage)
        }
    }

    /// - Throws: kind `.usage`: a name that is none of these.
    public static func check(_ names: [String], in known: [String], _ what: String, _ operation: String) throws {
        for name in names where !known.contains(name) {
            let near = Text.nearest(to: name, in: known).map { "did you mean '\($0)'?" }
            throw BSSError(
                operation, "\(what) '\(name)' is no metric",
                hint: near ?? "metrics: " + known.joined(separator: ", "), kind: .usage)
        }
    }
}
