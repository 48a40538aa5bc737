import BSSCore
import BSSLua

extension Session {
    /// `bss.repl`: a session's commands as functions, so that a session's log is a script. What acts on a session does
    /// nothing where there is none: in scripts, and in the clean state of a replay.
    public static func functions(_ state: LuaState) -> Namespace {
        Namespace("repl", "The prompt's commands as functions.") {
            let text = Argument<String>("text", default: "", "what would stand after the command's name")
            let code = Argument<Value>("code", "a function, or code as text")
            return [.function(show(state, path: "bss.repl.show"))]
                + Command.all.filter { $0.name != "quit" }.map { command -> Namespace.Entry in
                    let path = "bss.repl.\(command.name)"
                    let summary = "%\(command.name): \(command.help)."
                    if let measure = command.measure {
                        return .function(
                            Function(
                                command.name, summary, [code],
                                example: "\(path)(function() return bss.ones{100}:sum() end)", style: .positional
                            ) { arguments in
                                try measure(Measured(arguments[code], state, operation: path))
                                return []
                            })
                    }
                    return .function(
                        Function(command.name, summary, [text], style: .positional) { arguments in
                            if let session = current, session.state === state {
                                try command.body(session, arguments[text])
                            } else if command.name == "run" {
                                try state.runFile(arguments[text])
                            }
                            return []
                        })
                }
        }
    }

    /// `bss.show`, `bss.repl.show`
    public static func show(_ state: LuaState, path: String = "bss.show") -> Function {
        let value = Argument<Value>("value", default: .null, "anything")
        return Function(
            "show", "Prints a value as the prompt does and keeps it as _.", [value],
            example: "\(path)({ 1, 2, x = 3 })", style: .positional
        ) { arguments in
            let printer = Printer()
            try state.withValue(arguments[value]) { held in
                let front = current.flatMap { $0.state === state ? $0.front : nil }
                if held.type != "nil", front?.display(held) != true {
                    try state.printLine(printer.text(held, in: state))
                }
                try state.setGlobal("_", held)
            }
            return []
        }
    }
}
