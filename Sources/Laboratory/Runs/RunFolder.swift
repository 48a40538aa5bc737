import BSSCore
import Glibc

/// A claimed run: its measurements, trace and output, and the record that ends it.
///
/// Lines are kept until `flush`, which writes each file whole: a reader never sees half a line, and a run that is resumed
/// from a checkpoint goes back to that checkpoint's lines.
public final class RunFolder {
    public let path: String
    private let claim: String
    private var metrics: [(step: Int, line: String)] = []
    private var trace: [(step: Int, line: String)] = []
    private var output: [String] = []
    private var isReleased = false

    init(_ path: String, claim: String) {
        self.path = path
        self.claim = claim
    }

    deinit { release() }

    // MARK: Lines

    /// One number: `{"step":3,"name":"val.total.accuracy","value":0.5,"bits":"3fe0000000000000"}`.
    public func log(step: Int, _ name: String, _ value: Double, unit: String = "") {
        var fields: [(String, Value)] = [
            ("step", .int(step)), ("name", .string(name)), ("value", .number(value)),
            ("bits", .string(RunFolder.bits(value))),
        ]
        if !unit.isEmpty { fields.append(("unit", .string(unit))) }
        metrics.append((step, JSON.text(.fields(fields))))
    }

    /// A checkpoint of what happened: hash of the sample indices, loss, gradient norm, parameter hash; nothing is rounded.
    public func trace(step: Int, indices: [Int], loss: Double, gradientNorm: Double? = nil, parameters: String? = nil) {
        var fields: [(String, Value)] = [
            ("step", .int(step)), ("order", .string(RunFolder.hash(indices))), ("loss", .number(loss)),
            ("loss_bits", .string(RunFolder.bits(loss))),
        ]
        if let gradientNorm {
            fields += [
                ("gradient_norm", .number(gradientNorm)), ("gradient_norm_bits", .string(RunFolder.bits(gradientNorm))),
            ]
        }
        if let parameters { fields.append(("parameters", .string(parameters))) }
        trace.append((step, JSON.text(.fields(fields))))
    }

    /// A line of the run's own output.
    public func print(_ line: String) { output.append(line) }

    /// The 64 bits of a double as 16 hexadecimal digits.
    public static func bits(_ value: Double) -> String { Text.format("%016lx", UInt(value.bitPattern)) }

    /// Sixteen hexadecimal digits of the SHA-256 over the indices as 64-bit little-endian integers.
    public static func hash(_ indices: [Int]) -> String {
        var hash = SHA256()
        indices.map { Int64($0).littleEndian }.withUnsafeBytes { hash.update($0) }
        return String(hash.finish().prefix(16))
    }

    /// Order hashes of the epochs traced so far.
    public var tracedOrders: [String] {
        trace.compactMap { entry in (try? JSON.parse(entry.line))?.table?["order"]?.string }
    }

    // MARK: Files

    public func flush() throws {
        try Files.write(metrics.map { $0.line + "\n" }.joined(), to: path + "/metrics.jsonl")
        try Files.write(trace.map { $0.line + "\n" }.joined(), to: path + "/trace.jsonl")
        try Files.write(output.map { $0 + "\n" }.joined(), to: path + "/output.txt")
    }

    /// Reads the lines of an interrupted run back, up to `step` (that of the checkpoint from which it goes on).
    public func resume(upTo step: Int) throws {
        func lines(_ name: String) throws -> [(step: Int, line: String)] {
            guard Files.exists("\(path)/\(name)") else { return [] }
            return try Files.readText("\(path)/\(name)").split(separator: "\n").compactMap { line in
                let table = try JSON.parse(String(line), source: "\(path)/\(name)").table
                guard let at = table?["step"]?.int, at <= step else { return nil }
                return (at, String(line))
            }
        }
        metrics = try lines("metrics.jsonl")
        trace = try lines("trace.jsonl")
    }

    /// The last record, if an earlier process left one (a failed or interrupted run).
    public func earlierRecord() throws -> Table? {
        let file = path + "/run.json"
        return Files.exists(file) ? try JSON.parse(Files.readText(file), source: file).table : nil
    }

    /// Writes everything, the record last, and gives the run back: from now on it counts as what its state says.
    public func finish(_ record: RunRecord) throws {
        try flush()
        try Files.write(JSON.text(.table(record.table), indent: 2) + "\n", to: path + "/run.json")
        release()
    }

    /// Gives the run back without a record: it can be claimed again.
    public func release() {
        guard !isReleased else { return }
        isReleased = true
        RunFolder.remove(claim: claim)
    }

    static func remove(claim: String) {
        unlink(claim + "/owner.json")
        rmdir(claim)
    }
}
