import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// Killed, or failed by the system, at the n-th rename, fsync, mkdir, unlink, link or write of an experiment, and
/// resumed: the records, the tables and the list of files are those of an experiment that nothing happened to.
///
/// A sample here; `scripts/check-kill` (BSS_KILL_MATRIX=all) does every one.
@Suite(.oneAtATime) struct KillMatrixTests {
    private static let script = """
        local p = bss.params{ width = 8 }
        local data = bss.data.synthetic{ samples = 90 }
        local encoder = bss.encoder.mlp{ hidden = { p.width } }
        print(bss.experiment{
          name = "matrix", params = p, seeds = 1, metrics = { "test.total.accuracy", "last.test.total.loss" },
          arms = { { name = "random" }, { name = "learned" } },
          run = function(p, arm, seed)
            return bss.train{
              name = arm.name, data = data, model = bss.model{ strong = encoder, weak = encoder }, epochs = 3, \
        batch_size = 32,
              seed = seed, checkpoint_every = 1, scheduler = arm.name, \
        on_epoch = function(e) print(arm.name, e.train.loss) end,
            }
          end,
        })
        """
    private static let arguments = ["--quiet", "--threads", "1", "--out", "store", "--resume", "matrix.lua"]

    struct Case: CustomStringConvertible {
        let operation: String, number: Int, how: String
        var description: String { "\(operation) \(number) \(how)" }
    }

    /// Everything that must be equal, by name.
    private func state(_ program: BuiltProgram) throws -> [String: String] {
        let root = program.folder + "/store"
        var state: [String: String] = [:]
        let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        state["files"] = files.filter { !$0.contains("/attempt-") }.sorted().joined(separator: " ")
        // Of attempts only what they may leave.
        let usual = ["owner.json", "beat", "released", "run.json", "metrics.jsonl", "trace.jsonl", "output.txt"]
        let odd = files.filter { file in
            file.contains("/attempt-") && file.split(separator: "/").count > 3
                && !usual.contains(String(file.split(separator: "/").last ?? ""))
        }
        state["litter"] = odd.joined(separator: " ")
        for file in files where !file.contains("/attempt-") {
            let path = "\(root)/\(file)"
            if Files.isFolder(path) { continue }
            guard file.hasSuffix("run.json") else {
                state[file] = try Files.readText(path)
                continue
            }
            let record = try program.read("store/" + file)
            for key in ["state", "id", "config", "result", "parameters_hash", "history", "order_hashes", "streams"] {
                state["\(file) \(key)"] = JSON.text(record[key] ?? .null)
            }
        }
        return state
    }

    private func shim(_ folder: String) throws -> String {
        let library = folder + "/faults.so"
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = [
            "cc", "-shared", "-fPIC", "-O1", "-o", library, "\(BuiltProgram.packageRoot)/scripts/faults/faults.c",
            "-ldl",
        ]
        try compiler.run()
        compiler.waitUntilExit()
        #expect(compiler.terminationStatus == 0, "cc cannot compile scripts/faults/faults.c")
        return library
    }

    @Test("killed or failed at every system call of the store, then resumed: equal results, no litter")
    func matrix() throws {
        let whole = try BuiltProgram()
        defer { whole.remove() }
        let library = try shim(whole.folder)
        try whole.write("matrix.lua", Self.script)
        let counted = try whole.run(
            Self.arguments,
            environment: ["LD_PRELOAD": library, "BSS_FAULT_ROOT": "store", "BSS_FAULT_LOG": whole.folder + "/counts"])
        #expect(counted.code == 0, "\(counted.summary)")
        let wanted = try state(whole)
        #expect(wanted["litter"] == "" && !(wanted["files"] ?? "").contains("tmp/"), "\(wanted["files"] ?? "")")
        var cases: [Case] = []
        for line in try Files.readText(whole.folder + "/counts").split(separator: "\n") {
            let words = line.split(separator: " ")
            let (operation, count) = (String(words[0]), Int(words[1]) ?? 0)
            #expect(count > 0, "\(operation) is never called")
            for number in 1...max(1, count) {
                for how in ["kill", "\(EIO)"] + (operation == "write" ? ["torn", "\(ENOSPC)"] : []) {
                    cases.append(Case(operation: operation, number: number, how: how))
                }
            }
        }
        let isWhole = ProcessInfo.processInfo.environment["BSS_KILL_MATRIX"] == "all"
        let order = isWhole ? Array(cases.indices) : permutation(cases.count)
        let end = Date().addingTimeInterval(isWhole ? 1e6 : 40)
        var done: [String: Int] = [:]
        var kills = 0
        var failures = 0
        for index in order where Date() < end {
            let outcome = try run(cases[index], library, wanted, counted.output)
            done[cases[index].operation, default: 0] += 1
            if outcome == SIGKILL { kills += 1 } else if outcome != 0 { failures += 1 }
        }
        let total = done.values.reduce(0, +)
        let each = done.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        print(
            "kill matrix: \(total) of \(cases.count) cases (\(each)): \(kills) kills, \(failures) ended with an error, "
                + "\(total - kills - failures) went through")
        #expect(kills > 0 && failures > 0 && total >= (isWhole ? cases.count : 12))
    }

    private func permutation(_ count: Int) -> [Int] {
        var stream = RandomStream(seed: UInt64(Date().timeIntervalSince1970), name: "kill matrix")
        return stream.permutation(count)
    }

    /// - Returns: 0, SIGKILL, or another sign that the run was stopped.
    private func run(_ fault: Case, _ library: String, _ wanted: [String: String], _ output: String) throws -> Int32 {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write("matrix.lua", Self.script)
        let first = try program.run(
            Self.arguments,
            environment: [
                "LD_PRELOAD": library, "BSS_FAULT_ROOT": "store",
                "BSS_FAULT": "\(fault.operation):\(fault.number):\(fault.how)",
            ], limit: 60)
        let isKill = fault.how == "kill" || fault.how == "torn"
        #expect(isKill ? first.signal == SIGKILL : [0, 74].contains(first.code), "\(fault): \(first.summary)")
        if first.code == 74 { #expect(first.errors.contains("store"), "\(fault): \(first.errors)") }
        let resumed = try program.run(Self.arguments, limit: 60)
        #expect(resumed.code == 0 && resumed.output == output, "\(fault): \(resumed.summary)")
        let found = try state(program)
        for key in Set(wanted.keys).union(found.keys).sorted() where found[key] != wanted[key] {
            Issue.record(
                """
                \(fault): \(key) is \(found[key]?.prefix(400) ?? "missing"), not \(wanted[key]?.prefix(400) ?? "there")
                """
            )
        }
        return isKill ? first.signal ?? 0 : first.code
    }
}
