import BSSCore

/// The named random streams of one training. A draw added to one moves no other.
public final class RandomStreams {
    private let seed: UInt64
    private var counters: [String: DrawCounter] = [:]
    /// What a training that goes on here drew before, beyond what this one drew until then.
    private var earlier: [String: Int] = [:]

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

    private func blocks(_ name: String) -> Int { (earlier[name] ?? 0) + Int(counters[name]?.blocks ?? 0) }

    private var drawn: [(name: String, blocks: Int)] {
        Set(counters.keys).union(earlier.keys).sorted().map { ($0, blocks($0)) }.filter { $0.blocks > 0 }
    }

    /// For checkpoints: a resumed training tells what the whole one drew.
    var state: Value {
        get { .fields(drawn.map { ($0.name, .int($0.blocks)) }) }
        set {
            for (name, saved) in newValue.table?.fields ?? [] {
                earlier[name, default: 0] += (saved.int ?? 0) - blocks(name)
            }
        }
    }
}
