import BSSCore

/// What makes two runs the same run: configuration, parameters, sources, callbacks, data and engine, each by value or
/// by hash. The id is a prefix of their hash, so a finished run is found again, and a changed input gives a new id and
/// says which part changed.
public struct RunIdentity: Equatable {
    /// Named values or hashes; tables where one part has several (`sources.train.lua`, `parameters.k`).
    public let parts: Table
    /// Twelve hexadecimal digits.
    public let id: String

    /// - Parameter id: a given one, of a planned run; else it follows from the parts.
    public init(_ parts: Table, id: String? = nil) {
        self.parts = parts
        self.id = id ?? String(CanonicalText.hash(.table(parts)).prefix(12))
    }

    /// Names of the parts in which two identities differ: `parameters.k (50, was 20)`.
    public static func differences(_ own: Table, _ other: Table) -> [String] {
        func short(_ value: Value) -> String {
            guard let text = value.string, text.utf8.count >= 40 else { return JSON.lua(value) }
            return String(text.prefix(8))
        }
        return own.differences(from: other).map { difference in
            let isHash = [difference.own, difference.other].contains { ($0.string?.utf8.count ?? 0) >= 40 }
            return isHash
                ? difference.path : "\(difference.path) (\(short(difference.own)), was \(short(difference.other)))"
        }
    }

    public static func == (a: RunIdentity, b: RunIdentity) -> Bool {
        a.id == b.id && CanonicalText.of(.table(a.parts)) == CanonicalText.of(.table(b.parts))
    }
}
