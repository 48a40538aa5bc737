import BSSCore
import BSSLua

/// The commands as a page: what `--help` prints of each.
enum CommandReference {
    static func pages(_ program: Program) -> [(name: String, text: String)] {
        [("bss-lua", program.usage)] + program.allCommands.map { ($0.name, $0.help($0.name)) }
    }

    /// What the program has in common for all commands, as tables of two columns.
    static let lists = [
        (title: "Exit codes", rows: Usage.exitCodes), (title: "Environment variables", rows: Usage.variables),
    ]
}
