import BSSLuaAPI
import BSSLuaHost
<<<<<<< HEAD
import BSSREPL

let program = Program(
    version: API.version,
    api: { state, options in
        let namespace = try API.make(state, options)
        namespace.add(.namespace(REPL.namespace(state)))
        return namespace
    },
    prompt: REPL.run)
=======
import BSSNotebook

var program = Program(version: API.version, api: API.make)
program.commands["nb"] = NotebookCommand.command
>>>>>>> notebook
program.run(CommandLine.arguments)
