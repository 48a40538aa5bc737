import BSSCore
import CBSSLua
import Glibc

/// A subcommand that another module brings: `bss-lua <name> ACTION FILE [options]`, with the options of a script run
/// and its own.
public struct ProgramCommand {
    /// Own options with a value (`-o`, `--rtol`), and without (`--run`).
    public var values: Set<String>
    public var switches: Set<String>
    public var usage: String
    /// The words that may follow the name; none: the file follows at once.
    public var actions: [String]
    /// What follows the action is a script; false: a name, and `--set` gives that thing's own options.
    public var takesFile: Bool
    /// - Returns: the exit code.
    public var run: (Call) throws -> Int32

    public init(
        usage: String, actions: [String], takesFile: Bool = true, values: Set<String> = [], switches: Set<String> = [],
        run: @escaping (Call) throws -> Int32
    ) {
        self.usage = usage
        self.actions = actions
        self.takesFile = takesFile
        self.values = values
        self.switches = switches
        self.run = run
    }

    /// What was asked, with a state prepared as for a script.
    public struct Call {
        public var action: String
        /// The file named on the command line.
        public var file: String
        public var arguments: [String]
        /// Own options as given; switches have an empty value.
        public var given: [String: String]
        public var options: RunOptions
        public var state: LuaState
    }

    /// Own options taken out of the words: `--name value`, `--name=value`, `-o value`.
    func split(_ words: [String]) throws -> (given: [String: String], rest: [String]) {
        var given: [String: String] = [:]
        var rest: [String] = []
        var at = 0
        while at < words.count {
            let word = words[at]
            at += 1
            if word == "--" {
                rest += words[(at - 1)...]
                break
            }
            let name = String(word.prefix { $0 != "=" })
            if switches.contains(word) {
                given[word] = ""
            } else if values.contains(name), name != word {
                given[name] = String(word.dropFirst(name.count + 1))
            } else if values.contains(word) {
                guard at < words.count else { throw BSSError(word, "needs a value", kind: .usage) }
                given[word] = words[at]
                at += 1
            } else {
                rest.append(word)
            }
        }
        return (given, rest)
    }
}

extension Program {
    /// Runs a subcommand of another module to its end.
    func run(_ command: ProgramCommand, named name: String, _ words: [String]) -> Never {
        let invocation: Invocation
        let given: [String: String]
        let state: LuaState
        let action: String
        do {
            if command.actions.isEmpty {
                action = ""
            } else {
                guard let first = words.first, command.actions.contains(first) else {
                    let near = words.first.flatMap { Text.nearest(to: $0, in: command.actions) }.map {
                        "did you mean '\($0)'?"
                    }
                    throw BSSError(
                        name,
                        "expects \(command.actions.joined(separator: ", "))"
                            + (words.first.map { ", got '\($0)'" } ?? ""), hint: near ?? command.usage, kind: .usage)
                }
                action = first
            }
            let what = action.isEmpty ? name : "\(name) \(action)"
            let (own, rest) = try command.split(Array(words.dropFirst(action.isEmpty ? 0 : 1)))
            given = own
            guard rest.contains(where: { !$0.hasPrefix("-") }) else {
                throw BSSError(
                    what, command.takesFile ? "which file?" : "which one?", hint: command.usage, kind: .usage)
            }
            var parsed = try Invocation(
                ["bss-lua", "run"] + rest, environment: { getenv($0).map { String(cString: $0) } })
            guard let file = parsed.script else {
                throw BSSError(
                    what, command.takesFile ? "which file?" : "which one?", hint: command.usage, kind: .usage)
            }
            guard !command.takesFile || Files.exists(file) else {
                throw BSSError(what, "there is no file '\(file)'", kind: .usage)
            }
            parsed.options.script = nil  // what it trains is recorded only if --out asks for it
            invocation = parsed
            state = try LuaState(environment: parsed.usesLuaEnvironment)
            _ = try prepare(state, parsed)
            if command.takesFile { state.addModuleFolder(of: file) }
        } catch { fail(error) }
        var code: Int32
        do {
            let file = invocation.script!
            code = try command.run(
                ProgramCommand.Call(
                    action: action, file: file, arguments: invocation.scriptArguments, given: given,
                    options: invocation.options, state: state))
        } catch { code = report(error, invocation) }
        if code == 0, command.takesFile {
            do { try state.whenScriptEnds?() } catch { code = report(error, invocation) }
        }
        state.exit(code)
    }
}
