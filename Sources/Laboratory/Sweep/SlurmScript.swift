import BSSCore

/// The batch file of a sweep: an array of workers over the frozen plan, one readable file.
///
/// What it has to get right (measured on a cluster of one machine): the signal before the time limit comes to the batch
/// shell alone, and bash runs traps between commands, therefore the worker runs beside it and is waited for; TERM is
/// `scancel`, preemption or a node that came back, and a job that requeued itself then could not be cancelled; a copy
/// that lost its node may live on, so that only the incarnation that Slurm knows may requeue; the id of one task equals
/// that of its array, whose requeueing would take every task.
public struct SlurmScript {
    /// Where a worker finds everything, absolute.
    public var folder: SweepFolder
    public var program: String
    public var workingFolder: String
    public var workers: Int
    public var threads: Int
    /// As `sbatch --time` takes it.
    public var time: String
    public var partition: String?
    /// Tasks at work at once.
    public var limit: Int?

    /// Slurm's usual MaxArraySize of 1001 caps the index.
    public static let mostWorkers = 1000
    /// Seconds before the time limit at which a worker is asked to leave; a third of a short limit.
    private var notice: Int { min(180, max(10, (SlurmScript.seconds(time) ?? 3600) / 3)) }

    /// `MINUTES`, `MINUTES:SECONDS`, `HOURS:MINUTES:SECONDS`, `DAYS-HOURS`, `DAYS-HOURS:MINUTES`,
    /// `DAYS-HOURS:MINUTES:SECONDS`; nil: it says something else.
    static func seconds(_ limit: String) -> Int? {
        let halves = limit.split(separator: "-", omittingEmptySubsequences: false)
        let parts = (halves.last ?? "").split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        let numbers = parts.compactMap { $0 }
        guard numbers.count == parts.count, numbers.allSatisfy({ $0 >= 0 }) else { return nil }
        if halves.count == 2, let days = Int(halves[0]), days >= 0, numbers.count <= 3 {
            let units = [3600, 60, 1]
            return days * 86400 + zip(numbers, units).reduce(0) { $0 + $1.0 * $1.1 }
        }
        guard halves.count == 1 else { return nil }
        switch numbers.count {
        case 1: return numbers[0] * 60
        case 2: return numbers[0] * 60 + numbers[1]
        case 3: return numbers[0] * 3600 + numbers[1] * 60 + numbers[2]
        default: return nil
        }
    }

    public init(
        _ folder: SweepFolder, program: String, workingFolder: String, workers: Int, threads: Int, time: String,
        partition: String? = nil, limit: Int? = nil
    ) {
        (self.folder, self.program, self.workingFolder) = (folder, program, workingFolder)
        (self.workers, self.threads, self.time) = (min(workers, SlurmScript.mostWorkers), threads, time)
        (self.partition, self.limit) = (partition, limit)
    }

    static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    private var root: String { folder.root.hasPrefix("/") ? folder.root : "\(workingFolder)/\(folder.root)" }

    public var text: String {
        let logs = "\(root)/sweeps/\(folder.name)"
        var head = [
            "--job-name=\(folder.name)", "--array=0-\(workers - 1)\(limit.map { "%\($0)" } ?? "")", "--time=\(time)",
            "--cpus-per-task=\(threads)", "--signal=B:USR1@\(notice)", "--requeue", "--open-mode=append",
            "--output=\(logs)/slurm-%A_%a.txt",
        ]
        if let partition { head.append("--partition=\(partition)") }
        let worker = [SlurmScript.quoted(program), "sweep", "work", SlurmScript.quoted(root), "--sweep", folder.name]
        return (["#!/bin/bash"] + head.map { "#SBATCH \($0)" }).joined(separator: "\n") + """

            # Each task is one worker over the frozen plan: it takes runs that nobody has, until none is left.
            # USR1 comes before the time limit: the worker leaves at its next checkpoint (exit 75), and exactly this
            # task is queued again. TERM is scancel or preemption: checkpoint and go, never requeue, or a cancelled
            # job rises again. Nothing traps CONT: bash 5.2 then loses USR1.
            cd \(SlurmScript.quoted(workingFolder)) || exit 2
            task=${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}
            again=
            trap 'again=1; kill -USR1 $pid 2>/dev/null' USR1 USR2
            trap 'again=; kill -TERM $pid 2>/dev/null' TERM
            BSS_THREADS=\(threads) \(worker.joined(separator: " ")) & pid=$!
            while wait $pid; code=$?; kill -0 $pid 2>/dev/null; do :; done; wait $pid; code=$?
            if [[ $code == 75 && $again ]]; then
              # A copy that Slurm has replaced must not requeue the new one.
              known=$(scontrol show job "$task" | grep -o 'Restarts=[0-9]*')
              if [[ $known == "Restarts=${SLURM_RESTART_COUNT:-0}" ]]; then
                echo "task $task is queued again"
                scontrol requeue "$task" && sleep 60
              fi
            fi
            exit $code

            """
    }
}
