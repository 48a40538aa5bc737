import BSSCore
import BSSNetworks

/// Where and when a training keeps itself.
public struct Checkpoints {
    /// Where checkpoints go, and the one that `run(resumes: true)` goes on from; nil = none.
    public var path: String?
    /// The file of the checkpoint after so many epochs; without it each one replaces that at `path`.
    public var name: ((_ epochs: Int) -> String)?
    /// What the owner of the record wants to have in every checkpoint.
    public var carried: () -> Value = { .null }
    /// Seconds of training between checkpoints when `checkpoint_every` is not given.
    public var seconds = 5.0
    /// Epochs in the last one.
    private var savedEpochs = 0
    private var lastWrite = 0.0

    public init() {}

    mutating func begin(at epochs: Int) { (savedEpochs, lastWrite) = (epochs, Clock.seconds()) }
    mutating func wrote(epochs: Int) { (savedEpochs, lastWrite) = (epochs, Clock.seconds()) }

    /// Whether a training that ends in this epoch (from 0) loses nothing: what is done is kept, or never will be.
    func holds(_ epoch: Int) -> Bool { savedEpochs == epoch || path == nil }
    func path(epochs: Int) -> String? { name?(epochs) ?? path }

    func isDue(_ every: Int?, epochs: Int) -> Bool {
        if Cancellation.isLeaving { return true }
        return every.map { epochs % $0 == 0 } ?? (Clock.seconds() - lastWrite >= seconds)
    }

    /// The one to go on from, its model and optimizer put back.
    func last(_ identity: String, _ model: MultimodalModel, _ optimizer: Optimizer) throws -> Checkpoint? {
        guard let path, Files.exists(path) else { return nil }
        return try Checkpoint.read(path, identity: identity, model, optimizer)
    }
}
