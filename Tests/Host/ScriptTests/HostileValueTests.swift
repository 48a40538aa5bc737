import BSSCore
import Foundation
import Testing
import _BSSHostile
import _BSSTestSupport

/// Every public function, part and method with values that nobody means: always an error or a result, never a crash.
/// `BSS_HOSTILE_CALLS` sets how many calls, `BSS_HOSTILE_SEED` which.
@Suite(.oneAtATime) struct HostileValueTests {
    private static func number(_ name: String, _ usual: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? usual
    }

    @Test("hostile values for every declared argument, and pairs of them")
    func generated() throws {
        let script = try HostileScript()
        #expect(script.unreached.isEmpty, "no function makes: \(script.unreached)")
        let calls = Self.number("BSS_HOSTILE_CALLS", 6_000)
        let first = Self.number("BSS_HOSTILE_SEED", 1)
        let batch = 3_000
        for (index, start) in stride(from: 0, to: calls, by: batch).enumerated() {
            let program = try BuiltProgram()
            defer { program.remove() }
            let text = script.text(seed: first + index, calls: min(batch, calls - start))
            let outcome = try program.script(text, limit: 240)
            // The last name on stderr is the call that ended it.
            let last = outcome.errors.split(separator: "\n").last { $0.hasPrefix("> ") } ?? ""
            #expect(
                outcome.code == 0,
                """
                seed \(first + index): exit \(outcome.code), signal \(outcome.signal ?? 0) in \(last)
                \(outcome.errors.suffix(400))
                """
            )
            print(outcome.output.split(separator: "\n").last ?? "")
        }
    }

    /// Inputs that once ended the process or gave a number without a word, and what they are now.
    static let settled: [(String, String)] = [
        ("bss.randn{ 30, dtype = 'bool' }", "drawn in"), ("bss.rand{ 30, dtype = 'i64' }", "drawn in"),
        ("bss.ones{ 2, 3 }:reshape{ -1, 1 << 40, 1 << 40 }", "integer beyond"),
        ("bss.ones{ 2, 3 }:reshape{ -1, 1 << 30, 1 << 30, 1 << 30 }", "too many elements"),
        ("bss.zeros{ 0, 1 << 30, 1 << 30, 1 << 30 }", "too many elements"),
        ("bss.zeros{ 1 << 30, 1 << 10 }", "GiB"),
        ("bss.eye(1 << 15, 'f64'):matmul(bss.ones{ 1 << 15, 1 << 20 })", "GiB"),
        ("bss.stats.smallest_p{ math.maxinteger, paired = false }", "integer beyond"),
        ("bss.stats.smallest_p{ 1 << 40, paired = false }", "integer beyond"),
        (
            "bss.scheduler.heuristic{ min_batches = 2 }:size{ 0, { 0.1, 0.2 }, batch_size = math.maxinteger }",
            "integer beyond"
        ),
        ("bss.scheduler.random{}:size{ 1, n = 1 << 40 }", "integer beyond"),
        ("bss.learning_rate.warmup{ total = math.mininteger }", "at least 1"),
        ("bss.scheduler.learned{ order_sign = math.mininteger }", "1 or -1"),
        ("bss.encoder.cnn{ pool = { 1 << 40, 1 << 40 } }", "from 1 to 4096"),
        ("bss.data.synthetic{ samples = 10000000, modalities = { a = { dim = 1000000 } } }", "GiB"),
        ("bss.scheduler.one_pass{}:order{ 1, { 1 }, labels = { 1 << 62 } }", "class positions from 1"),
        ("bss.scheduler.random{}:order{ 0, n = 1, labels = { math.maxinteger } }", "class positions from 1"),
        ("bss.tensor({ 0/0 }, 'i64')", "cannot hold"), ("bss.tensor({ 1e300 }, 'i64')", "cannot hold"),
        ("bss.cross_entropy(bss.randn{ 2, 3 }, { 1, 0.7 })", "class position"),
        ("bss.cross_entropy(bss.randn{ 2, 3 }, { 1, 0/0 })", "class position"),
        ("bss.arange(5):index_select{ axis = 1, positions = { 1.9 } }", "whole numbers"),
        ("bss.tensor({ 2 }, 'i64') ^ -1", "negative integer power"),
        ("bss.scheduler.learned{}:order{ 0, { 1, 0/0, 2 } }", "sample 2"),
        ("bss.weighted_order{ 1, 0/0, 2 }", "sample 2"), ("bss.weighted_order{ 1, -1, 2 }", "sample 2"),
    ]

    @Test("settled inputs are refused with a reason", arguments: settled.map { $0.0 })
    func refused(call: String) throws {
        let words = Self.settled.first { $0.0 == call }?.1 ?? ""
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.script(
            "local ok, message = pcall(function() return \(call) end)\nprint(ok, message)", limit: 60)
        #expect(outcome.code == 0, "\(call): \(outcome.summary)")
        #expect(outcome.output.hasPrefix("false") && outcome.output.contains(words), "\(call): \(outcome.output)")
    }

    @Test("settled inputs with a right value")
    func values() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.script(
            """
            assert(bss.ones({ 20000, 1 }, "bool"):logsumexp{ axis = 2 }[20000] == 1)
            assert(math.abs(bss.ones({ 4, 2 }, "i64"):logsumexp{ axis = 2 }[4] - 1.6931472) < 1e-6)
            local empty = bss.zeros{ 2, 0 }:matmul(bss.zeros{ 0, 3 })
            assert(empty:shape()[1] == 2 and empty:shape()[2] == 3 and empty:abs():sum():item() == 0)
            assert(bss.stats.smallest_p{ 2000000000, paired = false } == 0)
            """, limit: 60)
        #expect(outcome.code == 0, "\(outcome.summary)")
    }
}
