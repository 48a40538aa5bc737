import BSSLuaAPI
import BSSLuaHost
import BSSNotebook
import BSSREPL

var program = Program(
    version: API.version,
    api: { state, options in
        let namespace = try API.make(state, options)
        namespace.add(.namespace(REPL.namespace(state)))
        return namespace
    },
    prompt: REPL.run)
program.commands["nb"] = NotebookCommand.command
program.commands["data"] = DataCommand.command
program.run(CommandLine.arguments)
