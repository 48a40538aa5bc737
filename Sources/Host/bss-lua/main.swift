import BSSLua
import BSSNotebook
import BSSPrompt
import BSSScript
import BSSSession

var program = Program(
    version: API.version,
    api: { state, options in
        let namespace = try API.make(state, options)
        namespace.add(.namespace(Session.functions(state)))
        try state.installHelp(namespace)
        return namespace
    },
    prompt: Prompt.run)
program.commands["nb"] = NotebookCommand.command
program.commands["data"] = DataCommand.command
program.commands["plot"] = PlotCommand.command
program.run(Program.commandLine)
