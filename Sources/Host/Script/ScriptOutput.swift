import BSSCore
import BSSLua
import BSSRuns

/// Everything that a script prints, kept beside its results when it ends: `results/output/<script>.txt`. What a run
/// prints while it trains stands in its own `output.txt`, which is shown again when the run is taken from its record;
/// this is the whole, with tables and what comes between trainings.
final class ScriptOutput {
    private unowned let workbench: Workbench
    private var bytes: [UInt8] = []
    /// What follows is counted, not kept.
    private static let most = 64 << 20
    private var left = 0

    init(_ workbench: Workbench) { self.workbench = workbench }

    /// From the script's first line to the program's end.
    func begin() {
        workbench.state.hearsOutput = { [self] text in
            let room = max(0, ScriptOutput.most - bytes.count)
            bytes += text.prefix(room)
            left += max(0, text.count - room)
        }
        workbench.state.atExit.append { [self] in write() }
    }

    private func write() {
        guard !bytes.isEmpty, workbench.worker == nil, workbench.replay == nil, let store = workbench.openedStore,
            let script = workbench.options.script
        else { return }
        let name = script.split(separator: "/").last?.split(separator: ".").first.map(String.init) ?? "script"
        let rest = left > 0 ? "\n… \(left) more bytes\n" : ""
        let folder = store.root + "/results/output"
        do {
            try Files.makeFolder(folder)
            try Files.write(bytes + Array(rest.utf8), to: "\(folder)/\(RunStore.fileName(name)).txt")
        } catch { workbench.warn("the script's output could not be kept: \(error)") }
    }
}
