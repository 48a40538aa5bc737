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

    var value: Value {
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

/// What loading tells whoever shows it: how far it is, and what it left out. Set once by the program.
public enum LoadingReport {
    /// (what, done, of, seconds so far); a final call has done = of.
    nonisolated(unsafe) public static var progress: ((String, Int, Int, Double) -> Void)?
    nonisolated(unsafe) public static var note: ((String) -> Void)?
}
