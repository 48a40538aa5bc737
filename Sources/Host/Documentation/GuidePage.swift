import BSSCore
import BSSNotebook
import BSSSession

/// A notebook as a page. Its first cell carries the tags: the kind (`tutorial`, `guide`, `explanation`) and a number
/// for the order within it.
enum GuidePage {
    static func page(_ name: String, _ file: NotebookFile) throws -> Site.Page {
        let tags = file.cells.first?.tags ?? []
        guard let kind = tags.compactMap({ Site.Kind(rawValue: $0) }).first else {
            let kinds = Site.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw BSSError(
                "docs", "\(name): the first cell has no tag that says its kind",
                hint: "-- %% [markdown] tags=[\"tutorial\", \"1\"]; kinds: \(kinds)", kind: .usage)
        }
        let headings = file.cells.filter { $0.kind == .markdown }.flatMap { Markdown.headings($0.source) }
        let page = name.split(separator: "_").joined(separator: "-")
        let text = file.cells.filter { $0.kind == .markdown }.map(\.source).joined(separator: " ")
        let entries = headings.map { heading in
            Site.Entry(
                title: heading.text, address: "\(page).html" + (heading.level == 1 ? "" : "#\(heading.anchor)"),
                words: heading.level == 1 ? text : "")
        }
        return Site.Page(
            kind: kind, name: page, title: headings.first?.text ?? name, body: HTMLExport.body(of: file),
            entries: entries, order: tags.compactMap { Int($0) }.first ?? 0)
    }
}
