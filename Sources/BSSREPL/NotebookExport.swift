import BSSCore
import BSSLuaHost

/// A notebook that has been run, in other formats: Jupyter 4.5, Markdown, HTML. No times: equal runs give equal files.
enum NotebookExport {
    typealias Executed = (section: Notebook.Section, cell: Cell?)

    // MARK: Jupyter (nbformat 4.5)

    static func jupyter(_ sections: [Executed]) -> String {
        let cells = sections.enumerated().map { index, entry -> String in
            let (section, cell) = entry
            let head = "\"id\": \"cell-\(index + 1)\", \"metadata\": {}, \"source\": \(lines(section.text))"
            guard section.kind == .code else { return "{\"cell_type\": \"markdown\", \(head)}" }
            let number = cell.map { String($0.number) } ?? "null"
            return "{\"cell_type\": \"code\", \"execution_count\": \(number), \(head), \"outputs\": [\(cell.map(outputs) ?? "")]}"
        }
        return """
            {
             "cells": [
              \(cells.joined(separator: ",\n  "))
             ],
             "metadata": {
              "kernelspec": {"display_name": "bss-lua", "language": "lua", "name": "bss-lua"},
              "language_info": {"file_extension": ".lua", "mimetype": "text/x-lua", "name": "lua"}
             },
             "nbformat": 4,
             "nbformat_minor": 5
            }

            """
    }

    private static func outputs(_ cell: Cell) -> String {
        var out: [String] = []
        if !cell.printed.isEmpty {
            out.append("{\"output_type\": \"stream\", \"name\": \"stdout\", \"text\": \(lines(cell.printed.joined(separator: "\n") + "\n"))}")
        }
        if !cell.shown.isEmpty {
            out.append("{\"output_type\": \"execute_result\", \"execution_count\": \(cell.number), \"metadata\": {}, \"data\": {\"text/plain\": \(lines(cell.shown.joined(separator: "\n")))}}")
        }
        for picture in cell.pictures {
            out.append("{\"output_type\": \"display_data\", \"metadata\": {}, \"data\": {\"image/svg+xml\": \(lines(picture))}}")
        }
        if let error = cell.error {
            let frames = [error.located] + (error.traceback ?? "").split(separator: "\n").map(String.init)
            out.append("{\"output_type\": \"error\", \"ename\": \"\(error.kind)\", \"evalue\": \(quoted(error.located)), \"traceback\": [\(frames.map(quoted).joined(separator: ", "))]}")
        }
        return out.joined(separator: ", ")
    }

    private static func quoted(_ text: String) -> String { JSON.text(.string(text)) }

    /// Text as nbformat's list of lines, each with its line end.
    private static func lines(_ text: String) -> String {
        var pieces = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) + "\n" }
        if let last = pieces.popLast(), last != "\n" { pieces.append(String(last.dropLast())) }
        return "[\(pieces.map(quoted).joined(separator: ", "))]"
    }

    // MARK: Markdown

    /// - Parameter picture: stores an SVG and gives its path.
    static func markdown(_ sections: [Executed], picture: (String) throws -> String) rethrows -> String {
        try sections.map { section, cell in
            guard section.kind == .code else { return section.text + "\n" }
            var out = "```lua\n\(section.text)\n```\n"
            guard let cell else { return out }
            let text = cell.output + (cell.error.map { ["error: " + $0.located] } ?? [])
            if !text.isEmpty { out += "\n```\n\(text.joined(separator: "\n"))\n```\n" }
            for svg in cell.pictures { out += "\n![figure](\(try picture(svg)))\n" }
            return out
        }.joined(separator: "\n")
    }

    // MARK: HTML

    static func html(_ sections: [Executed], title: String) -> String {
        let body = sections.map { section, cell -> String in
            guard section.kind == .code else { return paragraphs(section.text) }
            var out = "<pre class=\"code\">\(escaped(section.text))</pre>\n"
            if let cell {
                if !cell.output.isEmpty { out += "<pre class=\"output\">\(escaped(cell.output.joined(separator: "\n")))</pre>\n" }
                out += cell.pictures.map { "<figure>\(withoutProlog($0))</figure>\n" }.joined()
                if let error = cell.error { out += "<pre class=\"error\">\(escaped(error.located))</pre>\n" }
            }
            return out
        }
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(escaped(title))</title>
            <style>
            body { max-width: 50em; margin: 2em auto; padding: 0 1em; font: 16px/1.5 sans-serif; color: #222; }
            pre { padding: .6em .8em; overflow-x: auto; font: 14px/1.4 monospace; }
            pre.code { background: #f4f4f2; border-left: 3px solid #4477aa; }
            pre.error { background: #fdecea; }
            </style></head><body>
            \(body.joined(separator: "\n"))
            </body></html>

            """
    }

    /// Headings and paragraphs; other Markdown stays as typed.
    private static func paragraphs(_ text: String) -> String {
        var out = "", paragraph: [Substring] = []
        func close() {
            if !paragraph.isEmpty { out += "<p>\(paragraph.map(escaped).joined(separator: "<br>\n"))</p>\n" }
            paragraph = []
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let level = line.prefix { $0 == "#" }.count
            if (1...6).contains(level), line.dropFirst(level).hasPrefix(" ") {
                close()
                out += "<h\(level)>\(escaped(line.dropFirst(level + 1)))</h\(level)>\n"
            } else if line.trimmed.isEmpty {
                close()
            } else {
                paragraph.append(line)
            }
        }
        close()
        return out
    }

    private static func withoutProlog(_ svg: String) -> Substring { svg.range(of: "<svg").map { svg[$0.lowerBound...] } ?? Substring(svg) }

    private static func escaped(_ text: some StringProtocol) -> String {
        var out = ""
        for character in text {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            default: out.append(character)
            }
        }
        return out
    }
}
