import BSSCore
import CBSSLua
import Glibc

extension Program {
    /// Every command, those that the command line itself carries out first.
    public var allCommands: [ProgramCommand] { Program.builtIn + commands() }

    static let run = ProgramCommand(
        builtIn: "run", "run a script, as its name alone does", operand: .init("SCRIPT", .script),
        shared: ProgramOption.running + ProgramOption.sandbox)
    static let repl = ProgramCommand(
        builtIn: "repl", "the prompt, on a terminal or not",
        shared: ProgramOption.running + ProgramOption.prompt + [ProgramOption.color])
    private static let markdown = Argument("markdown", default: false, "the whole reference as Markdown"),
        man = Argument("man", default: false, "the manual page of this program")
    static let help = ProgramCommand(
        "help", "what a name, a command or everything does", operand: .init("NAME", .word, isRequired: false),
        options: [CommandOption(markdown), CommandOption(man)]
    ) { call in
        let program = call.program
        if !call.operand.isEmpty, let one = [(call[markdown], "--markdown"), (call[man], "--man")].first(where: \.0)?.1
        {
            throw BSSError(
                call.path, "\(one) is of everything and takes no '\(call.operand)'",
                hint: "bss-lua help \(call.operand), or bss-lua help \(one)", kind: .usage)
        }
        if call[man] {
            print(program.manual, terminator: "")
            return 0
        }
        let name = call.operand
        if let command = program.allCommands.first(where: { $0.name == name }) {
            print(command.help(command.name), terminator: "")
            return 0
        }
        let root = try program.api(LuaState(), call.options)
        guard !name.isEmpty || call[markdown] else {
            print(program.usage + "\n" + Help.text(root, path: root.name), terminator: "")
            return 0
        }
        do { print(call[markdown] ? Help.markdown(root) : try Help.lookUp(name, in: root), terminator: "") } catch {
            var error = BSSError.of(error)
            error.operation = "--"  // of the command line
            throw error
        }
        return 0
    }
    private static let builtIn = [run, repl, help]

    /// The options of a run without a command, for completion.
    public var options: [CommandOption] { ProgramOption.all.map(\.option) }

    /// Runs a command to its end.
    /// - Parameter words: what stands after its name; options that stood before it come first.
    func run(_ command: ProgramCommand, path: String, _ words: [String], from invocation: Invocation) -> Never {
        let namesMember = command.commands.contains { $0.name == words.first }
        if namesMember || command.body == nil { runMember(of: command, path: path, words, from: invocation) }
        var parsed = invocation
        var state: (LuaState, Namespace)?
        let call: ProgramCommand.Call
        do {
            if words.prefix(while: { $0 != "--" }).contains("--help") { finish(command.help(path)) }
            let (operands, arguments, rest) = try command.parse(words, path: path, &parsed)
            parsed.scriptArguments = rest
            let first = operands.first ?? ""
            parsed.argumentTable = [(0, first)] + rest.enumerated().map { ($0 + 1, $1) }
            parsed.options.script = nil  // what it trains is recorded only if --out asks for it
            let settings = parsed
            call = ProgramCommand.Call(
                path: path, operands: operands, arguments: arguments, rest: rest, options: parsed.options,
                program: self
            ) {
                if let state { return state }
                let made = try LuaState(environment: settings.usesLuaEnvironment)
                let prepared = (made, try prepare(made, settings))
                state = prepared
                if command.operand?.kind == .script { made.addModuleFolder(of: first) }
                return prepared
            }
        } catch { fail(error) }
        var code: Int32
        do {
            code = try command.body?(call) ?? 0
            if code == 0 { try state?.0.whenScriptEnds?() }
        } catch let error as BSSError where error.kind == .usage && error.operation == path {
            fail(error)  // the command line itself is wrong
        } catch { code = report(error, parsed) }
        state?.0.exit(code)
        exit(LuaState.flushOutput(code))
    }

    /// `nb run`: the command that the first word names.
    private func runMember(
        of family: ProgramCommand, path: String, _ words: [String], from invocation: Invocation
    ) -> Never {
        guard let first = words.first, first != "--help" else {
            if words.isEmpty { fail(BSSError(path, "which one?", hint: family.usage(path), kind: .usage)) }
            finish(family.help(path))
        }
        guard let member = family.commands.first(where: { $0.name == first }) else {
            let names = family.commands.map(\.name)
            let near = Text.nearest(to: first, in: names).map { "did you mean '\($0)'?" }
            let known = names.joined(separator: ", ")
            fail(BSSError(path, "expects \(known), got '\(first)'", hint: near ?? family.usage(path), kind: .usage))
        }
        run(member, path: "\(path) \(first)", Array(words.dropFirst()), from: invocation)
    }

    func finish(_ text: String) -> Never {
        print(text, terminator: text.hasSuffix("\n") ? "" : "\n")
        exit(LuaState.flushOutput(0))
    }
}
