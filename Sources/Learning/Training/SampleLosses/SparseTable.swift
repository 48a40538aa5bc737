import BSSBackend
import BSSCore
import BSSNetworks
import BSSTensor

/// A table of numbers of which a batch looks up some, and of which only those move: momentum and decay of the others
/// rest.
final class SparseTable: Module {
    /// [count]
    let values: Parameter
    private let momentum: StateTensor
    /// Look-ups whose gradients are still to come: entries, how often each was looked up, and their values as a leaf,
    /// [U] each.
    private var pending: [(entries: Tensor, counts: Tensor, leaf: Tensor)] = []

    init(_ count: Int, start: Double) throws {
        values = try Parameter([count], .constant(start))
        momentum = StateTensor(try Tensor.zeros([count]))
        super.init()
        _ = add("values", values)
        _ = add("momentum", momentum)
    }

    /// values[entries], [B]; entries may repeat.
    func lookUp(_ entries: [Int]) throws -> Tensor {
        let unique = Array(Set(entries)).sorted()
        let placeOf = Dictionary(uniqueKeysWithValues: unique.enumerated().map { ($1, $0) })
        let places = entries.compactMap { placeOf[$0] }
        let rows = try Tensor.from(unique)
        let leaf = try Autograd.withoutRecording { try values.value.detached.indexSelect(0, rows) }.requiringGradient()
        var counts = [Float](repeating: 0, count: unique.count)
        for place in places { counts[place] += 1 }
        pending.append((rows, try Tensor.from(counts), leaf))
        return try leaf.indexSelect(0, Tensor.from(places))
    }

    var leaves: [Tensor] { pending.map(\.leaf) }

    /// v ← m v + (g + decay n u);
    /// u ← u - rate v for the entries that were looked up since the last update, n times each; then
    /// all entries are clamped.
    func update(
        _ gradients: Gradients, rate: Double, momentum m: Double, decay: Double, bounds: ClosedRange<Double>
    ) throws {
        defer { pending = [] }
        try Autograd.withoutRecording {
            for (rows, counts, leaf) in pending {
                guard let gradient = gradients[leaf] else { continue }
                let u = try values.value.detached.indexSelect(0, rows)
                let v = try momentum.value.indexSelect(0, rows)
                let velocity = try v.multiplied(by: m) + gradient + (u * counts).multiplied(by: decay)
                let moved = try u - velocity.multiplied(by: rate)
                try momentum.assign(momentum.value.indexAdd(0, rows, velocity - v))
                let table = values.value
                try table.backend.indexAdd(
                    into: table.view, outer: 1, axis: table.elementCount, inner: 1, indices: rows.view,
                    source: (moved - u).view, alpha: 1, skipping: nil)
            }
            try values.assign(values.value.detached.clamped(bounds.lowerBound, bounds.upperBound))
        }
    }
}
