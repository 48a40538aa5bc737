import BSSCore
import BSSLua
import BSSRuns
import Glibc

/// `sweep SCRIPT --set alpha=0.1,0.2 --set data=mosi,mfeat`: the script once for each combination of the values, each a
/// sweep with its results in a folder of its own, `OUT/alpha=0.1+data=mosi`. Lists stay lists: only a parameter whose
/// default is a single value has several.
struct SweepGrid {
    private let workbench: Workbench
    private let workers: Int
    private let axes: [(key: String, values: [String])]

    /// nil: every parameter has one value.
    init?(_ workbench: Workbench, _ defaults: Table) {
        guard case .coordinator(let workers)? = workbench.options.sweep?.role else { return nil }
        self.workbench = workbench
        self.workers = workers
        axes = workbench.options.sets.compactMap { key, text in
            guard let value = defaults[key], value.table == nil, text.contains(",") else { return nil }
            return (key, text.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
        }
        guard !axes.isEmpty else { return nil }
    }

    /// - Throws: always: what the script would do has been done. Kind `.checked` if every sweep came to its end.
    func run() throws -> Never {
        var worst: Int32 = 0
        _ = try ArmGrid.product(axes.map(\.values.count), upTo: 10_000, "--set")
        var all = [[(key: String, value: String)]()]
        for axis in axes { all = all.flatMap { done in axis.values.map { done + [(axis.key, $0)] } } }
        for choice in all {
            workbench.note("sweep: " + choice.map { "\($0.key) = \($0.value)" }.joined(separator: ", "))
            let code = try run(choice)
            if code == 130 { throw BSSError.cancelled("sweep") }
            // A wrong value is a mistake of the whole sweep; failed runs of one are not.
            guard [0, 6, 75].contains(code) else {
                throw BSSError("--set", "the sweep of \(SweepGrid.name(choice)) ended with exit code \(code)")
            }
            worst = max(worst, code)
        }
        let words = "\(all.count) sweeps"
        switch worst {
        case 0: throw BSSError("sweep", "\(words) done", kind: .checked)
        case 6: throw BSSError("sweep", "\(words), of which some ended with failed runs", kind: .failedRuns)
        default: throw BSSError("sweep", "\(words), of which some have work left", kind: .left)
        }
    }

    private static func name(_ choice: [(key: String, value: String)]) -> String {
        RunStore.fileName(choice.map { "\($0.key)_\($0.value)" }.joined(separator: "+"))
    }

    /// The words without the settings of the axes.
    private func others(_ words: [String]) -> [String] {
        var rest: [String] = []
        var at = 0
        while at < words.count {
            let isAxis =
                words[at] == "--set" && at + 1 < words.count
                && axes.contains {
                    words[at + 1].hasPrefix($0.key + "=")
                }
            if !isAxis { rest.append(words[at]) }
            at += isAxis ? 2 : 1
        }
        return rest
    }

    private func run(_ choice: [(key: String, value: String)]) throws -> Int32 {
        let options = workbench.options
        guard let script = options.script, let request = options.sweep else {
            throw BSSError("-j", "workers run a script, and this is none", kind: .usage)
        }
        let root = try workbench.store()?.root ?? RunOptions.usualOut
        var words = [
            "-j", String(workers), "--out", "\(root)/\(SweepGrid.name(choice))", "--on-error", request.onError,
        ]
        if let only = request.only { words += ["--only", only] }
        if request.isDry { words.append("--dry-run") }
        if let retry = request.retry { words += ["--retry", retry.rawValue] }
        words += others(options.passed) + choice.flatMap { ["--set", "\($0.key)=\($0.value)"] }
        words += [script, "--"] + options.scriptArguments
        fflush(stdout)
        let child = try SpawnedProcess(
            SpawnedProcess.ownPath, words, output: .descriptor(STDOUT_FILENO), errors: .descriptor(STDERR_FILENO))
        while true {
            if let code = child.reap(blocking: false) { return code }
            if Cancellation.isRequested { child.send(SIGINT) }
            usleep(10_000)
        }
    }
}
