import BSSCore
import BSSLua
import BSSNotebook

/// Every declared name as a page of its namespace, and every kind of object as one of its own.
enum ReferencePages {
    static func pages(_ root: Namespace, commands: [(name: String, text: String)]) -> [Site.Page] {
        var pages: [Site.Page] = []
        func visit(_ namespace: Namespace, _ path: String) {
            pages.append(page(namespace, path, order: path == root.name ? 1 : 2))
            for case .namespace(let child) in namespace.entries { visit(child, "\(path).\(child.name)") }
        }
        visit(root, root.name)
        pages += root.allTypes.map(page)
        return pages + [commandLine(commands)] + PresetPage.pages(root)
    }

    private static func commandLine(_ commands: [(name: String, text: String)]) -> Site.Page {
        var body = "<h1>The command line</h1>\n"
        for command in commands {
            body += "<h2 id=\"\(command.name)\"><code>\(command.name)</code></h2>\n"
            body += "<pre>\(HTML.escaped(command.text))</pre>\n"
        }
        for list in CommandReference.lists {
            let rows = list.rows.map { "<tr><td><code>\($0.0)</code></td><td>\(HTML.escaped($0.1))</td></tr>\n" }
            body += "<h2 id=\"\(Markdown.anchor(list.title))\">\(list.title)</h2>\n<table>\n\(rows.joined())</table>\n"
        }
        let lists = CommandReference.lists.map { list in
            Site.Entry(
                title: list.title, address: "command-line.html#\(Markdown.anchor(list.title))",
                words: list.rows.map { "\($0.0) \($0.1)" }.joined(separator: " "))
        }
        let entries = commands.map { command in
            Site.Entry(title: command.name, address: "command-line.html#\(command.name)", words: command.text)
        }
        return Site.Page(
            kind: .reference, name: "command-line", title: "The command line", body: body,
            entries: entries + lists)
    }

    // MARK: Namespaces

    private static func page(_ namespace: Namespace, _ path: String, order: Int) -> Site.Page {
        var body = "<h1><code>\(path)</code></h1>\n<p>\(Markdown.inline(namespace.help))</p>\n"
        var entries = [Site.Entry(title: path, address: "\(path).html", words: namespace.help)]
        for entry in namespace.entries {
            let full = "\(path).\(entry.name)"
            switch entry {
            case .function(let function):
                body += text(function, path: full, anchor: function.name)
                entries.append(self.entry(function, full, "\(path).html#\(function.name)"))
            case .namespace(let child):
                body += "<p><a href=\"\(full).html\"><code>\(full)</code></a>: \(Markdown.inline(child.help))</p>\n"
            case .value(_, let help, _):
                body += "<h2 id=\"\(entry.name)\"><code>\(full)</code></h2>\n<p>\(Markdown.inline(help))</p>\n"
            }
        }
        return Site.Page(kind: .reference, name: path, title: path, body: body, entries: entries, order: order)
    }

    // MARK: Objects

    private static func page(_ type: ObjectType) -> Site.Page {
        let name = "object-" + type.name.split(separator: " ").joined(separator: "-")
        var body = "<h1>\(HTML.escaped(type.name))</h1>\n<p>\(Markdown.inline(type.help))</p>\n"
        var entries = [Site.Entry(title: type.name, address: "\(name).html", words: type.help)]
        if !type.properties.isEmpty {
            let rows = type.properties.map { property in
                "<tr id=\"\(property.name)\"><td><code>\(property.name)</code></td>"
                    + "<td>\(Markdown.inline(property.help))</td></tr>\n"
            }
            body += "<h2>Properties</h2>\n<table>\n\(rows.joined())</table>\n"
            entries += type.properties.map {
                Site.Entry(title: "\(type.name).\($0.name)", address: "\(name).html#\($0.name)", words: $0.help)
            }
        }
        for method in type.methods {
            body += text(method, path: ":\(method.name)", anchor: method.name)
            entries.append(entry(method, "\(type.name):\(method.name)", "\(name).html#\(method.name)"))
        }
        if !type.operators.isEmpty {
            let names = type.operators.keys.sorted().map { "<code>\($0.dropFirst(2))</code>" }
            body += "<h2>Operators</h2>\n<p>\(names.joined(separator: ", "))</p>\n"
        }
        return Site.Page(kind: .reference, name: name, title: type.name, body: body, entries: entries, order: 3)
    }

    // MARK: Functions

    private static func entry(_ function: Function, _ title: String, _ address: String) -> Site.Entry {
        let options = function.arguments.map { "\($0.name) \($0.help)" }.joined(separator: " ")
        return Site.Entry(title: title, address: address, words: "\(function.summary) \(options)")
    }

    private static func text(_ function: Function, path: String, anchor: String) -> String {
        let signature = path + function.callForm.dropFirst(function.name.count)
        var out = "<h2 id=\"\(anchor)\"><code>\(HTML.escaped(path))</code></h2>\n"
        out += "<pre class=\"code\"><code>\(HTMLExport.coloured(signature))</code></pre>\n"
        out += "<p>\(Markdown.inline(function.summary))</p>\n"
        if !function.arguments.isEmpty {
            let rows = function.arguments.map { argument in
                let value =
                    argument.isRequired ? "required" : "<code>\(HTML.escaped(JSON.lua(argument.defaultPlain)))</code>"
                let names = ([argument.name] + argument.aliases).map { "<code>\($0)</code>" }.joined(separator: ", ")
                return "<tr><td>\(names)</td><td>\(HTML.escaped(argument.expected))</td><td>\(value)</td>"
                    + "<td>\(Markdown.inline(argument.help))</td></tr>\n"
            }
            out +=
                "<table class=\"options\">\n<tr><th>option</th><th>expects</th><th>default</th><th>meaning</th></tr>\n"
            out += "\(rows.joined())</table>\n"
        }
        if let rest = function.restHelp { out += "<p>Further fields: \(Markdown.inline(rest))</p>\n" }
        if !function.returns.isEmpty { out += "<p>Returns: \(HTML.escaped(function.returns))</p>\n" }
        if let example = function.example {
            out += "<pre class=\"code\"><code>\(HTMLExport.coloured(example))</code></pre>\n"
        }
        if let source = function.source { out += "<p>Source: \(HTML.escaped(source))</p>\n" }
        return out
    }
}
