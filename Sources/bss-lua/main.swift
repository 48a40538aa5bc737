import BSSLuaAPI
import BSSLuaHost
import BSSNotebook

var program = Program(version: API.version, api: API.make)
program.commands["nb"] = NotebookCommand.command
program.run(CommandLine.arguments)
