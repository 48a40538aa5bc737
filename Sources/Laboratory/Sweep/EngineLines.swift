import BSSCore

/// The same worker under other engines than `-j` and Slurm: lines to copy. A worker needs the folder of the runs and
/// nothing else; how many there are, and where, is nobody's business but the engine's.
public struct EngineLines {
    public var folder: SweepFolder
    public var program: String
    public var workingFolder: String
    public var workers: Int
    public var runs: Int
    public var threads: Int

    public init(
        _ folder: SweepFolder, program: String, workingFolder: String, workers: Int, runs: Int, threads: Int
    ) {
        (self.folder, self.program, self.workingFolder) = (folder, program, workingFolder)
        (self.workers, self.runs, self.threads) = (workers, runs, threads)
    }

    private var root: String { folder.root.hasPrefix("/") ? folder.root : "\(workingFolder)/\(folder.root)" }

    private var worker: [String] { [program, "sweep", "work", root, "--sweep", folder.name] }
    private var command: String {
        let words = worker.map(SlurmScript.quoted).joined(separator: " ")
        return "cd \(SlurmScript.quoted(workingFolder)) && BSS_THREADS=\(threads) \(words)"
    }

    public var text: String {
        """
        # One worker: it takes runs that nobody has until none is left. As many as you like, on any machine that sees
        # this folder, now or later. Exit 0: all done; 6: all have ended, some failed; 75: stopped with work left.
        \(command)

        # GNU parallel: \(workers) workers on this machine; with -S HOST,HOST on others.
        seq \(workers) | parallel -j \(workers) -N1 \(SlurmScript.quoted(command + " # worker {}"))

        # GNU parallel: a process a run.
        seq 0 \(runs - 1) | parallel -j \(workers) \(SlurmScript.quoted(command + " --one {}"))

        # ssh: a worker a machine.
        for host in HOST HOST; do ssh "$host" \(SlurmScript.quoted(command)) & done; wait

        # Kubernetes, an Indexed Job: a pod a run. A pod that was evicted counts as no failure; one that was asked to
        # leave (75) is begun again, from its checkpoint. Fill in IMAGE and CLAIM, the volume with this folder.
        cat <<'JOB' | kubectl apply -f -
        apiVersion: batch/v1
        kind: Job
        metadata: { name: \(EngineLines.label(folder.name)) }
        spec:
          completionMode: Indexed
          completions: \(runs)
          parallelism: \(workers)
          backoffLimitPerIndex: 3
          podFailurePolicy:
            rules:
            - { action: Ignore, onPodConditions: [{ type: DisruptionTarget }] }
            - { action: Ignore, onExitCodes: { operator: In, values: [75] } }
          template:
            spec:
              restartPolicy: Never
              terminationGracePeriodSeconds: 120
              containers:
              - name: worker
                image: IMAGE
                workingDir: \(JSON.text(.string(workingFolder)))
                env: [{ name: BSS_THREADS, value: "\(threads)" }]
                command: \(JSON.text(.list(worker + ["--one", "$(JOB_COMPLETION_INDEX)"])))
                resources: { requests: { cpu: "\(threads)" } }
                volumeMounts: [{ name: runs, mountPath: \(JSON.text(.string(workingFolder))) }]
              volumes: [{ name: runs, persistentVolumeClaim: { claimName: CLAIM } }]
        JOB

        """
    }

    /// Lower-case letters, digits and `-`, as Kubernetes names things.
    private static func label(_ name: String) -> String {
        let plain = name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        return "sweep-" + String(plain.prefix(50)).trimmingDashes
    }
}

extension String {
    fileprivate var trimmingDashes: String {
        var text = self[...]
        while text.last == "-" { text.removeLast() }
        return String(text)
    }
}
