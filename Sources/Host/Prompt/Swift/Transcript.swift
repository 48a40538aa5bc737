import BSSLua

/// What was typed or pasted, as inputs.
enum Transcript {
    /// A transcript loses its prompts (ours, `..>`, and stock Lua's `> ` and `>> `) and its outputs, and each first
    /// prompt begins an input of its own; any other text is one input.
    static func inputs(_ text: String) -> [String] {
        var inputs: [[String]] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if let first = withoutFirstPrompt(line) {
                inputs.append([first])
            } else if inputs.isEmpty {
                return [text]
            } else if let prompt = ["..> ", ">> "].first(where: line.hasPrefix) {
                inputs[inputs.count - 1].append(String(line.dropFirst(prompt.count)))
            } else if line == "..>" || line == ">>" {
                inputs[inputs.count - 1].append("")
            }
        }
        return inputs.map { $0.joined(separator: "\n") }
    }

    private static func withoutFirstPrompt(_ line: String) -> String? {
        if line.hasPrefix("bss["), let end = line.range(of: "]> "),
            line[line.index(line.startIndex, offsetBy: 4)..<end.lowerBound].allSatisfy(\.isNumber)
        {
            return String(line[end.upperBound...])
        }
        return line.hasPrefix("> ") ? String(line.dropFirst(2)) : nil
    }
}
