import BSSBackend
import BSSCore
import BSSLua
import Glibc

/// What `%time`, `%timeit` and `%profile` measure: code at the prompt, or a function or text of a script.
struct Measured {
    let state: LuaState
    let show: (String) throws -> Void
    /// Runs it once, as a cell at the prompt; false: it failed, and that has been said.
    let once: () throws -> Bool
    /// `%timeit -n N`: this many runs a round.
    var runs: Int?
    /// What runs it again and again.
    let repeated: () throws -> () throws -> Void

    /// Code at the prompt.
    init(_ session: Session, _ code: String) {
        let state = session.state
        self.state = state
        show = { session.front?.show($0) }
        once = { session.runCell(code) }
        repeated = {
            let function = try session.compile(code)
            return { try state.run(function) }
        }
    }

    /// A function, or a text, which sees the variables of the session, if there is one. Figures go to standard error:
    /// they are never the same twice, so they are no outputs.
    /// - Throws: it is neither, or does not compile.
    init(_ value: Value, _ state: LuaState, operation: String) throws {
        let run: () throws -> Void
        switch value {
        case .function(let function): run = { _ = try function.call([]) }
        case .string(let text):
            let session = Session.current.flatMap { $0.state === state ? $0 : nil }
            let function =
                // Without a session, what is no expression is compiled as statements; their error is the one to tell.
                try session?.compile(text) ?? (try? state.function("return " + text, name: "=code"))
                ?? state.function(text, name: "=code")
            run = { try state.run(function) }
        default: throw BSSError(operation, "expects a function or code as text, got \(value.described)", kind: .usage)
        }
        self.state = state
        show = { Terminal.error($0 + "\n") }
        once = {
            try run()
            return true
        }
        repeated = { run }
    }
}

/// `%time`, `%timeit`, `%profile`.
package enum Timing {
    package static func duration(_ seconds: Double) -> String {
        switch seconds {
        case ..<1e-6: return Text.fixed(seconds * 1e9, 0) + " ns"
        case ..<1e-3: return Text.fixed(seconds * 1e6, 1) + " µs"
        case ..<1: return Text.fixed(seconds * 1e3, 1) + " ms"
        default: return Text.fixed(seconds, 2) + " s"
        }
    }

    /// `-n N CODE` of `%timeit`.
    static func rounds(_ text: String, of command: String) throws -> (runs: Int?, code: String) {
        guard command == "timeit", text.hasPrefix("-n") else { return (nil, text) }
        let rest = text.dropFirst(2).trimmed
        let digits = rest.prefix(while: \.isNumber)
        guard let runs = Int(digits), runs > 0 else {
            throw BSSError("%timeit", "-n expects how many runs a round has", hint: "%timeit -n 100 CODE", kind: .usage)
        }
        return (runs, String(rest[digits.endIndex...]).trimmed)
    }

    static func cpu() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    static func size(_ bytes: Int) -> String {
        switch bytes {
        case 0: return ""
        case ..<1024: return "\(bytes) B"
        case ..<(1 << 20): return Text.fixed(Double(bytes) / 1024, 1) + " KB"
        case ..<(1 << 30): return Text.fixed(Double(bytes) / Double(1 << 20), 1) + " MB"
        default: return Text.fixed(Double(bytes) / Double(1 << 30), 1) + " GB"
        }
    }

    private static func change(_ before: Int, _ after: Int) -> String {
        (after < before ? "-" : "+") + (after == before ? "0 B" : size(abs(after - before)))
    }

    /// Once: wall time, CPU time, the engine's part, memory.
    static func time(_ measured: Measured) throws {
        let before = measured.state.memory
        let profile = OperatorProfile()
        let cpu = Timing.cpu()
        let wall = Clock.seconds()
        guard try profile.measure({ try measured.once() }) else { return }
        let seconds = Clock.seconds() - wall
        let busy = Timing.cpu() - cpu
        let after = measured.state.memory
        var text = "wall \(duration(seconds)), CPU \(duration(busy))"
        if profile.calls > 0 {
            let operations = "\(profile.calls) operation\(profile.calls == 1 ? "" : "s")"
            text += ", engine \(duration(profile.seconds)) in \(operations)"
        }
        text += "\nLua heap \(change(before.heap, after.heap)), host objects \(change(before.external, after.external))"
        if profile.allocations > 0 {
            let blocks = "\(profile.allocations) block\(profile.allocations == 1 ? "" : "s")"
            text += ", tensors made \(size(profile.allocatedBytes)) in \(blocks)"
        }
        try measured.show(text)
    }

    /// Seven rounds of as many runs as fill a tenth of a second, after one round to warm up.
    static func timeit(_ measured: Measured) throws {
        let state = measured.state
        let run = try measured.repeated()
        func round(_ runs: Int) throws -> Double {
            let start = Clock.seconds()
            for _ in 0..<runs {
                try run()
                if state.isStopping { throw BSSError.cancelled("%timeit") }
            }
            return (Clock.seconds() - start) / Double(runs)
        }
        var runs = measured.runs ?? 1
        var once = try round(1)
        while measured.runs == nil, once * Double(runs) < 0.1, runs < 10_000_000 {
            runs = max(runs + 1, min(runs * 10, Int(0.12 / max(once, 1e-9))))
            once = try round(runs)
        }
        let times = try (0..<7).map { _ in try round(runs) }.sorted()
        let median = times[3]
        let spread = times[5] - times[1]
        try measured.show(
            "median \(duration(median)), middle five within \(duration(spread)), "
                + "best \(duration(times[0])) (7 rounds of \(runs))")
        if spread > 0.2 * median { try measured.show("the times vary by more than a fifth: the machine is busy") }
    }

    /// More operators than this, and the rest is summed up.
    private static let mostRows = 24

    /// Once: a table of the engine's operators, the one that took longest first.
    static func profile(_ measured: Measured) throws {
        let profile = OperatorProfile()
        let start = Clock.seconds()
        guard try profile.measure({ try measured.once() }) else { return }
        try measured.show(text(profile, wall: Clock.seconds() - start))
    }

    static func text(_ profile: OperatorProfile, wall: Double) -> String {
        guard profile.calls > 0 else { return "no operators ran: all \(duration(wall)) are Lua's and the host's" }
        let rows = profile.rows
        let shown = rows.prefix(mostRows)
        let rest = rows.dropFirst(mostRows)
        let width = max(8, shown.map(\.name.count).max() ?? 0) + 2
        func line(_ cells: [String]) -> String {
            Text.padded(cells[0], to: width) + cells.dropFirst().map { Text.padded($0, to: 12, right: true) }.joined()
        }
        func percent(_ part: Double) -> String { Text.fixed(100 * part / max(wall, 1e-12), 1) + " %" }
        var lines = [line(["operator", "calls", "total", "of wall", "a call", "elements"])]
        for row in shown {
            lines.append(
                line([
                    row.name, "\(row.calls)", duration(row.seconds), percent(row.seconds),
                    duration(row.seconds / Double(row.calls)), "\(row.elements)",
                ]))
        }
        if !rest.isEmpty {
            lines.append("… \(rest.count) more operators, \(duration(rest.reduce(0) { $0 + $1.seconds }))")
        }
        lines.append(
            "engine \(duration(profile.seconds)) of \(duration(wall)) (\(percent(profile.seconds))) "
                + "in \(profile.calls) calls, \(size(profile.allocatedBytes)) of tensors made")
        lines.append("the rest is Lua, the host and this measurement")
        return lines.joined(separator: "\n")
    }
}
