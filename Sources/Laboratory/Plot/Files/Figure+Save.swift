import BSSCore

extension Figure {
    public enum Form: String, CaseIterable, Sendable { case csv, svg, gp, txt, pdf, png }

    /// Forms of other programs: an ending that asks for one of them is a mistake, not part of the name.
    private static let foreign: Set<String> = [
        "jpg", "jpeg", "gif", "webp", "tif", "tiff", "bmp", "eps", "ps", "tex", "html", "json", "xlsx",
    ]

    /// Writes one form if the ending names it; without an ending `path.csv`, `path.svg`, `path.gp`, and `path.pdf` if
    /// gnuplot is there. Folders are made.
    ///
    /// - Returns: the files written.
    @discardableResult
    public func save(_ path: String, size: Size = .text) throws -> [String] {
        try check()
        let file = path.split(separator: "/").last.map(String.init) ?? ""
        guard !file.isEmpty, !path.hasSuffix("/"), !path.utf8.contains(0) else {
            throw BSSError(
                "save", "'\(path)' names no file", hint: "give a name such as \"figures/accuracy\"", kind: .usage)
        }
        if let slash = path.lastIndex(of: "/") { try Files.makeFolder(String(path[..<slash])) }
        let ending = file.lastIndex(of: ".").map { String(file[file.index(after: $0)...]).lowercased() } ?? ""
        if let form = Form(rawValue: ending), file.count > ending.count + 1 {
            try write(form, to: path, size)
            return [path]
        }
        guard !Figure.foreign.contains(ending) else {
            throw BSSError(
                "save", "cannot write .\(ending) files",
                hint: "known: " + Form.allCases.map(\.rawValue).joined(separator: ", "), kind: .usage)
        }
        let forms: [Form] = [.csv, .svg, .gp] + (Gnuplot.find() == nil ? [] : [.pdf])
        for form in forms { try write(form, to: "\(path).\(form)", size) }
        return forms.map { "\(path).\($0)" }
    }

    private func write(_ form: Form, to path: String, _ size: Size) throws {
        switch form {
        case .csv: try Files.write(csv(), to: path)
        case .svg: try Files.write(svg(), to: path)
        case .txt: try Files.write(text(on: Display()) + "\n", to: path)
        case .gp:
            // The picture lands beside the script when gnuplot runs in its folder.
            let name = String(path.split(separator: "/").last ?? "figure").dropLast(3)
            try Files.write(gnuplot(output: name + ".pdf", size: size), to: path)
        case .pdf: try Gnuplot.draw(self, as: .pdf, to: path, size: size)
        case .png: try Gnuplot.draw(self, as: .png, to: path, size: size)
        }
    }
}
