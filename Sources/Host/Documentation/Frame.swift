import BSSNotebook

/// What stands around every page: the list of pages, the search field.
struct Frame {
    let pages: [Site.Page]
    let version: String

    func page(_ page: Site.Page) -> String {
        document(title: "\(page.title) – bss-lua", main: page.body + neighbours(page), current: page)
    }

    /// The pages of the same kind before and after.
    private func neighbours(_ page: Site.Page) -> String {
        let row = pages.filter { $0.kind == page.kind }
        guard let place = row.firstIndex(where: { $0.name == page.name }) else { return "" }
        let before = place > 0 ? "<span>← \(link(row[place - 1]))</span>" : "<span></span>"
        let after = place + 1 < row.count ? "<span>\(link(row[place + 1])) →</span>" : ""
        return "\n<nav class=\"neighbours\" aria-label=\"Next pages\">\(before)\(after)</nav>"
    }

    /// The first page: what there is, by kind.
    func start() -> String {
        var main = """
            <h1>bss-lua \(version)</h1>
            <p>The laboratory for Balance-aware Sequence Sampling: scripts in Lua over a deep-learning engine of \
            its own.
            Every number on these pages was computed by the notebook that shows it.</p>

            """
        for kind in Site.Kind.allCases {
            let rows = pages.filter { $0.kind == kind }.map { "<li>\(link($0))</li>\n" }
            if !rows.isEmpty { main += "<h2>\(kind.heading)</h2>\n<ul>\n\(rows.joined())</ul>\n" }
        }
        return document(title: "bss-lua", main: main, current: nil)
    }

    private func link(_ page: Site.Page) -> String { "<a href=\"\(page.address)\">\(Markdown.inline(page.title))</a>" }

    private func document(title: String, main: String, current: Site.Page?) -> String {
        var list = "<p><a href=\"index.html\"><strong>bss-lua</strong></a></p>\n"
        list +=
            "<input id=\"search\" type=\"search\" placeholder=\"Search\" aria-label=\"Search\" autocomplete=\"off\">\n"
        list += "<ul id=\"found\" hidden></ul>\n"
        for kind in Site.Kind.allCases {
            let rows = pages.filter { $0.kind == kind }.map { page -> String in
                let here = page.name == current?.name ? " aria-current=\"page\"" : ""
                return "<li\(here)>\(link(page))</li>\n"
            }
            guard !rows.isEmpty else { continue }
            let isOpen = kind != .reference || current?.kind == .reference
            list += "<details\(isOpen ? " open" : "")><summary>\(kind.heading)</summary>\n"
            list += "<ul>\n\(rows.joined())</ul></details>\n"
        }
        let body = "<nav class=\"site\" aria-label=\"Pages\">\n\(list)</nav>\n<main>\n\(main)\n</main>"
        return HTML.page(title: title, body: body, style: Frame.style, scripts: ["search.js"])
    }

    private static let style = """
        body { max-width: 84rem; display: grid; grid-template-columns: 16rem minmax(0, 1fr); gap: 2.5rem; }
        nav.site { font-size: .92rem; position: sticky; top: 1rem; align-self: start; \
        max-height: 96vh; overflow-y: auto; }
        nav.site ul { list-style: none; padding-left: .6rem; margin: .3rem 0; }
        nav.site li[aria-current] a { font-weight: bold; color: var(--text); }
        nav.site summary { cursor: pointer; color: var(--soft); margin-top: .6rem; }
        #search { width: 100%; box-sizing: border-box; padding: .35rem .5rem; font: inherit; color: var(--text);
          background: var(--code); border: 1px solid var(--line); border-radius: 4px; }
        #found { border-bottom: 1px solid var(--line); padding-bottom: .5rem; }
        main { min-width: 0; max-width: 60rem; }
        h2 { margin-top: 2rem; }
        nav.neighbours { display: flex; justify-content: space-between; gap: 1rem; margin-top: 3rem;
          border-top: 1px solid var(--line); padding-top: .6rem; }
        @media (max-width: 50rem) {
          body { display: block; margin: 1rem auto; } nav.site { position: static; max-height: none; }
          table.options tr { display: block; border: 1px solid var(--line); margin-bottom: .4rem; padding: .3rem; }
          table.options tr:first-child { display: none; } table.options td { display: block; border: 0; padding: 0; }
          table.options td:nth-child(2)::before { content: "expects "; color: var(--soft); }
          table.options td:nth-child(3)::before { content: "default "; color: var(--soft); }
          nav.site details { display: none; } nav.site { border-bottom: 1px solid var(--line); padding-bottom: .6rem; }
        }
        """
}
