import BSSCore
import BSSLua
import BSSRuns
import BSSSweep
import BSSTensor
import Glibc

/// The process that was asked for a sweep: it runs the script, has workers do the runs of each experiment, and prints
/// and writes what the script makes of them.
final class SweepCoordinator {
    private unowned let workbench: Workbench
    private let request: SweepRequest
    private let workers: Int
    private var folder: SweepFolder?
    private var pool: WorkerPool?
    private(set) var hasExperiment = false

    init(_ workbench: Workbench, _ request: SweepRequest, workers: Int) {
        (self.workbench, self.request, self.workers) = (workbench, request, workers)
    }

    /// Returns once every run is published.
    /// - Throws: kind `.failedRuns` or `.left` where that does not come to be; `.checked` after `--dry-run`, and after
    ///   `--only` while other runs are open.
    func finish(_ name: String, plan: String, _ runs: [RunStore.PlannedRun], in store: RunStore) throws {
        hasExperiment = true
        let filter = try request.only.map { try RunFilter($0) }
        let wanted = filter.map { filter in runs.filter(filter.holds) } ?? runs
        guard !wanted.isEmpty else {
            let names = Set(runs.map(\.name)).sorted().joined(separator: ", ")
            throw BSSError("--only", "no run of \(name) matches", hint: "arms: \(names)", kind: .usage)
        }
        if request.isDry, request.slurm == nil { try show(name, wanted, store) }
        try retry(wanted, store)
        let folder = try makeFolder(store)
        try folder.add(plan: String(plan.split(separator: "/").last ?? ""))
        if request.printsLines { try printLines(for: wanted.count, folder) }
        if let slurm = request.slurm { try write(slurm, for: wanted.count, folder) }
        var watch = SweepWatch(wanted, in: store, policy: try SweepWatch.Policy(request.onError))
        let outcome = try follow(&watch, name, store)
        try tellDifferences(wanted, store)
        switch outcome {
        case .finished: break
        case .failed(let count):
            throw BSSError(
                name, "\(count) of \(wanted.count) runs came to no result",
                hint: "--retry failed (or lost, all) begins them again", kind: .failedRuns)
        case .stopped(let reason):
            pool?.leave(within: 10)
            throw BSSError(name, "stopped: \(reason)", kind: .failedRuns)
        }
        guard wanted.count < runs.count else { return }
        let status = try SweepStatus(runs, in: store)
        guard !status.isDone else { return }
        throw BSSError(name, "the runs of --only are done; of all: \(status.line)", kind: .checked)
    }

    // MARK: Beginning

    private func show(_ name: String, _ runs: [RunStore.PlannedRun], _ store: RunStore) throws -> Never {
        let status = try SweepStatus(runs, in: store)
        workbench.state.write(
            Array((workbench.options.json ? JSON.text(.table(status.table)) + "\n" : "\(name): \(status.text)").utf8))
        if !workbench.options.json { workbench.state.write(Array(list(runs).utf8)) }
        throw BSSError(name, "planned, nothing begun", kind: .checked)
    }

    /// Arms, and how many runs of each.
    private func list(_ runs: [RunStore.PlannedRun]) -> String {
        var counts: [(name: String, seeds: [Int])] = []
        for run in runs {
            let seed = run.content["seed"]?.int ?? 0
            if counts.last?.name == run.name {
                counts[counts.count - 1].seeds.append(seed)
            } else {
                counts.append((run.name, [seed]))
            }
        }
        return counts.map { arm in
            let seeds = arm.seeds.map(String.init).joined(separator: " ")
            return "  \(arm.name): \(arm.seeds.count == 1 ? "seed" : "seeds") \(seeds)\n"
        }.joined()
    }

    private func retry(_ runs: [RunStore.PlannedRun], _ store: RunStore) throws {
        guard let retry = request.retry else { return }
        for run in runs {
            switch try store.state(run.id) {
            case .failed where retry != .lost, .lost where retry != .failed: try store.reopen(run.id)
            default: break
            }
        }
    }

    private func makeFolder(_ store: RunStore) throws -> SweepFolder {
        if let folder { return folder }
        guard let script = workbench.options.script else {
            throw BSSError("-j", "workers run a script, and this is none", kind: .usage)
        }
        let content = SweepFolder.Content(
            script: script, workingFolder: Files.workingFolder, options: workbench.options.passed,
            arguments: workbench.options.scriptArguments)
        let folder = try SweepFolder(of: content, in: store.root)
        try folder.write(content)
        folder.allow()
        _ = try workbench.keepSources(store)
        self.folder = folder
        return folder
    }

