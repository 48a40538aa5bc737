import BSSCore
import BSSLua

/// One output of a cell: what a reader sees and what is compared.
public struct CellOutput: Equatable {
    public enum Kind: Equatable { case stream, value, error, unchecked }

    public var kind: Kind
    /// Text for readers, without escape sequences.
    public var text: String
    /// The typed value as JSON, for values and errors.
    public var typed: String?
    /// A drawing.
    public var svg: String?

    public init(_ kind: Kind, text: String, typed: String? = nil, svg: String? = nil) {
        self.kind = kind
        self.text = text
        self.typed = typed
        self.svg = svg
    }

    /// What a drawing shows, in words: its title.
    public var alternative: String {
        if let svg, let start = Bytes.find("<title>", in: svg), let end = Bytes.find("</title>", in: svg), start < end {
            let title = String(decoding: svg.utf8.dropFirst(start + 7).prefix(end - start - 7), as: UTF8.self)
            return CellOutput.entities.reduce(title) { text, entity in
                text.split(separator: entity.name, omittingEmptySubsequences: false).joined(separator: entity.sign)
            }
        }
        return text.split(separator: "\n").first.map { $0.trimmed } ?? "figure"
    }
    private static let entities = [
        (name: "&lt;", sign: "<"), (name: "&gt;", sign: ">"), (name: "&quot;", sign: "\""), (name: "&amp;", sign: "&"),
    ]

    public static let textMark = "-->", typedMark = "--=", drawingMark = "--~"

    /// The comment lines of the file.
    var lines: [String] {
        func marked(_ mark: String, _ text: String) -> [String] {
            text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? mark : "\(mark) \($0)" }
        }
        var out = text.isEmpty && kind != .stream ? [] : marked(CellOutput.textMark, text)
        if let svg { out += marked(CellOutput.drawingMark, svg.last == "\n" ? String(svg.dropLast()) : svg) }
        switch kind {
        case .stream: out.append(CellOutput.typedMark + " " + #"{"kind":"text"}"#)
        case .value, .error: out.append(CellOutput.typedMark + " " + (typed ?? #"{"kind":"opaque"}"#))
        case .unchecked: break
        }
        return out
    }
}

/// Collects output lines into outputs: a typed line ends one.
struct OutputReader {
    private var outputs: [CellOutput] = []
    private var text: [String] = []
    private var drawing: [String] = []

    /// False: not an output line.
    mutating func take(_ line: String) -> Bool {
        func rest(_ mark: String) -> String? {
            guard line.hasPrefix(mark) else { return nil }
            let rest = line.dropFirst(mark.count)
            return rest.isEmpty ? "" : rest.first == " " ? String(rest.dropFirst()) : nil
        }
        if let shown = rest(CellOutput.textMark) {
            text.append(shown)
        } else if let svg = rest(CellOutput.drawingMark) {
            drawing.append(svg)
        } else if let typed = rest(CellOutput.typedMark) {
            close(typed)
        } else {
            return false
        }
        return true
    }

    private mutating func close(_ typed: String?) {
        let kind: CellOutput.Kind
        switch typed.flatMap(TypedValue.kind) {
        case "text": kind = .stream
        case "error": kind = .error
        case nil: kind = .unchecked
        default: kind = .value
        }
        let svg = drawing.isEmpty ? nil : drawing.joined(separator: "\n") + "\n"
        outputs.append(
            CellOutput(
                kind, text: text.joined(separator: "\n"), typed: kind == .value || kind == .error ? typed : nil,
                svg: svg))
        text = []
        drawing = []
    }

    mutating func finish() -> [CellOutput] {
        if !text.isEmpty || !drawing.isEmpty { close(nil) }
        return outputs
    }
}
