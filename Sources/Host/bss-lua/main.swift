import BSSCommands
import BSSCore
import BSSDocumentation
import BSSJupyter
import BSSLua
import BSSNotebook
import BSSPrompt
import BSSScript
import BSSSession

let program = Program(
    version: API.version,
    commands: {
        [
            NotebookCommand.command,
            DataCommand.command,
            PlotCommand.command,
            SweepCommand.command,
            RunsCommand.command,
            DiffCommand.command,
            WatchCommand.command,
            PackCommand.command,
            VerifyCommand.command,
            ReportCommand.command,
            CompletionsCommand.command,
            DoctorCommand.command,
            KernelCommand.command,
        ] + DocumentationCommands.all
    },
    api: { state, options in
        let namespace = try API.make(state, options)
        namespace.add(.namespace(Session.functions(state)))
        namespace.add(.function(Session.show(state)))
        try state.installHelp(namespace)
        return namespace
    },
    prompt: Prompt.run)
LuaState.withAssignedResults = NotebookFile.withAssignedResults
program.run(Program.commandLine)