    /// The batch file; what follows in the script is the next call's, when the runs are there.
    private func write(_ slurm: SweepRequest.Slurm, for runs: Int, _ folder: SweepFolder) throws -> Never {
        let chunk = slurm.chunk ?? 8
        let tasks = request.hasJobs ? workers : (runs + chunk - 1) / chunk
        let script = SlurmScript(
            folder, program: SpawnedProcess.ownPath, workingFolder: Files.workingFolder, workers: tasks,
            threads: workbench.options.threads ?? 1, time: slurm.time, partition: slurm.partition, limit: slurm.limit)
        if request.isDry {
            workbench.state.write(Array(script.text.utf8))
            throw BSSError("sweep", "nothing was begun", kind: .checked)
        }
        let path = folder.path + "/sweep.sbatch"
        try Files.write(script.text, to: path)
        workbench.state.write(Array("sbatch \(path)\n".utf8))
        throw BSSError(
            "sweep",
            "\(runs) runs planned for \(script.workers) tasks; when they are done, the same command without "
                + "--slurm prints the tables", kind: .checked)
    }

    private func printLines(for runs: Int, _ folder: SweepFolder) throws -> Never {
        let lines = EngineLines(
            folder, program: SpawnedProcess.ownPath, workingFolder: Files.workingFolder, workers: workers, runs: runs,
            threads: workbench.options.threads ?? 1)
        workbench.state.write(Array(lines.text.utf8))
        throw BSSError(
            "sweep", "\(runs) runs planned; when they are done, the same command without --engine prints the tables",
            kind: .checked)
    }

    /// Started for the first runs that are open; they go through the rest of the script by themselves.
    private func startWorkers(_ folder: SweepFolder) throws {
        guard pool == nil else { return }
        let only = request.only.map { ["--only", $0] } ?? []
        let threads = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) / workers)
        let content = try folder.content()
        let workers = workers
        let cards = workbench.options.device == .cuda(nil) ? try Devices.visibleCards() : []
        pool = WorkerPool(
            arguments: { number in
                [
                    "--threads", String(threads), "--quiet", "--out", folder.root, "--worker",
                    "\(number)/\(workers)@\(folder.name)",
                ]
                    + only + content.options + [content.script, "--"] + content.arguments
            },
            variables: { number in
                // One run a card: each worker sees its own, in turns.
                cards.count < 2 ? [:] : ["CUDA_VISIBLE_DEVICES": cards[(number - 1) % cards.count]]
            }, log: { folder.log(of: $0) })
        try pool?.start(workers)
    }

    // MARK: Waiting

    /// What a worker's exit code says of its error.
    private static let kinds: [Int32: BSSError.Kind] = [2: .usage, 8: .data, 9: .device, 74: .output]

    private func follow(_ watch: inout SweepWatch, _ name: String, _ store: RunStore) throws -> SweepWatch.Outcome {
        var shown = SweepProgress(workbench.options, name)
        defer { shown.end() }
        while true {
            if let outcome = try watch.look({ shown.tell("\(name): \($0)") }) {
                shown.show(watch)
                return outcome
            }
            if let folder { try startWorkers(folder) }
            for ending in try pool?.look() ?? [] where ![0, 6, 75].contains(ending.code) {
                pool?.leave(within: 10)
                // Where results cannot be written, a worker's words cannot either.
                let isFull = ending.words.isEmpty && Files.isDiskFull(store.root)
                let words = isFull ? "\(store.root): \(String(cString: strerror(ENOSPC)))" : ending.words
                throw BSSError(
                    name, "worker \(ending.number) ended with exit code \(ending.code)\n\(words)",
                    kind: SweepCoordinator.kinds[ending.code] ?? .runtime)
            }
            if pool?.living == 0, try watch.look({ shown.tell("\(name): \($0)") }) == nil {
                throw BSSError(name, "stopped with work left: \(watch.progress)", kind: .left)
            }
            shown.show(watch)
            do { try pause() } catch {
                pool?.leave(within: 30)
                throw error
            }
        }
    }

    /// Until something may have changed, or a signal asks to leave.
    private func pause() throws {
        usleep(20_000)
        try Cancellation.check("sweep")
        guard folder?.isCancelled == true else { return }
        throw BSSError("sweep", "cancelled", hint: "the same command goes on", kind: .left)
    }

    /// A run that ended differently on a second attempt.
    private func tellDifferences(_ runs: [RunStore.PlannedRun], _ store: RunStore) throws {
        for run in runs {
            for (attempt, paths) in try store.differences(run.id) {
                workbench.warn(
                    "\(SweepWatch.name(run)): attempt \(attempt) gave other results than the published one: "
                        + paths.prefix(4).joined(separator: ", "))
            }
        }
    }

    // MARK: The end

    /// Everything is published: what workers still do is repeated here.
    func end() { pool?.leave(within: 5) }
}
