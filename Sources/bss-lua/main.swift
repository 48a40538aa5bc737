import BSSLuaAPI
import BSSLuaHost
import BSSREPL

let program = Program(
    version: API.version,
    api: { state, options in
        let namespace = try API.make(state, options)
        namespace.add(.namespace(REPL.namespace(state)))
        return namespace
    },
    prompt: REPL.run, commands: ["nb": NotebookCommand.run])
program.run(CommandLine.arguments)
