import BSSCore
import BSSLua
import Glibc

/// `script.lua --help`: the script's first comment, its parameters with their defaults, its arms × seeds; nothing runs
/// but the script up to its first training.
extension Workbench {
    private static let end = BSSError("", "", kind: .checked)

    /// The first comment and the parameters; goes on in silence, because an experiment may follow.
    func describe(parameters: Table) {
        guard options.describes, !hasDescribed else { return }
        hasDescribed = true
        defer { ScriptDescription.mute() }
        if let comment = options.script.flatMap(ScriptDescription.comment(_:)) { print(comment + "\n") }
        let rows = parameters.fields.map { ($0.key, JSON.lua($0.value)) }
        guard !rows.isEmpty else { return }
        let width = rows.reduce(0) { max($0, $1.0.count) } + 2
        print("parameters (--set NAME=VALUE):")
        for (name, value) in rows { print("  " + Text.padded(name, to: width) + value) }
    }

    /// - Throws: always, where a script is to be described: nothing after it runs.
    func endDescription(arms: [String], seeds: Int) throws {
        guard options.describes else { return }
        describe(parameters: Table())
        ScriptDescription.unmute()
        if !arms.isEmpty {
            print("\n\(arms.count) arm\(arms.count == 1 ? "" : "s") × \(seeds) seed\(seeds == 1 ? "" : "s"):")
            for arm in arms { print("  \(arm)") }
        }
        print("\nbss-lua --help lists the options of every run")
        throw Workbench.end
    }
}

enum ScriptDescription {
    /// Standard output, while what the script prints goes nowhere.
    nonisolated(unsafe) private static var output: Int32?

    static func mute() {
        fflush(stdout)
        let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        guard nowhere >= 0 else { return }
        output = dup(STDOUT_FILENO)
        dup2(nowhere, STDOUT_FILENO)
        close(nowhere)
    }

    static func unmute() {
        guard let output else { return }
        fflush(stdout)
        dup2(output, STDOUT_FILENO)
        close(output)
        self.output = nil
    }

    /// The comment that the file begins with, without comment signs and cell markers.
    static func comment(_ path: String) -> String? {
        // A script that cannot be read is an error when it runs, not here.
        guard let text = try? Files.readText(path) else { return nil }
        var lines: [Substring] = []
        var isLong = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if lines.isEmpty, line.hasPrefix("#!") || line.hasPrefix("-- %%") || line.trimmed.isEmpty { continue }
            if isLong {
                if let end = Bytes.find("]]", in: String(line)) {
                    lines.append(line.prefix(end))
                    break
                }
                lines.append(line)
            } else if lines.isEmpty, line.hasPrefix("--[[") {
                isLong = true
                lines.append(line.dropFirst(4))
            } else if line.hasPrefix("--"), !line.hasPrefix("-- %%") {
                lines.append(line.dropFirst(line.hasPrefix("-- ") ? 3 : 2))
            } else {
                break
            }
        }
        let comment = lines.joined(separator: "\n").trimmed
        return comment.isEmpty ? nil : comment
    }
}
