import BSSCore
import BSSLua
import BSSSession

/// Markdown with code and outputs; figures are files beside it, or in it.
public enum MarkdownExport {
    /// A drawing that the text names.
    public struct Picture {
        /// Relative to the text's folder.
        public let path: String
        public let svg: String
    }

    /// - Parameter folder: where figures are put, relative to the text's; nil: they stand in the text.
    public static func text(_ file: NotebookFile, figures folder: String?) -> (text: String, pictures: [Picture]) {
        var blocks: [String] = []
        var pictures: [Picture] = []
        for cell in file.cells {
            switch cell.kind {
            case .markdown: if !cell.source.isEmpty { blocks.append(cell.source) }
            case .raw: if !cell.source.isEmpty { blocks.append(fenced(cell.source, "text")) }
            case .code:
                if !cell.source.isEmpty { blocks.append(fenced(cell.source, "lua")) }
                for output in cell.outputs {
                    if let svg = output.svg {
                        let label = output.alternative.filter { $0 != "]" && $0 != "[" }
                        var target = "data:image/svg+xml;base64,\(Text.base64(Array(svg.utf8)))"
                        if let folder {
                            pictures.append(Picture(path: "\(folder)/figure-\(pictures.count + 1).svg", svg: svg))
                            target = address(pictures[pictures.count - 1].path)
                        }
                        blocks.append("![\(label)](\(target))")
                    } else if !output.text.isEmpty {
                        blocks.append(fenced(output.text, "text"))
                    }
                }
            }
        }
        return (blocks.joined(separator: "\n\n") + "\n", pictures)
    }

    /// A path as a link has it: what ends a link is written by its number.
    private static func address(_ path: String) -> String {
        path.utf8.map { byte in
            let isPlain =
                (48...57).contains(byte) || (97...122).contains(byte | 0x20) || "-_./~".utf8.contains(byte)
            return isPlain ? String(UnicodeScalar(byte)) : Text.format("%%%02X", Int(byte))
        }.joined()
    }

    /// A fence longer than any in the text.
    static func fenced(_ text: String, _ language: String) -> String {
        var fence = "```"
        while Bytes.find(fence, in: text) != nil { fence += "`" }
        return "\(fence)\(language)\n\(text)\n\(fence)"
    }
}
