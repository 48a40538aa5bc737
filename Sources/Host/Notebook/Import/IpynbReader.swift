import BSSCore
import BSSLua
import BSSSession

/// A notebook of Jupyter's format as ours: `nb run`, `check` and `export` take both.
///
/// Source: nbformat's JSON schemas v4.0 to v4.5.
enum IpynbReader {
    /// - Throws: kind `.data`: no notebook, one of an older format, one in another language.
    static func file(_ text: String, path: String) throws -> NotebookFile {
        guard let book = try JSON.parse(text, source: path).table, let cells = book["cells"]?.table,
            let version = book["nbformat"]?.int
        else { throw wrong("\(path) is no notebook of Jupyter's format 4") }
        guard version == 4 else {
            throw wrong(
                "\(path) has Jupyter's format \(version)", "jupyter nbconvert --to notebook brings it to format 4")
        }
        let language =
            book.value(atPath: "metadata.language_info.name") ?? book.value(atPath: "metadata.kernelspec.language")
        if let name = language?.string, name.lowercased() != "lua" {
            throw wrong("\(path) is a notebook in \(name)", "bss-lua runs Lua")
        }
        var file = NotebookFile()
        file.metadata = book["metadata"]?.table
        let name = path.split(separator: "/").last.map(String.init) ?? path
        for (number, value) in cells.items.enumerated() {
            guard let record = value.table, let kind = record["cell_type"]?.string else {
                throw wrong("\(path): cell \(number + 1) has no type")
            }
            file.cells.append(try cell(record, kind, "\(name), cell \(number + 1)"))
        }
        return file
    }

    private static func wrong(_ message: String, _ hint: String? = nil) -> BSSError {
        BSSError("nb", message, hint: hint, kind: .data)
    }

    private static func cell(_ record: Table, _ word: String, _ place: String) throws -> NotebookFile.Cell {
        guard let kind = NotebookFile.Kind(rawValue: word) else { throw wrong("\(place) is of the kind '\(word)'") }
        let metadata = record["metadata"]?.table ?? Table()
        let tags = metadata["tags"]?.table?.items.compactMap(\.string) ?? []
        let words = kind == .code ? "" : " [\(kind.rawValue)]"
        let list = tags.map { "\"\($0)\"" }.joined(separator: ", ")
        let outputs = record["outputs"]?.table?.items.compactMap(\.table).compactMap(output) ?? []
        var cell = NotebookFile.Cell(
            kind, header: words + (tags.isEmpty ? "" : " tags=[\(list)]"), source: joined(record["source"]),
            outputs: merged(outputs))
        cell.place = place
        cell.origin = .init(id: record["id"]?.string, metadata: metadata, attachments: record["attachments"])
        return cell
    }

    /// A text, which may be a list of lines with their ends.
    private static func joined(_ value: Value?) -> String {
        value?.string ?? value?.table?.items.compactMap(\.string).joined() ?? ""
    }

    /// What the cell showed; standard error is no output, here as in our files.
    private static func output(_ record: Table) -> CellOutput? {
        switch record["output_type"]?.string {
        case "stream":
            guard record["name"]?.string == "stdout" else { return nil }
            return CellOutput(.stream, text: joined(record["text"]))
        case "error":
            let message = withoutPlace(joined(record["evalue"]))
            return CellOutput(.error, text: "error: " + message, typed: TypedValue.error(message))
        default:
            let data = record["data"]?.table ?? Table()
            let drawing = joined(data["image/svg+xml"])
            return CellOutput(
                .value, text: joined(data["text/plain"]), typed: data[TypedValue.mimeType].map(TypedValue.text),
                svg: drawing.isEmpty ? nil : drawing)
        }
    }

    /// A kernel sends standard output in pieces; in a file it is one.
    private static func merged(_ outputs: [CellOutput]) -> [CellOutput] {
        var merged: [CellOutput] = []
        for output in outputs {
            if output.kind == .stream, let place = merged.firstIndex(where: { $0.kind == .stream }) {
                merged[place].text += output.text
            } else {
                merged.append(output)
            }
        }
        for place in merged.indices where merged[place].kind == .stream && merged[place].text.hasSuffix("\n") {
            merged[place].text.removeLast()
        }
        // What is printed stands before the results.
        return merged.filter { $0.kind == .stream } + merged.filter { $0.kind != .stream }
    }

    /// `cell 3:1: too deep`, as a kernel tells errors, without the place.
    private static func withoutPlace(_ message: String) -> String {
        let parts = message.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].hasPrefix("cell "), Int(parts[0].dropFirst(5)) != nil, Int(parts[1]) != nil
        else { return message }
        return parts[2].drop { $0 == " " }.description
    }
}
