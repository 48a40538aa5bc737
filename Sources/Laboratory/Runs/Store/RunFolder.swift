import BSSCore
import Glibc

/// A claimed attempt at a run: its measurements, trace and output, and the record that ends it. Everything is written
/// inside the attempt's folder; a finished run is then published from it.
///
/// Lines are kept until `flush`, which writes each file whole: a reader never sees half a line, and a run that goes on
/// from a checkpoint begins with that checkpoint's lines.
public final class RunFolder {
    public let id: String
    /// From 1.
    public let number: Int
    public let path: String
    public let owner: RunOwner
    private let store: RunStore
    private let heartbeat: Heartbeat
    private var metrics: [(step: Int, line: String)] = []
    private var trace: [(step: Int, line: String)] = []
    private var output: [UInt8] = []
    private var hasLines = false
    private var isReleased = false

    init(_ store: RunStore, id: String, number: Int, path: String, owner: RunOwner) {
        (self.store, self.id, self.number, self.path, self.owner) = (store, id, number, path, owner)
        heartbeat = Heartbeat(path, number: number, every: store.rules.beat)
    }

    // Nobody is left to be told; without the mark the run is taken when this process is gone.
    deinit { try? release() }

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

    /// A checkpoint of what happened in an epoch: hash of the sample indices, mean loss; loss and gradient norm of its
    /// first step, hash of the parameters after its last; nothing is rounded. Two runs part where the first of these
    /// differs: in the order, the forward pass, the gradient or the update.
    public func trace(
        step: Int, indices: [Int], loss: Double, firstLoss: Double? = nil, gradientNorm: Double? = nil,
        parameters: String? = nil
    ) {
        var fields: [(String, Value)] = [
            ("step", .int(step)), ("order", .string(RunFolder.hash(indices))), ("loss", .number(loss)),
            ("loss_bits", .string(RunFolder.bits(loss))),
        ]
        if let firstLoss { fields.append(("first_loss_bits", .string(RunFolder.bits(firstLoss)))) }
        if let gradientNorm {
            fields += [
                ("gradient_norm", .number(gradientNorm)), ("gradient_norm_bits", .string(RunFolder.bits(gradientNorm))),
            ]
        }
        if let parameters { fields.append(("parameters", .string(parameters))) }
        trace.append((step, JSON.text(.fields(fields))))
    }

    /// What the run printed.
    public func print(_ bytes: UnsafeRawBufferPointer) { output += bytes }
    public func print(_ line: String) { output += Array(line.utf8) + [0x0A] }
    public var outputBytes: Int { output.count }

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
        get throws { try trace.compactMap { try JSON.parse($0.line).table?["order"]?.string } }
    }

    // MARK: Files

    /// - Throws: kind `.output`; also when another process has taken this run over, because this one was thought dead.
    public func flush() throws {
        hasLines = true
        try Files.write(metrics.map { $0.line + "\n" }.joined(), to: path + "/metrics.jsonl")
        try Files.write(trace.map { $0.line + "\n" }.joined(), to: path + "/trace.jsonl")
        try Files.write(output, to: path + "/output.txt")
    }

    /// - Throws: another attempt has begun: this process was thought dead.
    public func checkOwnership() throws {
        guard let successor = heartbeat.supersededBy else { return }
        throw BSSError(
            "run \(id)", "attempt \(number) was taken over by attempt \(successor): no sign of life came through",
            hint: "if the disk is slow to show what others write, set BSS_LEASE to more seconds", kind: .busy)
    }

    /// Where the checkpoint after so many epochs goes.
    public func checkpoint(_ epoch: Int) -> String {
        "\(path)/\(Attempt.Checkpoint.prefix)\(epoch)\(Attempt.Checkpoint.suffix)"
    }

    /// Keeps the last two checkpoints of this attempt: of a damaged one the one before is left.
    public func removeOldCheckpoints() throws {
        for old in try Attempt(store.folder(id), number).checkpoints().dropFirst(2) { Files.remove(old.path) }
    }

    /// Begins with the lines of an earlier attempt up to a checkpoint: those of its epochs, which count from 1.
    /// - Returns: the first `outputBytes` of what that attempt printed, to be printed again.
    public func resume(from checkpoint: Attempt.Checkpoint, outputBytes: Int) throws -> [UInt8] {
        func lines(_ name: String) throws -> [(step: Int, line: String)] {
            let file = "\(checkpoint.folder)/\(name)"
            return try (StoreFiles.text(file) ?? "").split(separator: "\n").compactMap { line in
                guard let at = try JSON.parse(String(line), source: file).table?["step"]?.int, at <= checkpoint.epoch
                else { return nil }
                return (at, String(line))
            }
        }
        metrics = try lines("metrics.jsonl")
        trace = try lines("trace.jsonl")
        let earlier = checkpoint.folder + "/output.txt"
        return Files.exists(earlier) ? Array(try Files.read(earlier).prefix(outputBytes)) : []
    }

    // MARK: The end

    public enum Publication: Equatable {
        case published
        /// Another attempt was first, with equal results.
        case equal
        /// Another attempt was first; what differs.
        case different([String])
        /// Not finished: nothing to publish.
        case none
    }

    /// Writes everything, the record last, gives the run back and publishes it if it is finished.
    @discardableResult
    public func finish(_ record: RunRecord) throws -> Publication {
        var record = record
        record.attempt = number
        if record.state == .finished || hasLines || !metrics.isEmpty { try flush() }
        let table = record.table
        try Files.write(JSON.text(.table(table), indent: 2) + "\n", to: path + "/run.json")
        heartbeat.end()
        isReleased = true
        guard record.state == .finished else { return .none }
        let result = try publish(table)
        try store.tidy(id)
        return result
    }

    private func publish(_ table: Table) throws -> Publication {
        let folder = store.folder(id)
        let names = ["metrics.jsonl", "trace.jsonl", "output.txt"]
        if !Files.exists(folder + "/run.json") {
            // An attempt that was killed while it published may have left some of these.
            for name in names where try !StoreFiles.publish("\(path)/\(name)", as: "\(folder)/\(name)") {
                try replace(name, in: folder)
            }
            try Files.syncFolder(of: folder + "/run.json")
            if try StoreFiles.publish(path + "/run.json", as: folder + "/run.json") {
                for name in names where try Files.read("\(path)/\(name)") != Files.read("\(folder)/\(name)") {
                    try replace(name, in: folder)
                }
                try Files.syncFolder(of: folder + "/run.json")
                return .published
            }
        }
        guard let first = try store.finished(id) else { return .none }
        let differences = RunRecord.resultDifferences(table, first)
        guard !differences.isEmpty else { return .equal }
        try Files.write(JSON.text(.list(differences)) + "\n", to: path + "/differences.json")
        return .different(differences)
    }

    private func replace(_ name: String, in folder: String) throws {
        let fresh = "\(folder)/\(name).\(ProcessIdentity.current.tag).new"
        guard link("\(path)/\(name)", fresh) == 0 else {
            return try Files.write(Files.read("\(path)/\(name)"), to: "\(folder)/\(name)")
        }
        defer { unlink(fresh) }  // a rename between two names of one file does nothing
        guard rename(fresh, "\(folder)/\(name)") == 0 else {
            throw StoreFiles.failure("publish", "\(folder)/\(name)", errno)
        }
    }

    /// Gives the run back without a record: it can be claimed again.
    public func release() throws {
        guard !isReleased else { return }
        isReleased = true
        heartbeat.end()
        try Files.write("", to: path + "/released")
    }
}
