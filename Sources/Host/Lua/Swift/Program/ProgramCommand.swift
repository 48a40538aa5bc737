import BSSCore

/// A subcommand, declared once: parsing, usage, completion, the man page and "did you mean" derive from it. It accepts
/// exactly the options that stand here.
public struct ProgramCommand {
    /// What a command is about: the word after its name, or the words.
    public struct Operand {
        public enum Kind { case file, script, word }
        /// `FILE.csv`
        public let name: String
        public let kind: Kind
        public let isRequired: Bool
        /// How many may stand there.
        public let most: Int
        /// Words worth offering, for completion.
        public let choices: [String]

        public init(
            _ name: String, _ kind: Kind, isRequired: Bool = true, upTo most: Int = 1, choices: [String] = []
        ) {
            (self.name, self.kind, self.isRequired) = (name, kind, isRequired)
            (self.most, self.choices) = (most, choices)
        }
    }

    public let name: String
    public let summary: String
    /// `nb run`, `nb check`: commands of its own, one of which follows the name.
    public let commands: [ProgramCommand]
    public let operand: Operand?
    public let options: [CommandOption]
    public let shared: [ProgramOption]
    /// Words after `--` are handed on to the code that it runs.
    public let takesArguments: Bool
    let body: ((Call) throws -> Int32)?

    /// - Parameters:
    ///   - members: commands of its own beside it: `kernel install`.
    ///   - body: gives the exit code.
    public init(
        _ name: String, _ summary: String, operand: Operand? = nil, options: [CommandOption] = [],
        shared: [ProgramOption] = [], takesArguments: Bool = false, members: [ProgramCommand] = [],
        body: @escaping (Call) throws -> Int32
    ) {
        (self.name, self.summary, self.operand) = (name, summary, operand)
        (self.options, self.shared, self.takesArguments) = (options, shared, takesArguments)
        self.body = body
        commands = members
    }

    /// A family of commands.
    /// - Parameter orScript: a first word that names none of them is a script, run with this command's options.
    public init(_ name: String, _ summary: String, _ commands: [ProgramCommand], orScript: Bool = false) {
        (self.name, self.summary, self.commands) = (name, summary, commands)
        operand = orScript ? Operand("SCRIPT", .script) : nil
        (options, shared, takesArguments, body) = ([], orScript ? ProgramOption.sweep : [], orScript, nil)
    }

    /// A command that the command line itself carries out.
    init(builtIn name: String, _ summary: String, operand: Operand? = nil, shared: [ProgramOption]) {
        (self.name, self.summary, self.operand, self.shared) = (name, summary, operand, shared)
        (options, commands, takesArguments, body) = ([], [], operand != nil, nil)
    }

    /// What was asked.
    public struct Call {
        /// `nb run`
        public let path: String
        /// The words that the command is about.
        public let operands: [String]
        /// The first of them; empty: none was given.
        public var operand: String { operands.first ?? "" }
        /// The values of its own options.
        public let arguments: Arguments
        /// Words after `--`.
        public let rest: [String]
        public let options: RunOptions
        public let program: Program
        /// Gives a state prepared as for a script; made when asked for.
        let makeState: () throws -> (LuaState, Namespace)

        /// The value of one of its options.
        public subscript<T>(argument: Argument<T>) -> T { arguments[argument] }
        public func state() throws -> LuaState { try makeState().0 }
        /// The same with its `bss` table.
        public func prepared() throws -> (state: LuaState, root: Namespace) { try makeState() }
    }

    /// Carried out by the command line itself: `run`, `repl`.
    var isPlainForm: Bool { body == nil && commands.isEmpty }
    /// Whether these words after a family's name run a script.
    func takesScript(_ words: [String]) -> Bool {
        guard !commands.isEmpty, operand != nil, let first = words.first, first != "--help" else { return false }
        return !commands.contains { $0.name == first }
    }
    /// Every option, its own first.
    public var allOptions: [CommandOption] { options + shared.map(\.option) }

    // MARK: Parsing

    /// Its own options, its operand and the shared options, taken out of the words after its name.
    func parse(
        _ words: [String], path: String, _ invocation: inout Invocation
    ) throws -> (operands: [String], arguments: Arguments, rest: [String]) {
        var reader = WordReader(words: words, at: 0)
        var named = Table()
        var operands: [String] = []
        var rest: [String] = []
        let names = allOptions.flatMap(\.names)
        while let word = reader.next() {
            if word == "--" {
                rest = Array(words[reader.at...])
                break
            }
            let name = WordReader.split(word).name
            if let own = options.first(where: { $0.names.contains(name) }) {
                named[own.argument.name] = try reader.value(of: own, word) { names.contains($0) }
            } else if let one = shared.first(where: { $0.option.name == name }) {
                try one.apply(&invocation, reader.value(of: one.option, word) { names.contains($0) })
            } else if WordReader.looksLikeOption(word) {
                throw WordReader.unknown(word, among: names, of: "bss-lua \(path)")
            } else {
                operands.append(word)
            }
        }
        if !takesArguments {
            operands += rest
        } else if operands.count > 1 {
            rest = operands[1...] + rest
            operands = [operands[0]]
        }
        let most = operand?.most ?? 0
        guard operands.count <= most else {
            throw BSSError(path, "takes no '\(operands[most])'", hint: usage(path), kind: .usage)
        }
        if let operand, operand.isRequired, operands.isEmpty {
            let question = operand.kind == .word ? "which one?" : "which file?"
            throw BSSError(path, question, hint: usage(path), kind: .usage)
        }
        if operand?.kind != .word, let missing = operands.first(where: { !Files.exists($0) }) {
            throw BSSError(path, "there is no file '\(missing)'", kind: .usage)
        }
        let arguments = try Arguments(operation: path, declared: options.map(\.argument), named: named)
        return (operands, arguments, takesArguments ? rest : [])
    }
}
