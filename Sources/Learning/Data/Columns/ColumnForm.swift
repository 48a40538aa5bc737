import BSSCodecs
import BSSCore

/// How columns of a list become a modality.
enum ColumnForm {
    /// Names of files, one a sample; kind nil: the rank of the first tells.
    case media(Modality.Kind?, any SampleReader)
    /// Texts, in the list or in files that it names.
    case text(any TextForm, isFile: Bool)
    /// Numbers in the list.
    case numbers
}

/// How texts become numbers.
protocol TextForm {
    /// - Parameter texts: of one sample each; with a second text where there is one.
    func modality(
        _ name: String, _ texts: [(String, String?)], _ splits: [SplitName], _ operation: String
    ) throws -> Modality
    /// Of one sample, where it is known before.
    var shape: [Int]? { get }
}

/// A modality to be read from columns of a list.
struct ListedColumn {
    let name: String
    /// The first names the files; further ones hold text that is appended, or numbers.
    let columns: [String]
    let form: ColumnForm
    /// What the column was taken to hold, where the list does not say.
    var origin: String?

    init(_ name: String, column: String, more: [String] = [], _ form: ColumnForm, origin: String? = nil) {
        (self.name, columns, self.form, self.origin) = (name, [column] + more, form, origin)
    }

    /// - Parameter table: the list, whose rows are the fields of the set's rows.
    func modality(_ table: CSVTable, _ folder: DataFolder, _ operation: String) throws -> AnnotatedSet.Modality {
        let places = try folder.explained { try columns.map { try table.index(of: $0) } }
        let first = places.first ?? 0
        func file(_ row: AnnotatedRow) -> AnnotatedSet.Source { .file(row.fields[first]) }
        switch form {
        case .media(let kind, let reader):
            return .init(name: name, kind: kind, content: .media(reader, file), origin: origin)
        case .numbers:
            return .init(
                name: name, kind: .features,
                content: .whole(shape: [columns.count]) { rows in try numbers(rows, places, operation) },
                origin: origin)
        case .text(let form, let isFile):
            let content = AnnotatedSet.Modality.Content.whole(shape: form.shape, file: isFile ? file : nil) { rows in
                let texts = try rows.map { row in
                    var parts = places.map { row.fields[$0] }
                    if isFile { parts[0] = Text.decoded(file: try folder.read(parts[0])) }
                    return (parts.joined(separator: " "), String?.none)
                }
                return try form.modality(name, texts, rows.map(\.split), operation)
            }
            return .init(name: name, kind: .text, content: content, origin: origin, isScaled: true)
        }
    }

    private func numbers(_ rows: [AnnotatedRow], _ places: [Int], _ operation: String) throws -> Modality {
        var values: [Double] = []
        try Memory.reserve(rows.count, of: 12 * places.count, operation, "the numbers of '\(name)'")
        values.reserveCapacity(rows.count * places.count)
        for row in rows {
            for (place, column) in zip(places, columns) {
                guard let value = Text.double(row.fields[place]) else {
                    throw BSSError(
                        operation,
                        "\(row.place), column '\(column)': a number was expected, got '\(row.fields[place])'",
                        kind: .data)
                }
                values.append(value)
            }
        }
        return Modality(name, .features, shape: [places.count], exact: values)
    }
}
