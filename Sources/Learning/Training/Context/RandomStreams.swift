import BSSCore

/// The named random streams of one training. A draw added to one moves no other.
public final class RandomStreams {
    private let seed: UInt64
    private var counters: [String: DrawCounter] = [:]

    init(seed: Int) { self.seed = Seed(seed).root }

    func callAsFunction(_ name: String) -> RandomStream {
        let counter = counters[name] ?? DrawCounter()
        counters[name] = counter
        return RandomStream(seed: seed, name: name, counter: counter)
    }

    /// Of the streams that were drawn from: key, 16 hexadecimal digits, and blocks of four 32-bit words that the
    /// training drew; seed and name decide every draw.
    public var table: Table {
        Table(
            fields: drawn.map { name, blocks in
                let key = Text.format("%016lx", UInt(RandomStream(seed: seed, name: name).key))
                return (name, .fields([("key", .string(key)), ("blocks", .int(blocks))]))
            })
    }

    private var drawn: [(name: String, blocks: Int)] {
        counters.sorted { $0.key < $1.key }.map { ($0.key, Int($0.value.blocks)) }.filter { $0.blocks > 0 }
    }

    /// For checkpoints: a resumed training tells what the whole one drew.
    var state: Value {
        get { .fields(drawn.map { ($0.name, .int($0.blocks)) }) }
        set {
            for (name, blocks) in newValue.table?.fields ?? [] {
                counters[name] = DrawCounter(UInt64(max(0, blocks.int ?? 0)))
            }
        }
    }
}
