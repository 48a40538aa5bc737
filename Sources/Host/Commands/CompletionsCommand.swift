import BSSCore
import BSSLua

/// `bss-lua completions bash|zsh|fish`: what a shell completes, from the declarations of commands and options.
public enum CompletionsCommand {
    enum Shell: String, CaseIterable { case bash, zsh, fish }

    public static var command: ProgramCommand {
        ProgramCommand(
            "completions", "print a shell's completion of this program",
            operand: .init(Shell.allCases.map(\.rawValue).joined(separator: "|"), .word, choices: Shell.names)
        ) { call in
            guard let shell = Shell(rawValue: call.operand) else {
                let near = Text.nearest(to: call.operand, in: Shell.names).map { "did you mean '\($0)'?" }
                throw BSSError(
                    call.path, "expects one of \(Shell.names.joined(separator: ", ")), got '\(call.operand)'",
                    hint: near,
                    kind: .usage)
            }
            let contexts = contexts(call.program)
            switch shell {
            case .bash: print(bash(contexts), terminator: "")
            case .zsh: print(zsh(contexts), terminator: "")
            case .fish: print(fish(contexts), terminator: "")
            }
            return 0
        }
    }

    /// What may follow a sequence of words: `""` (nothing yet), `"nb"`, `"nb run"`.
    struct Context {
        let path: String
        /// Words and what they are.
        let words: [(word: String, help: String)]
        /// Options that take a value: files are offered.
        let takingValues: [String]
        let takesFiles: Bool
    }

    private static func contexts(_ program: Program) -> [Context] {
        func options(_ all: [CommandOption]) -> [(String, String)] {
            all.flatMap { option in option.names.map { ($0, option.argument.help) } }
        }
        func valued(_ all: [CommandOption]) -> [String] {
            all.filter { $0.placeholder != nil }.flatMap(\.names)
        }
        var contexts = [
            Context(
                path: "",
                words: program.allCommands.map { ($0.name, $0.summary) } + options(program.options),
                takingValues: valued(program.options), takesFiles: true)
        ]
        func visit(_ command: ProgramCommand, _ path: String) {
            let words = command.commands.map { ($0.name, $0.summary) }
            let choices = (command.operand?.choices ?? []).map { ($0, "") }
            contexts.append(
                Context(
                    path: path, words: words + choices + options(command.allOptions) + [("--help", "print this text")],
                    takingValues: valued(command.allOptions),
                    takesFiles: command.operand.map { $0.kind != .word } ?? false))
            for member in command.commands { visit(member, "\(path) \(member.name)") }
        }
        for command in program.allCommands { visit(command, command.name) }
        return contexts
    }

    // MARK: Shells

    private static func bash(_ contexts: [Context]) -> String {
        let cases = contexts.map { context in
            """
                    "\(context.path)")
                        words="\(context.words.map(\.word).joined(separator: " "))"
                        valued=" \(context.takingValues.joined(separator: " ")) "
                        files=\(context.takesFiles ? 1 : 0) ;;

            """
        }.joined()
        return """
            # bash completion of bss-lua; source it, or put it into /usr/share/bash-completion/completions/bss-lua
            _bss_lua() {
                local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" path="" word
                local words="" valued="" files=1
                for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                    case " \(paths(contexts)) " in
                        *" ${path:+$path/}$word "*) path="${path:+$path/}$word" ;;
                    esac
                done
                case "${path//\\// }" in
            \(cases)    esac
                COMPREPLY=()
                if [[ "$valued" == *" $previous "* ]]; then files=1; words=""; fi
                if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$current")); fi
                if [ "$files" = 1 ]; then COMPREPLY+=($(compgen -f -- "$current")); fi
            }
            complete -o filenames -F _bss_lua bss-lua

            """
    }

    private static func zsh(_ contexts: [Context]) -> String {
        func quoted(_ text: String) -> String {
            "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        }
        func entry(_ word: String, _ help: String) -> String {
            quoted(word + ":" + help.split(separator: ":", omittingEmptySubsequences: false).joined(separator: ";"))
        }
        let cases = contexts.map { context in
            """
                    '\(context.path)')
                        entries=(\(context.words.map { entry($0.word, $0.help) }.joined(separator: " ")))
                        valued=" \(context.takingValues.joined(separator: " ")) "
                        files=\(context.takesFiles ? 1 : 0) ;;

            """
        }.joined()
        return """
            #compdef bss-lua
            # zsh completion of bss-lua; put it into a folder of $fpath as _bss-lua
            _bss_lua() {
                local path_="" word files=1 valued=""
                local -a entries
                for word in "${(@)words[2,CURRENT-1]}"; do
                    case " \(paths(contexts)) " in
                        *" ${path_:+$path_/}$word "*) path_="${path_:+$path_/}$word" ;;
                    esac
                done
                case "${path_//\\// }" in
            \(cases)    esac
                if [[ "$valued" == *" ${words[CURRENT-1]} "* ]]; then _files; return; fi
                _describe 'bss-lua' entries
                (( files )) && _files
            }
            _bss_lua "$@"

            """
    }

    private static func fish(_ contexts: [Context]) -> String {
        var out = "# fish completion of bss-lua; put it into ~/.config/fish/completions/bss-lua.fish\n"
        for context in contexts {
            let steps = context.path.split(separator: " ").map(String.init)
            let condition =
                steps.isEmpty
                ? "__fish_use_subcommand"
                : steps.map { "__fish_seen_subcommand_from \($0)" }.joined(separator: "; and ")
            let head = "complete -c bss-lua -n '\(condition)'"
            for (word, help) in context.words {
                let text = help.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "\\'")
                let value = context.takingValues.contains(word) ? " -r" : ""
                let name =
                    word.hasPrefix("--")
                    ? "-l \(word.dropFirst(2))\(value)"
                    : word.hasPrefix("-") ? "-s \(word.dropFirst())\(value)" : "-a \(word)"
                out += "\(head) \(name) -d '\(text)'\n"
            }
            if !context.takesFiles { out += "\(head) -f\n" }
        }
        return out
    }

    /// The paths of commands, steps joined by `/`.
    private static func paths(_ contexts: [Context]) -> String {
        contexts.map { $0.path.split(separator: " ").joined(separator: "/") }.filter { !$0.isEmpty }
            .joined(separator: " ")
    }
}

extension CompletionsCommand.Shell {
    static var names: [String] { allCases.map(\.rawValue) }
}
