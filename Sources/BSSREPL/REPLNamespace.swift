import BSSCore
import BSSLuaHost

extension REPL {
    /// `bss.repl`: the prompt's commands as functions, so that a session's log is a script.
    public static func namespace(_ state: LuaState) -> Namespace {
        Namespace("repl", "The prompt's commands as functions.") {
            let text = Argument<String>("text", default: "", "what would stand after the command's name")
            let value = Argument<Value>("value", default: .null, "anything")
            let show = Function("show", "Prints a value as the prompt does and keeps it as _.", [value], example: "bss.repl.show({ 1, 2, x = 3 })", style: .positional) { arguments in
                let printer = Printer()
                try state.withValue(arguments[value]) { held in
                    if held.type != "nil" { try state.printLine(printer.text(held, in: state)) }
                    try state.setGlobal("_", held)
                }
                return []
            }
            return [.function(show)]
                + Command.all.filter { $0.name != "quit" }.map { command in
                    .function(
                        Function(command.name, "%\(command.name): \(command.help).", [text], style: .positional) { arguments in
                            guard let repl = current else { throw BSSError("bss.repl.\(command.name)", "works at the prompt only") }
                            try command.body(repl, arguments[text])
                            return []
                        })
                }
        }
    }
}
