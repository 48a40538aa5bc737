import BSSCore
import BSSLua
import BSSSession

extension Kernel {
    /// `execute_request`: a cell, `%command`, `?name` or `!command`, then user expressions.
    func execute(_ message: Message) {
        let content = message.content
        let code = content["code"]?.string ?? ""
        isSilent = content["silent"]?.bool ?? false
        defer { isSilent = false }
        let isStored = !isSilent && content["store_history"]?.bool ?? true
        if isStored { count += 1 }
        failure = nil
        pages = []
        if !isSilent {
            publish("execute_input", Table(fields: [("code", .string(code)), ("execution_count", .int(count))]))
        }
        session.leastNumber = max(1, count)
        if isStored {
            session.run(code)
        } else {
            let cell = session.evaluateAside(code)
            if let error = cell.error { report(error) } else if !isSilent { publishResults(of: cell) }
        }
        session.regainControl()
        var answer = failure ?? Table(fields: [("status", .string("ok"))])
        answer["execution_count"] = .int(count)
        if failure == nil {
            answer["payload"] = pages.isEmpty ? Message.emptyList : .list(pages)
            answer["user_expressions"] = .table(userExpressions(content["user_expressions"]?.table ?? Table()))
        }
        // Before the reply: what a client sends after it has seen the error is run.
        if failure != nil, content["stop_on_error"]?.bool ?? true { toAbort = waitingRequests() }
        reply("execute_reply", answer)
    }

    private func userExpressions(_ asked: Table) -> Table {
        Table(
            fields: asked.fields.map { name, code in
                let cell = session.evaluateAside(code.string ?? "")
                if let error = cell.error { return (name, .table(errorContent(error))) }
                let data = cell.outcome.values.first.map { MimeBundle.data($0, session) } ?? Table()
                return (
                    name,
                    .fields([("status", .string("ok")), ("data", .table(data)), ("metadata", .table(Table()))])
                )
            })
    }

    private func errorContent(_ error: BSSError) -> Table {
        let name = error.kind == .cancelled ? "KeyboardInterrupt" : "LuaError"
        let lines = ErrorReport.text(error, sources: session.sources).split(separator: "\n").map(String.init)
        let text = error.kind == .cancelled ? "interrupted" : error.located
        return KernelInfo.error(name, text, ["\u{1B}[31m\(lines.first ?? text)\u{1B}[0m"] + lines.dropFirst())
    }

    private func publishResults(of cell: Cell) {
        guard !cell.outcome.isSilent, cell.outcome.error == nil else { return }
        let shown = cell.outputs.filter { $0.kind == .value }
        let values = cell.outcome.values
        guard !shown.isEmpty, shown.count == values.count else { return }
        let last = values.count - 1
        for (position, value) in values.enumerated() {
            var content = Table(fields: [
                ("data", .table(MimeBundle.data(value, session, typed: shown[position].typed))),
                ("metadata", .table(Table())),
            ])
            if position == last { content["execution_count"] = .int(count) }
            publish(position == last ? "execute_result" : "display_data", content)
        }
    }
}

extension Kernel: FrontEnd {
    /// What a command says goes to the pager for help, and to the output otherwise.
    func show(_ text: String) {
        guard let first = request?.content["code"]?.string?.trimmed.first, first == "?", !session.isEvaluating else {
            publish(
                "stream", Table(fields: [("name", .string("stdout")), ("text", .string(text + "\n"))]))
            return
        }
        pages.append(
            .fields([
                ("source", .string("page")), ("data", .fields([("text/plain", .string(text))])), ("start", .int(0)),
            ]))
    }

    func show(_ cell: Cell, seconds: Double) {
        if let error = cell.error { report(error) } else { publishResults(of: cell) }
    }

    func report(_ error: BSSError) {
        let content = errorContent(error)
        failure = content
        if isSilent { return }
        var shown = content
        shown["status"] = nil
        publish("error", shown)
    }

    func note(_ text: String) {
        publish("stream", Table(fields: [("name", .string("stderr")), ("text", .string(text + "\n"))]))
    }

    func display(_ value: LuaValue) -> Bool {
        let content = Table(fields: [
            ("data", .table(MimeBundle.data(value, session))), ("metadata", .table(Table())),
        ])
        publish("display_data", content)
        return true
    }

    func clear() { publish("clear_output", Table(fields: [("wait", .bool(false))])) }
}
