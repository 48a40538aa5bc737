import BSSLua
import BSSCore
import BSSSession

/// Markdown with code, outputs and figures in one file.
public enum MarkdownExport {
    public static func text(_ file: NotebookFile) -> String {
        var blocks: [String] = []
        for cell in file.cells {
            switch cell.kind {
            case .markdown: if !cell.source.isEmpty { blocks.append(cell.source) }
            case .raw: if !cell.source.isEmpty { blocks.append(fenced(cell.source, "text")) }
            case .code:
                if !cell.source.isEmpty { blocks.append(fenced(cell.source, "lua")) }
                for output in cell.outputs {
                    if let svg = output.svg {
                        let title = output.text.split(separator: "\n").first.map(String.init) ?? "figure"
                        let label = title.filter { $0 != "]" && $0 != "[" }
                        blocks.append("![\(label)](data:image/svg+xml;base64,\(base64(Array(svg.utf8))))")
                    } else if !output.text.isEmpty {
                        blocks.append(fenced(output.text, "text"))
                    }
                }
            }
        }
        return blocks.joined(separator: "\n\n") + "\n"
    }

    /// A fence longer than any in the text.
    private static func fenced(_ text: String, _ language: String) -> String {
        var fence = "```"
        while Bytes.find(fence, in: text) != nil { fence += "`" }
        return "\(fence)\(language)\n\(text)\n\(fence)"
    }

    /// RFC 4648.
    static func base64(_ bytes: [UInt8]) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let piece = bytes[start..<min(start + 3, bytes.count)]
            let bits = piece.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - piece.count))
            for k in 0..<4 { out.append(k <= piece.count ? letters[bits >> (18 - 6 * k) & 63] : UInt8(ascii: "=")) }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
