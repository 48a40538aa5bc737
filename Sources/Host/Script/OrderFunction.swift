import BSSBackend
import BSSCore
import BSSCurriculum
import BSSTensor

/// Orders of samples outside a scheduler.
enum OrderFunction {
    private static let weights = Argument<TensorArgument>("weights", "one weight of at least 0 per sample, [n]")
    private static let seed = Argument<Int?>(
        "seed", default: nil, "seed of this order; by default it continues the stream `tensor` of the root seed",
        check: .anyInteger)

    static let weighted = Function(
        "weighted_order",
        "A random order of n samples, each next one drawn with probability proportional to its "
            + "weight among those left; those of weight 0 come last, shuffled.",
        [weights, seed], returns: "tensor of positions (from 1)", example: "bss.weighted_order({0.1, 5, 0.1}, 7)",
        source: "Efraimidis, Spirakis, Information Processing Letters 97, 2006, algorithm A; Eq. 11 draws this way",
        style: .positional
    ) { a in
        if let seed = a[seed] {
            var own = RandomStream(seed: UInt64(bitPattern: Int64(seed)), name: "order")
            return [.object(try order(a[weights].exact, &own, a.operation))]
        }
        return [.object(try order(a[weights].exact, &TensorFunctions.stream, a.operation))]
    }

    private static func order(_ given: Tensor, _ stream: inout RandomStream, _ operation: String) throws -> Tensor {
        guard given.rank == 1 else {
            throw BSSError(operation, "weights need shape [n], got \(given.shape)", kind: .usage)
        }
        let weights = try given.detached.converted(to: .float64).contiguous()
        let drawn = try Tensor.written(given.shape, on: weights.backend) { (order: UnsafeMutableBufferPointer<Int>) in
            try weights.withValues { try WeightedOrder.draw(weights: $0, from: &stream, into: order) }
        }
        // Positions count from 1 in scripts; the order is changed where it lies.
        try drawn.backend.unary(.addScalar, drawn.view, 1, 0, out: drawn.view)
        return drawn
    }
}
