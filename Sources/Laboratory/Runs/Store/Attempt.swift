import BSSCore

/// One try at a run, as others see it.
public struct Attempt {
    public let number: Int
    public let path: String
    private let published: String

    init(_ folder: String, _ number: Int) {
        self.number = number
        path = "\(folder)/attempt-\(number)"
        published = folder + "/run.json"
    }

    /// It was given back, or has its record. A finished one is about to be published: until then its owner is at work.
    public var hasEnded: Bool {
        get throws {
            if Files.exists(path + "/released") { return true }
            guard let record = try record() else { return false }
            return record["state"]?.string != RunRecord.State.finished.rawValue || Files.exists(published)
        }
    }

    /// Its record, if it came to one: finished, failed or interrupted.
    public func record() throws -> Table? { try StoreFiles.table(path + "/run.json") }
    public func owner() throws -> RunOwner? { try RunOwner(of: path) }

    /// Checkpoints by the number of epochs that were done, the last one first.
    public func checkpoints() throws -> [Checkpoint] {
        try Files.list(path).compactMap { name in
            guard name.hasPrefix(Checkpoint.prefix), name.hasSuffix(Checkpoint.suffix),
                let epoch = Int(name.dropFirst(Checkpoint.prefix.count).dropLast(Checkpoint.suffix.count))
            else { return nil }
            return Checkpoint(attempt: number, folder: path, epoch: epoch)
        }.sorted { $0.epoch > $1.epoch }
    }

    /// The state after some epochs; never changed once it has its name.
    public struct Checkpoint {
        static let prefix = "checkpoint-", suffix = ".safetensors"
        public let attempt: Int
        /// The attempt's folder, which also holds the lines up to this checkpoint.
        public let folder: String
        /// Epochs done.
        public let epoch: Int
        public var path: String { "\(folder)/\(Checkpoint.prefix)\(epoch)\(Checkpoint.suffix)" }
    }
}

extension RunStore {
    /// Nothing goes on from a finished run: the states that its attempts left go, and unfinished files of killed
    /// processes.
    public func tidy(_ id: String) throws {
        for attempt in try attempts(id) {
            if try !attempt.hasEnded, try attempt.owner()?.process.life(seenFrom: process) == .alive { continue }
            for old in try attempt.checkpoints() { Files.remove(old.path) }
            try Files.removeLeftovers(in: attempt.path)
        }
        try Files.removeLeftovers(in: folder(id))
    }

    /// The state of a run that came farthest, of all its attempts; the latest attempt's among equals.
    public func checkpoints(_ id: String) throws -> [Attempt.Checkpoint] {
        try attempts(id).flatMap { try $0.checkpoints() }
            .sorted { ($0.epoch, $0.attempt) > ($1.epoch, $1.attempt) }
    }
}
