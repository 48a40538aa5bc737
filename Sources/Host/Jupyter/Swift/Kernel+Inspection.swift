import BSSCore
import BSSLua
import BSSSession

/// What stands at a cursor: completion, help, whether a cell is whole; and what was run before.
extension Kernel {
    /// Cursors count Unicode scalars; completion counts bytes.
    private func byteOffset(_ position: Value?, in code: String) -> Int {
        guard let count = position?.int else { return code.utf8.count }
        return String(String.UnicodeScalarView(code.unicodeScalars.prefix(max(0, count)))).utf8.count
    }

    private func scalars(_ code: String, upToByte offset: Int) -> Int {
        String(decoding: code.utf8.prefix(offset), as: UTF8.self).unicodeScalars.count
    }

    func complete(_ content: Table) -> Table {
        let code = content["code"]?.string ?? ""
        let end = byteOffset(content["cursor_pos"], in: code)
        let start = Completion.wordStart(in: code, before: end)
        let found = session.completion.candidates(code, start, end)
        return Table(fields: [
            ("status", .string("ok")), ("matches", found.isEmpty ? Message.emptyList : .list(found)),
            ("cursor_start", .int(scalars(code, upToByte: start))), ("cursor_end", .int(scalars(code, upToByte: end))),
            ("metadata", .table(Table())),
        ])
    }

    func inspect(_ content: Table) -> Table {
        let code = content["code"]?.string ?? ""
        let name = Completion.name(in: code, at: byteOffset(content["cursor_pos"], in: code))
        var data = Table()
        // A name that nothing is known of is an answer, not an error.
        if !name.isEmpty, let text = try? session.help(name) { data["text/plain"] = .string(text) }
        return Table(fields: [
            ("status", .string("ok")), ("found", .bool(!data.isEmpty)), ("data", .table(data)),
            ("metadata", .table(Table())),
        ])
    }

    func isComplete(_ content: Table) -> Table {
        let code = content["code"]?.string ?? ""
        var answer = Table(fields: [("status", .string(session.completeness(of: code).rawValue))])
        if answer["status"]?.string == "incomplete" { answer["indent"] = .string("  ") }
        return answer
    }

    /// Inputs of this session, and of earlier ones as session 0.
    func history(_ content: Table) -> Table {
        let earlier = session.history.load().enumerated().map { (0, $0 + 1, $1, String?.none) }
        let own = session.cells.map { (1, $0.number, $0.code, Optional($0.lines.joined(separator: "\n"))) }
        var found = content["session"]?.int == 1 ? own : earlier.filter { $0.2 != "" } + own
        let most = content["n"]?.int ?? 1000
        switch content["hist_access_type"]?.string {
        case "range":
            let session = content["session"]?.int ?? 0
            let (start, stop) = (content["start"]?.int ?? 0, content["stop"]?.int ?? Int.max)
            // Session 0 is the current one, negative ones count back.
            found = (session < 0 ? earlier : own).filter { $0.1 >= start && $0.1 < stop }
        case "search":
            let pattern = content["pattern"]?.string ?? "*"
            found = found.filter { Kernel.matches($0.2, pattern) }
            if content["unique"]?.bool ?? false {
                var seen: Set<String> = []
                found = Array(found.reversed().filter { seen.insert($0.2).inserted }.reversed())
            }
            found = found.suffix(most)
        default: found = found.suffix(most)
        }
        let withOutput = content["output"]?.bool ?? false
        let rows = found.map { entry -> Value in
            let text = Value.string(entry.2)
            let pair = Value.list([text, entry.3.map(Value.string) ?? .null])
            return .list([.int(entry.0), .int(entry.1), withOutput ? pair : text])
        }
        return Table(fields: [("status", .string("ok")), ("history", rows.isEmpty ? Message.emptyList : .list(rows))])
    }

    /// `*` stands for anything, `?` for one character.
    static func matches(_ text: String, _ pattern: String) -> Bool {
        let (text, pattern) = (Array(text), Array(pattern))
        var reach: Set<Int> = [0]
        for sign in pattern {
            switch sign {
            case "*": reach = Set((reach.min() ?? 0)...text.count).filter { i in reach.contains { $0 <= i } }
            case "?": reach = Set(reach.map { $0 + 1 }.filter { $0 <= text.count })
            default: reach = Set(reach.filter { $0 < text.count && text[$0] == sign }.map { $0 + 1 })
            }
            if reach.isEmpty { return false }
        }
        return reach.contains(text.count)
    }
}
