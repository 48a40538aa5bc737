import BSSCore

/// Why a row of an annotation file gives no sample.
public struct RowProblem: Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        /// A medium that the row needs is not there, or holds too few frames.
        case missing
        /// A medium is empty, truncated or damaged.
        case unreadable
        /// The label is none of the collection's.
        case unlabelled
        /// The row itself cannot be read.
        case malformed
    }

    public let kind: Kind
    /// The sample's id, where the row has one.
    public let id: String
    /// "train.csv: line 14"
    public let place: String
    /// The medium's path inside the dataset's folder; empty where the row itself is wrong.
    public let path: String
    /// Whose medium it is; empty where the row itself is wrong.
    public let modality: String
    public let reason: String

    /// The path is named once: most reasons begin with it.
    public var line: String {
        path.isEmpty || reason.hasPrefix(path) ? "\(place): \(reason)" : "\(place): \(path): \(reason)"
    }

    /// `{ id, place, path, kind, reason }`
    public var value: Value {
        .fields([
            ("id", .string(id)), ("place", .string(place)), ("path", .string(path)), ("kind", .string(kind.rawValue)),
            ("reason", .string(reason)),
        ])
    }

    /// "12 rows left out: 10 with missing media, 2 unlabelled"
    static func counted(_ problems: [RowProblem]) -> String {
        let parts = Kind.allCases.compactMap { kind in
            let count = problems.count { $0.kind == kind }
            return count == 0
                ? nil
                : "\(count) "
                    + (kind == .missing
                        ? "with missing media" : kind == .unreadable ? "with unreadable media" : kind.rawValue)
        }
        return "\(problems.count) \(problems.count == 1 ? "row" : "rows") left out: " + parts.joined(separator: ", ")
    }
}

extension LoadingReport {
    /// Counts the rows that were left out, and names the first.
    static func tell(_ skipped: [RowProblem], of count: Int, _ operation: String) {
        guard !skipped.isEmpty else { return }
        let shown = 5
        let lines = skipped.prefix(shown).map { "\n  \($0.line)" }.joined()
        let more = skipped.count - shown
        note?(
            "\(operation): \(RowProblem.counted(skipped)) of \(count)\(lines)"
                + (more > 0 ? "\n  … \(more) more (data.skipped lists them)" : ""))
    }
}
