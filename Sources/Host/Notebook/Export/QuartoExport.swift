import BSSCore
import BSSSession

/// Quarto's source form: text as it is, code in cells that Quarto runs with our kernel. Outputs are Quarto's to make.
public enum QuartoExport {
    public static func text(_ file: NotebookFile, title: String) -> String {
        var blocks = ["---\ntitle: \(JSON.text(.string(title)))\njupyter: bss-lua\n---"]
        var needsTitle = true
        for cell in file.cells where !cell.source.isEmpty {
            switch cell.kind {
            case .markdown:
                var text = cell.source
                // The first heading is the title.
                if needsTitle, text.hasPrefix("# ") {
                    text = String(text.drop { !$0.isNewline }.drop { $0.isNewline })
                    needsTitle = false
                }
                if !text.isEmpty { blocks.append(text) }
            case .raw: blocks.append(MarkdownExport.fenced(cell.source, "text"))
            case .code: blocks.append(MarkdownExport.fenced(options(cell) + cell.source, "{lua}"))
            }
        }
        return blocks.joined(separator: "\n\n") + "\n"
    }

    /// Tags, as comments that Quarto reads; a cell that may fail says so.
    private static func options(_ cell: NotebookFile.Cell) -> String {
        let tags = cell.tags
        guard !tags.isEmpty else { return "" }
        let list = tags.map { JSON.text(.string($0)) }.joined(separator: ", ")
        return "--| tags: [\(list)]\n" + (tags.contains(NotebookRun.failureTag) ? "--| error: true\n" : "")
    }
}
