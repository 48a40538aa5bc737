import BSSCore

/// One row of an annotation file: a sample that may be, if its media are there.
struct AnnotatedRow: Sendable {
    let id: String
    /// An index into the set's classes.
    let label: Int
    let split: SplitName
    /// "train.csv: line 14"
    let place: String
    /// Texts and names that the modalities are found by, in the set's own order.
    var fields: [String] = []
}

/// Media and texts as annotation files describe them, before any medium is looked for: what `bss.data.folder`, the
/// digits, the emoji and the paper's six collections have in common.
struct AnnotatedSet {
    /// Where a modality of a row is.
    enum Source: Sendable {
        case file(String)
        /// A folder of pictures, `least` of them at least.
        case frames(String, least: Int)
        /// The first of these that is there.
        case either([Source])
        /// Frames of a recording.
        indirect case part(Source, Range<Int>)
    }

    /// A modality and how rows lead to it.
    struct Modality {
        enum Content {
            /// A medium a sample.
            case media(any SampleReader, (AnnotatedRow) -> Source)
            /// All samples at once, after the rows without media are gone; the shape of one, where it is known before,
            /// and the file of a row, where there is one.
            case whole(
                shape: [Int]? = nil, file: ((AnnotatedRow) -> Source)? = nil,
                ([AnnotatedRow]) throws -> BSSData.Modality)
        }
        let name: String
        /// nil: the rank of the first sample tells.
        let kind: BSSData.Modality.Kind?
        let content: Content
        /// What the list was taken to hold: "column 'wav', sound files".
        var origin: String?
        /// Its numbers have a common scale already.
        var isScaled = false

        /// How a row leads to a file, if it does.
        var find: ((AnnotatedRow) -> Source)? {
            switch content {
            case .media(_, let find): return find
            case .whole(_, let file, _): return file
            }
        }
    }

    let operation, name: String
    let folder: DataFolder
    /// Defined by the collection: some may have no sample here. A list's classes are those of its `labels`.
    var classes: [String] = []
    /// A list's labels as they are stored, row by row.
    var labels: DatasetDraft.Labels?
    var labelNames: [Int: String] = [:]
    var rows: [AnnotatedRow] = []
    var problems: [RowProblem] = []
    var modalities: [Modality] = []
    /// A share of the training samples to be drawn for validation.
    var holdout: (share: Double, seed: Int) = (0, 1)

    /// One of the known collections, whose classes its definition gives.
    var isCollection: Bool { labels == nil }

    init(_ operation: String, name: String, _ folder: DataFolder) {
        self.operation = operation
        self.name = name
        self.folder = folder
    }

    mutating func problem(_ kind: RowProblem.Kind, id: String = "", place: String, _ reason: String) {
        problems.append(RowProblem(kind: kind, id: id, place: place, path: "", modality: "", reason: reason))
    }

    /// Takes a row whose label is a class name, or reports it.
    mutating func add(
        id: String, className: String, split: SplitName, place: String, fields: [String] = [], known: [String: Int]
    ) {
        guard let label = known[className] else {
            let near =
                Text.nearest(to: className, in: Array(known.keys).sorted()).map { "; did the file mean '\($0)'?" } ?? ""
            return problem(.unlabelled, id: id, place: place, "'\(id)' has the unknown class '\(className)'\(near)")
        }
        rows.append(AnnotatedRow(id: id, label: label, split: split, place: place, fields: fields))
    }
}
