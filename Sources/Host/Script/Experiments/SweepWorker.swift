import BSSCore
import BSSLua
import BSSRuns
import BSSSweep
import Glibc

/// A process that runs the script for its runs alone: it prints nothing, writes nothing but runs, and takes those that
/// nobody has.
final class SweepWorker {
    private unowned let workbench: Workbench
    let number: Int
    let count: Int
    private let filter: RunFilter?
    private let parent = getppid()
    private let folder: SweepFolder
    /// The one run that is asked for.
    private let only: String?
    /// When it leaves; nil: when no run is left.
    private var end: Double?

    init(_ workbench: Workbench, _ request: SweepRequest, number: Int, of count: Int, sweep: String) throws {
        (self.workbench, self.number, self.count) = (workbench, number, count)
        filter = try request.only.map { try RunFilter($0) }
        guard let root = workbench.options.out else {
            throw BSSError("--worker", "needs --out, the folder of the sweep", kind: .usage)
        }
        let folder = try SweepFolder.latest(in: root, named: sweep)
        self.folder = folder
        only = try request.index.map { try SweepWorker.run(at: $0, of: folder) }
        end = request.seconds.map { Clock.seconds() + $0 }
        let nothing = open("/dev/null", O_WRONLY)
        guard nothing >= 0, dup2(nothing, STDOUT_FILENO) >= 0 else {
            throw BSSError("--worker", "cannot open /dev/null", kind: .output)
        }
        close(nothing)
        Files.confine(to: ["runs", "plans", "tmp", "sweeps", "sources", "data"].map { "\(root)/\($0)/" })
        try workbench.state.run(SweepWorker.quietFiles, name: "=(worker)")
    }

    private static func run(at index: Int, of folder: SweepFolder) throws -> String {
        let runs = try folder.runs()
        guard runs.indices.contains(index) else {
            throw BSSError("--one", "the plan has \(runs.count) runs, from 0 to \(runs.count - 1)", kind: .usage)
        }
        return runs[index].id
    }

    /// Files that the script itself opens to write are the coordinator's.
    private static let quietFiles = """
        local open, output, remove, rename = io.open, io.output, os.remove, os.rename
        local function writes(mode) return type(mode) == "string" and mode:find "[wa+]" end
        io.open = function(name, mode, ...)
          return open(writes(mode) and type(name) == "string" and "/dev/null" or name, mode, ...)
        end
        io.output = function(file) return output(type(file) == "string" and "/dev/null" or file) end
        os.remove = function() return true end
        os.rename = function() return true end
        """

    // MARK: The plan

    /// - Throws: the script has planned other runs than those of the sweep.
    func join(_ name: String, plan: String, _ runs: [RunStore.PlannedRun], in store: RunStore) throws {
        let file = String(plan.split(separator: "/").last ?? "")
        let frozen = try folder.content().plans.filter { $0.dropLast(19) == file.dropLast(19) }
        guard !frozen.contains(file) else { return }
        guard let other = frozen.last, let first = try store.plan("\(store.root)/plans/\(other)").first else {
            return try folder.add(plan: file)
        }
        let differences = runs.first.map { RunIdentity.differences($0.content, first.content) } ?? []
        throw BSSError(
            name, "the script plans other runs than \(other), which was frozen",
            hint: differences.isEmpty
                ? "it does so each time it is run: arms must not depend on time or chance"
                : "it differs in " + differences.joined(separator: ", "))
    }

    // MARK: Runs

    enum Choice {
        /// Its function is called: it trains, or takes the finished run from its record.
        case begin
        case later
        /// It came to no result, or is not asked for.
        case never
    }

    func choose(_ run: PlannedJob, in store: RunStore) throws -> Choice {
        try checkStanding()
        let state = try store.state(run.id)
        if case .finished = state { return .begin }
        if let only, run.id != only { return .never }
        if let filter, !filter.holds(run.planned) { return .never }
        switch state {
        case .running: return try store.isAbandoned(run.id) ? .begin : .later
        case .failed: return .never
        case .lost(let tries): return tries < RunState.mostLost ? .begin : .never
        case .open, .finished: return .begin
        }
    }

    /// - Throws: the sweep was cancelled, or who started this worker is gone.
    func checkStanding() throws {
        if folder.isCancelled { throw BSSError("sweep", "cancelled", kind: .left) }
        if let end, Clock.seconds() > end {
            self.end = nil
            kill(getpid(), SIGUSR1)  // as a queue's time limit does
        }
        if getppid() != parent { throw BSSError("sweep", "the process that started this one is gone", kind: .left) }
        try Cancellation.check("sweep")
    }

    /// Nothing is left that this worker may begin.
    func ended(_ name: String, _ runs: [PlannedJob], in store: RunStore) throws -> BSSError {
        if let only {
            switch try store.state(only) {
            case .finished: return BSSError(name, "the run of --one is done", kind: .checked)
            case .failed, .lost: return BSSError(name, "the run of --one came to no result", kind: .failedRuns)
            case .open, .running: return BSSError(name, "the run of --one is not done", kind: .left)
            }
        }
        let states = try runs.map { try store.state($0.id) }
        let isBad = states.contains { state in
            switch state {
            case .failed, .lost: return true
            default: return false
            }
        }
        return isBad
            ? BSSError(name, "runs came to no result", kind: .failedRuns)
            : BSSError(name, "the runs of --only are done", kind: .checked)
    }
}
