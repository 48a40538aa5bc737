import BSSCore
import BSSSweep
import Foundation
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct SlurmScriptTests {
    private func script(_ change: (inout SlurmScript) -> Void = { _ in }) throws -> String {
        let root = NSTemporaryDirectory() + "slurm-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let content = SweepFolder.Content(script: "x/it's.lua", workingFolder: "/a b", options: [], arguments: [])
        var script = SlurmScript(
            try SweepFolder(of: content, in: root), program: "/opt/bss lua", workingFolder: "/a b", workers: 6,
            threads: 2, time: "00:30:00")
        change(&script)
        return script.text
    }

    @Test("bash reads it; paths with blanks are quoted; an array of workers under its limits")
    func text() throws {
        let text = try script {
            $0.partition = "short"
            $0.limit = 2
        }
        for line in [
            "#SBATCH --array=0-5%2", "#SBATCH --time=00:30:00", "#SBATCH --signal=B:USR1@180", "#SBATCH --requeue",
            "#SBATCH --partition=short", "#SBATCH --cpus-per-task=2", "cd '/a b' || exit 2",
        ] { #expect(text.contains(line + "\n"), "\(line)") }
        #expect(text.contains("BSS_THREADS=2 '/opt/bss lua' sweep work "))
        #expect(try script { $0.workers = 3 }.contains("--array=0-2\n"))
        let bash = Process()
        bash.executableURL = URL(fileURLWithPath: "/bin/bash")
        bash.arguments = ["-n", "-c", text]
        try bash.run()
        bash.waitUntilExit()
        #expect(bash.terminationStatus == 0)
    }

    @Test(
        "a short limit leaves a third for leaving",
        arguments: [("1", 20), ("10", 180), ("1:30", 30), ("00:02:00", 40), ("1-0", 180), ("0-0:1", 20), ("x", 180)])
    func notice(_ time: String, _ seconds: Int) throws {
        #expect(try script { $0.time = time }.contains("--signal=B:USR1@\(seconds)\n"))
    }

    @Test("what a cluster taught: TERM never queues again, only this task does, and only the copy that Slurm knows")
    func traps() throws {
        let text = try script()
        #expect(text.contains("trap 'again=; kill -TERM $pid 2>/dev/null' TERM\n"))
        #expect(text.contains("task=${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}\n"))
        #expect(text.contains("== \"Restarts=${SLURM_RESTART_COUNT:-0}\" ]]"))
        #expect(!text.contains("CONT'") && !text.contains("requeue \"$SLURM_JOB_ID\""))
    }
}
