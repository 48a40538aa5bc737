import BSSCore
import Glibc

/// What `-j` and `bss-lua sweep` ask for: the runs of a script's experiments by several processes.
public struct SweepRequest {
    public enum Role: Equatable {
        /// Runs the script, starts workers and waits for them.
        case coordinator(workers: Int)
        /// Runs the script for the runs of this sweep alone.
        case worker(number: Int, of: Int, sweep: String)
    }

    public enum Retry: String, CaseIterable { case failed, lost, all }

    public var role: Role
    /// `-j` was given.
    public var hasJobs = false
    /// Conditions on runs.
    public var only: String?
    /// Which runs that came to no result are begun again.
    public var retry: Retry?
    public var onError = "continue"
    /// Plan the first experiment, begin nothing.
    public var isDry = false
    /// A batch file for a cluster instead of workers here.
    public var slurm: Slurm?
    /// Lines for other engines instead of workers here.
    public var printsLines = false
    /// Of a worker: the run of this index of the plan alone, from 0, and the seconds after which it leaves.
    public var index: Int?
    public var seconds: Double?

    enum Engine: String, CaseIterable { case print }

    public struct Slurm {
        public var partition: String?
        public var time = "01:00:00"
        /// Tasks at work at once.
        public var limit: Int?
        /// Runs a task, where `-j` does not say how many tasks.
        public var chunk: Int?
    }

    public init(_ role: Role) { self.role = role }

    /// One worker a core.
    static var usual: SweepRequest {
        SweepRequest(.coordinator(workers: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
    }
}

/// `2/4@ablation-1a2b3c4d`
struct WorkerPlace: TextualType {
    let number: Int
    let count: Int
    let sweep: String
    init?(text: String) {
        let halves = text.split(separator: "@", maxSplits: 1).map(String.init)
        let parts = (halves.first ?? "").split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard halves.count == 2, parts.count == 2, let number = parts[0], let count = parts[1], number >= 1,
            number <= count
        else { return nil }
        (self.number, self.count, sweep) = (number, count, halves[1])
    }
    var text: String { "\(number)/\(count)@\(sweep)" }
    static let expected = "K/N@SWEEP"
    static let placeholder: String? = "K/N@SWEEP"
}

extension ProgramOption {
    /// Asking for one of these asks for a sweep.
    private static func sweeping<T: WordType>(
        _ argument: Argument<T>, short: String? = nil, value: String? = nil,
        _ change: @escaping (inout SweepRequest, T) -> Void
    ) -> ProgramOption {
        ProgramOption(argument, short: short, value: value) { invocation, given in
            var request = invocation.options.sweep ?? SweepRequest.usual
            change(&request, given)
            invocation.options.sweep = request
        }
    }

    private static func slurm<T: WordType>(
        _ argument: Argument<T>, value: String? = nil, _ change: @escaping (inout SweepRequest.Slurm, T) -> Void
    ) -> ProgramOption {
        sweeping(argument, value: value) { request, given in
            var slurm = request.slurm ?? SweepRequest.Slurm()
            change(&slurm, given)
            request.slurm = slurm
        }
    }

    static let jobs = sweeping(
        Argument<ProcessorCount>("jobs", "runs of experiments by N worker processes; sweep: one a core"), short: "-j"
    ) {
        $0.role = .coordinator(workers: $1.number)
        $0.hasJobs = true
    }

    static let sweep = [
        jobs,
        sweeping(
            Argument<String>("only", "sweep: runs that match: NAME*, seed=3, key=value, between commas"),
            value: "FILTER"
        ) { $0.only = $1 },
        sweeping(
            Argument<OneOf<SweepRequest.Retry>>("retry", "sweep: begin runs again that failed, are lost, or both")
        ) { $0.retry = $1.value },
        sweeping(Argument<String>("on_error", "sweep: continue, stop or stop-after=N"), value: "POLICY") {
            $0.onError = $1
        },
        sweeping(Argument<Bool>("dry_run", "sweep: the first experiment's runs and their cost; nothing is begun")) {
            $0.isDry = $1
        },
        sweeping(
            Argument<OneOf<SweepRequest.Engine>>(
                "engine", "sweep: print lines for GNU parallel, ssh and Kubernetes instead of running workers")
        ) { request, _ in request.printsLines = true },
        slurm(Argument<Bool>("slurm", "sweep: write a batch file for Slurm; --dry-run prints it")) { _, _ in },
        slurm(Argument<String>("partition", "sweep --slurm: where it runs"), value: "NAME") { $0.partition = $1 },
        slurm(Argument<String>("time", "sweep --slurm: limit of a task, as sbatch takes it"), value: "LIMIT") {
            $0.time = $1
        },
        slurm(Argument<ProcessorCount>("array_limit", "sweep --slurm: tasks at work at once")) { $0.limit = $1.number },
        slurm(Argument<ProcessorCount>("chunk", "sweep --slurm: runs a task (8), where -j does not give the tasks")) {
            $0.chunk = $1.number
        },
        sweeping(Argument<WorkerPlace>("worker", "one worker of a sweep, as sweep work begins it")) {
            $0.role = .worker(number: $1.number, of: $1.count, sweep: $1.sweep)
        },
        sweeping(Argument<Int>("worker_run", "the run that sweep work --one asks for", check: .range(0...1_000_000))) {
            $0.index = $1
        },
        sweeping(Argument<Duration>("worker_time", "the time that sweep work --for gives")) {
            $0.seconds = $1.seconds
        },
    ]

    static let smoke = ProgramOption(Argument<Bool>("smoke", "the small form that the script declares")) {
        $0.options.smoke = $1
    }
}
