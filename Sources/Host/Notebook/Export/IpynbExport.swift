import BSSCore
import BSSSession

/// Jupyter's format, version 4.5.
///
/// Source: nbformat's JSON schema v4.5. The same notebook gives the same bytes: cell ids are hashes of positions, and
/// no times are written. A value's typed form is kept beside its text under `TypedValue.mimeType`.
public enum IpynbExport {
    public static func text(_ file: NotebookFile) -> String {
        var count = 0
        let cells = file.cells.enumerated().compactMap { i, cell -> Value? in
            if cell.kind == .code, cell.source.isEmpty, cell.outputs.isEmpty { return nil }
            let id = Value.string(cell.origin?.id ?? String(SHA256.hex("cell \(i + 1)").prefix(12)))
            let tags = cell.tags
            let own: [(String, Value)] = tags.isEmpty ? [] : [("tags", .list(tags))]
            let metadata: Value = .object(EmptyObject(kept(cell.origin?.metadata, without: ["tags"]) + own))
            guard cell.kind == .code else {
                let attachments = cell.origin?.attachments.map { [("attachments", $0)] } ?? []
                return .fields(
                    attachments + [
                        ("cell_type", .string(cell.kind.rawValue)), ("id", id), ("metadata", metadata),
                        ("source", lines(cell.source)),
                    ])
            }
            count += 1
            return .fields([
                ("cell_type", .string("code")), ("execution_count", .int(count)), ("id", id), ("metadata", metadata),
                ("outputs", .list(cell.outputs.map { output($0, count) })), ("source", lines(cell.source)),
            ])
        }
        let notebook: [(String, Value)] = [
            ("cells", .list(cells)),
            (
                "metadata",
                .fields(
                    kept(file.metadata, without: ["kernelspec", "language_info"]) + [
                        (
                            "kernelspec",
                            .fields([
                                ("display_name", .string("bss-lua")), ("language", .string("lua")),
                                ("name", .string("bss-lua")),
                            ])
                        ),
                        (
                            "language_info",
                            .fields([
                                ("codemirror_mode", .string("lua")), ("file_extension", .string(".lua")),
                                ("mimetype", .string("text/x-lua")), ("name", .string("lua")),
                                ("pygments_lexer", .string("lua")), ("version", .string("5.4")),
                            ])
                        ),
                    ])
            ),
            ("nbformat", .int(4)), ("nbformat_minor", .int(5)),
        ]
        return written(.fields(notebook), depth: 0) + "\n"
    }

    /// What a notebook that was read says beside ours; an empty object could not be told from a list, and is left out.
    private static func kept(_ metadata: Table?, without own: [String]) -> [(String, Value)] {
        (metadata?.fields ?? []).filter { key, value in !own.contains(key) && value.table?.isEmpty != true }.map {
            ($0.key, $0.value)
        }
    }

    private static func output(_ output: CellOutput, _ count: Int) -> Value {
        switch output.kind {
        case .stream,
            .unchecked where output.svg == nil:
            return .fields([
                ("name", .string("stdout")), ("output_type", .string("stream")), ("text", lines(output.text + "\n")),
            ])
        case .error:
            let message = output.text.hasPrefix("error: ") ? String(output.text.dropFirst(7)) : output.text
            return .fields([
                ("ename", .string("Error")), ("evalue", .string(message)), ("output_type", .string("error")),
                ("traceback", .list(message.split(separator: "\n").map(String.init))),
            ])
        default:
            var data: [(String, Value)] = []
            // A line that is no JSON, edited by hand say, has only its text.
            if let typed = output.typed, let value = try? JSON.parse(typed) {
                data.append((TypedValue.mimeType, value))
            }
            if let svg = output.svg { data.append(("image/svg+xml", lines(svg))) }
            data.append(("text/plain", lines(output.text)))
            let common: [(String, Value)] = [("data", .fields(data))]
            let none: (String, Value) = ("metadata", .object(EmptyObject([])))
            if output.svg != nil { return .fields(common + [none, ("output_type", .string("display_data"))]) }
            return .fields(
                common + [("execution_count", .int(count)), none, ("output_type", .string("execute_result"))])
        }
    }

    /// Jupyter's list of lines with their ends.
    private static func lines(_ text: String) -> Value {
        if text.isEmpty { return .list([Value]()) }
        var pieces = text.split(separator: "\n", omittingEmptySubsequences: false).map { $0 + "\n" }
        pieces[pieces.count - 1].removeLast()
        if pieces.last == "" { pieces.removeLast() }
        return .list(pieces.map { .string(String($0)) })
    }

    /// JSON with one blank a level, as Jupyter writes it; an empty table is a list, an `EmptyObject` an object.
    private static func written(_ value: Value, depth: Int) -> String {
        func block(_ open: String, _ rows: [String], _ close: String) -> String {
            if rows.isEmpty { return open + close }
            let indent = String(repeating: " ", count: depth + 1)
            return open + "\n" + rows.map { indent + $0 }.joined(separator: ",\n") + "\n"
                + String(repeating: " ", count: depth) + close
        }
        switch value {
        case .table(let table) where table.keys.isEmpty:
            return block("[", table.items.map { written($0, depth: depth + 1) }, "]")
        case .table(let table):
            return block(
                "{", table.fields.map { "\(JSON.text(.string($0.key))): \(written($0.value, depth: depth + 1))" }, "}")
        case .object(let object):
            let fields = (object as? EmptyObject)?.fields ?? []
            return block("{", fields.map { "\(JSON.text(.string($0.0))): \(written($0.1, depth: depth + 1))" }, "}")
        default: return TypedValue.text(value)
        }
    }

    /// A JSON object that may be empty: an empty `Table` would be written as a list.
    private final class EmptyObject: HostObject {
        let fields: [(String, Value)]
        init(_ fields: [(String, Value)]) { self.fields = fields }
        var objectType: ObjectType { EmptyObject.type }
        private static let type = ObjectType("object", help: "")
    }
}
