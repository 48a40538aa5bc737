import BSSCore

/// What every page of ours shares: escaping, colours of code, the frame.
public enum HTML {
    public static func escaped(_ text: String) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }

    /// A page without anything from elsewhere. `scripts`: files beside it that it may run; none by default.
    public static func page(title: String, body: String, style: String = "", scripts: [String] = []) -> String {
        let allowed = scripts.isEmpty ? "" : " script-src 'self' file:;"
        let policy = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline';\(allowed)"
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(escaped(title))</title>
            <style>
            \(HTML.style)\(style.isEmpty ? "" : "\n\(style)")
            </style>
            \(scripts.map { "<script src=\"\($0)\" defer></script>\n" }.joined())</head>
            <body>
            \(body)
            </body>
            </html>

            """
    }

    private static let style = """
        :root { --text: #222; --back: #fff; --code: #f4f5f7; --line: #ccc; --soft: #5a6270; --link: #0550ae;
          --key: #8250df; --string: #0a6640; --number: #0550ae; --error: #a03000; }
        @media (prefers-color-scheme: dark) {
          :root { --text: #d8dce3; --back: #16191d; --code: #20252b; --line: #444c56; --soft: #9aa4b1; --link: #79b8ff;
            --key: #c9a7ff; --string: #8fd6a8; --number: #8ec7ff; --error: #ff9b7a; }
          figure img { background: #fff; }
        }
        body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.55 system-ui, sans-serif;
          color: var(--text); background: var(--back); }
        a { color: var(--link); }
        pre { overflow-x: auto; padding: .6rem .8rem; margin: .4rem 0; color: var(--text);
          font: 13px/1.45 ui-monospace, Menlo, Consolas, monospace; }
        code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .9em; }
        pre code { font-size: 1em; }
        pre.code { background: var(--code); border-left: 3px solid #0072b2; }
        pre.value, pre.stream { border-left: 3px solid var(--line); }
        pre.error { border-left: 3px solid #d55e00; color: var(--error); }
        section.cell { position: relative; }
        a.number { float: right; font: 12px ui-monospace, monospace; color: var(--soft); text-decoration: none; }
        figure { margin: .6rem 0; } figure img { max-width: 100%; height: auto; }
        table { border-collapse: collapse; display: block; overflow-x: auto; }
        td, th { border: 1px solid var(--line); padding: .2rem .6rem; text-align: left; }
        nav.contents { font-size: .9em; color: var(--soft); } nav.contents ul { list-style: none; padding-left: 1rem; }
        .k { color: var(--key); } .s { color: var(--string); } .n { color: var(--number); } .c { color: var(--soft); }
        @media print {
          body { max-width: none; margin: 0; } pre { white-space: pre-wrap; } nav, a.number { display: none; }
          section.cell, figure { break-inside: avoid; }
        }
        """
}
