import BSSCore

/// The named random streams of one training. A draw added to one moves no other.
public final class RandomStreams {
    private let seed: UInt64
    /// Keys of the streams that were asked for, by name.
    public private(set) var keys: [String: UInt64] = [:]

    init(seed: Int) { self.seed = UInt64(bitPattern: Int64(seed)) }

    func callAsFunction(_ name: String) -> RandomStream {
        let made = RandomStream(seed: seed, name: name)
        keys[name] = made.key
        return made
    }
}
