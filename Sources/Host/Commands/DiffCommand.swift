import BSSCore
import BSSLua
import BSSRuns

/// `bss-lua diff A B`: in what two runs differ: configuration, code, data, engine, results, and the first epoch at
/// which their numbers part. Exit 0: same results, bit by bit; 3: they differ.
public enum DiffCommand {
    private static let second = Argument<String?>(
        "other_out", default: nil, "the folder of results that holds B, if another")

    public static var command: ProgramCommand {
        ProgramCommand(
            "diff", "in what two runs differ (exit 0: the same numbers, 3: others)",
            operand: .init("A B", .word, upTo: 2), options: [CommandOption(second, value: "DIR")],
            shared: [ProgramOption.out, ProgramOption.json]
        ) { call in
            guard call.operands.count == 2 else {
                throw BSSError(call.path, "which two runs?", hint: "bss-lua diff A B", kind: .usage)
            }
            let store = try RunsCommand.store(call)
            let other = try call[second].map { try RunStore.existing($0, operation: call.path) } ?? store
            let own = try store.run(beginning: call.operands[0], operation: call.path)
            let compared = try RunComparison(own, other.run(beginning: call.operands[1], operation: call.path))
            print(call.options.json ? JSON.text(.table(compared.table)) : text(compared))
            return compared.hasEqualResults ? 0 : 3
        }
    }

    private static func text(_ comparison: RunComparison) -> String {
        var lines = comparison.inputs.isEmpty ? ["what went in is the same"] : listed(comparison.inputs)
        // The sums of all heads first: what a table shows.
        let results = comparison.results.filter { $0.path.contains("total.") }
        let others = comparison.results.count - results.count
        lines += listed(results)
        if others > 0 { lines.append("  … and \(others) other results (--json lists them)") }
        if let parting = comparison.parting {
            lines.append(
                "first difference: epoch \(parting.epoch), \(parting.name): \(short(parting.own)) | "
                    + short(parting.other))
        } else {
            lines.append("\(comparison.compared) numbers of epochs are the same, bit by bit")
        }
        return lines.joined(separator: "\n")
    }

    /// Under the names of their groups.
    private static func listed(_ differences: [RunComparison.Difference]) -> [String] {
        var (lines, group) = ([String](), "")
        for one in differences {
            if one.group != group { lines.append(one.group) }
            group = one.group
            lines.append("  \(one.path.isEmpty ? "" : "\(one.path): ")\(short(one.own)) | \(short(one.other))")
        }
        return lines
    }

    private static func short(_ value: Value) -> String {
        guard let text = value.string else { return JSON.lua(value) }
        // Hashes: enough to tell them apart.
        return text.utf8.count >= 40 && text.allSatisfy(\.isHexDigit) ? text.prefix(12) + "…" : text
    }
}
