import BSSCore
import BSSLua
import BSSNotebook

/// What the presets hold, dataset by dataset: asked of them, so that the page says what a script gets.
enum PresetPage {
    static func pages(_ root: Namespace) -> [Site.Page] {
        guard case .namespace(let presets)? = root["preset"], case .namespace(let data)? = root["data"] else {
            return []
        }
        // Those that take the name of a dataset alone.
        let makers = presets.entries.compactMap { entry -> Function? in
            guard case .function(let function) = entry, !function.arguments.contains(where: \.isRequired) else {
                return nil
            }
            return function
        }
        let usual = options(makers, "generic")
        let named = data.entries.map(\.name).map { (name: $0, rows: options(makers, $0)) }
            .filter { dataset in dataset.rows.contains { row in !usual.contains { $0 == row } } }
        var body = "<h1>Presets</h1>\n<p>The options of <code>bss.preset.<i>name</i>(dataset)</code> with the learned "
        body += "scheduler. What is not named here gets the generic ones.</p>\n"
        var entries = [
            Site.Entry(title: "Presets", address: "presets.html", words: makers.map(\.summary).joined(separator: " "))
        ]
        for dataset in [(name: "generic", rows: usual)] + named {
            body += "<h2 id=\"\(dataset.name)\"><code>\(dataset.name)</code></h2>\n" + table(makers, dataset.rows)
            entries.append(
                Site.Entry(title: "presets: \(dataset.name)", address: "presets.html#\(dataset.name)", words: ""))
        }
        return [Site.Page(kind: .reference, name: "presets", title: "Presets", body: body, entries: entries)]
    }

    /// Rows: an option, and what each preset has for it.
    private static func options(_ makers: [Function], _ dataset: String) -> [[String]] {
        // A preset that refuses a name has no column for it.
        let tables = makers.map { (try? $0.call([.string(dataset)]))?.first?.table.map(flat) ?? [] }
        var keys: [String] = []
        for table in tables { for (key, _) in table where !keys.contains(key) { keys.append(key) } }
        return keys.map { key in [key] + tables.map { table in table.first { $0.key == key }?.text ?? "" } }
    }

    private static func flat(_ table: Table) -> [(key: String, text: String)] {
        table.fields.flatMap { key, value -> [(key: String, text: String)] in
            guard case .table(let inner) = value, !inner.keys.isEmpty else { return [(key, shown(value))] }
            return flat(inner).map { ("\(key).\($0.key)", $0.text) }
        }
    }

    private static func shown(_ value: Value) -> String {
        if case .object(let object) = value {
            guard let part = object as? any ConfiguredObject else { return object.summary }
            return JSON.lua(.table(part.configuration))
        }
        return value.string ?? JSON.lua(value)
    }

    private static func table(_ makers: [Function], _ rows: [[String]]) -> String {
        let head = "<tr><th>option</th>" + makers.map { "<th>\($0.name)</th>" }.joined() + "</tr>\n"
        let body = rows.map { row in
            "<tr><td><code>\(HTML.escaped(row[0]))</code></td>"
                + row.dropFirst().map { "<td>\(HTML.escaped($0))</td>" }.joined() + "</tr>\n"
        }
        return "<table>\n\(head)\(body.joined())</table>\n"
    }
}
