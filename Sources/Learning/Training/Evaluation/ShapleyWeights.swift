/// The weights of sets of K players in Shapley values (Shapley 1953), sets as bit masks:
///
///     φ_m = Σ_{S ∌ m} |S|! (K-|S|-1)! / K! · (v(S + m) - v(S)) = Σ_S factor(S, m) v(S)
struct ShapleyWeights {
    /// |S|! (K-|S|-1)! / K! by |S|
    private let bySize: [Double]

    init(_ count: Int) {
        func factorial(_ n: Int) -> Double { (0..<n).reduce(1) { $0 * Double($1 + 1) } }
        bySize = (0..<count).map { factorial($0) * factorial(count - $0 - 1) / factorial(count) }
    }

    func factor(set: Int, modality: Int) -> Double {
        let size = set.nonzeroBitCount
        return set >> modality & 1 == 1 ? bySize[size - 1] : -bySize[size]
    }

    /// φ of every player; `v` by set.
    func values(_ v: [Double]) -> [Double] {
        bySize.indices.map { m in v.indices.reduce(0) { v[$1] == 0 ? $0 : $0 + factor(set: $1, modality: m) * v[$1] } }
    }
}
