import BSSCore
import BSSTensor

/// Minimax curriculum learning: hard and diverse subsets first, larger and less diverse ones later.
/// Zhou & Bilmes, ICLR 2018.
///
///     min_w max_{|A| <= k} Σ_{i in A} l_i(w) + λ F(A),     F(A) = Σ_j max_{i in A} S_ij
///
/// F is the facility location function on S_ij = (1 + cos(h_i, h_j)) / 2 within classes, the mean over modalities.
/// Every episode: a scan, λ ← max(λ (1 - g), floor), k ← k + step. It prefers hard samples: a contrast to self-paced
/// learning.
///
/// `greedy` maximises over A by the lazy greedy algorithm (Minoux 1978) as published; `sampled` draws A every epoch
/// without replacement with weights l_i + λ · mean_j S_ij (Zhou et al., CurML, ACM MM 2022).
struct MinimaxOrder: OrderPolicy {
    enum Selection: String, Choice { case greedy, sampled }

    @Option(
        "selection",
        "\"greedy\" (lazy greedy maximisation, as published) or \"sampled\" (weights loss + lambda centrality, as in "
            + "CurML)")
    var selection = Selection.greedy
    @Option("episode", "epochs between two scans", .atLeast(1)) var interval = 20
    @Option("k_0", "fraction in the first episode", .above(0, upTo: 1)) var start = 0.1
    @Option("k_step", "fraction added with every episode", .range(0...1)) var step = 0.1
    @Option("diversity", "lambda of the first episode", .atLeast(0)) var diversity = 1.0
    @Option("diversity_decay", "share of lambda lost with every episode", .range(0...1)) var diversityDecay = 0.1
    @Option("diversity_floor", "smallest lambda", .atLeast(0)) var diversityFloor = 0.2
    var scores = ScannedScores.ofLoss(warmup: 5, "epochs of uniform order before the first scan")
    var rule = BatchRule()
    var needs: Set<Criterion.Need> { [.features] }

    /// S of a larger class would not fit in memory.
    private static let largestClass = 20_000

    var startsFromGiven: Bool { false }
    func needsScores(t: Int, evaluations: Int) -> Bool { evaluations == 0 || t % interval == 0 }

    /// k / n of the episode of epoch t.
    func share(_ t: Int) -> Double { min(1, start + step * Double(max(0, t) / interval)) }
    /// λ of the episode of epoch t.
    func weight(_ t: Int) -> Double {
        max(diversity * Math.pow(1 - diversityDecay, Double(max(0, t) / interval)), diversityFloor)
    }

    /// memory: centrality, or the selection's order (`chosen`: positions, best first).
    func measured(_ evidence: Evidence, t: Int, scores: [Double], _ memory: inout OrderMemory) throws {
        guard let features = evidence.features else {
            throw BSSError("bss.scheduler.mcl", "this scan collected no features")
        }
        let units = MinimaxOrder.units(features)
        switch selection {
        case .sampled: memory["centrality"] = centrality(units, evidence.labels)
        case .greedy:
            let k = min(evidence.count, Int(saturating: (Double(evidence.count) * share(t)).rounded(.up)))
            memory["chosen"] = try greedy(
                units, evidence.labels, losses: scores.map { max(0, -$0) }, weight: weight(t), count: max(1, k)
            ).map(Double.init)
        }
    }

    /// Rows whose inner product is the mean cosine over modalities.
    static func units(_ features: [Matrix]) -> Matrix {
        let rows = features[0].rows
        let columns = features.reduce(0) { $0 + $1.columns }
        var values = [Double](repeating: 0, count: rows * columns)
        for row in 0..<rows {
            var at = row * columns
            for matrix in features {
                let part = matrix.values[row * matrix.columns..<(row + 1) * matrix.columns]
                let length =
                    max(part.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12) * Double(features.count).squareRoot()
                for x in part {
                    values[at] = x / length
                    at += 1
                }
            }
        }
        return Matrix(rows: rows, columns: columns, values: values)
    }

    private func members(_ labels: [Int]) -> [[Int]] {
        var members = [[Int]](repeating: [], count: (labels.max() ?? -1) + 1)
        for (sample, label) in labels.enumerated() { members[label].append(sample) }
        return members.filter { !$0.isEmpty }
    }

    /// Mean S_ij over the samples j of i's class.
    private func centrality(_ units: Matrix, _ labels: [Int]) -> [Double] {
        var centrality = [Double](repeating: 0, count: units.rows)
        for list in members(labels) {
            var mean = [Double](repeating: 0, count: units.columns)
            for i in list {
                for c in 0..<units.columns { mean[c] += units.values[i * units.columns + c] / Double(list.count) }
            }
            for i in list {
                centrality[i] =
                    (1 + (0..<units.columns).reduce(0) { $0 + mean[$1] * units.values[i * units.columns + $1] }) / 2
            }
        }
        return centrality
    }

    /// Lazy greedy: gains only shrink, so an old gain is a bound, and the best bound that holds afresh is the best
    /// gain.
    func greedy(_ units: Matrix, _ labels: [Int], losses: [Double], weight: Double, count: Int) throws -> [Int] {
        var classOf = [Int](repeating: 0, count: units.rows)
        var placeOf = classOf
        let members = members(labels)
        var similarity: [[Float]] = []
        var covered: [[Float]] = []
        for (c, list) in members.enumerated() {
            guard list.count <= MinimaxOrder.largestClass else {
                throw BSSError(
                    "bss.scheduler.mcl",
                    "a class has \(list.count) samples; the greedy selection compares all pairs of at most "
                        + "\(MinimaxOrder.largestClass)",
                    hint: "use selection = \"sampled\"")
            }
            try Cancellation.check("mcl")
            for (place, i) in list.enumerated() { (classOf[i], placeOf[i]) = (c, place) }
            let block = try Tensor.from(
                list.flatMap { i in units.values[i * units.columns..<(i + 1) * units.columns].map(Float.init) },
                [list.count, units.columns])
            similarity.append(try block.matmul(block.transposed(0, 1)).values(Float.self).map { (1 + $0) / 2 })
            covered.append(Array(repeating: 0, count: list.count))
        }
        /// l_i + λ (F(A + i) - F(A))
        func gain(_ i: Int) -> Double {
            let c = classOf[i]
            let n = members[c].count
            let row = placeOf[i] * n
            return similarity[c].withUnsafeBufferPointer { s in
                covered[c].withUnsafeBufferPointer { best in
                    var sum = 0.0
                    for j in 0..<n { sum += Double(max(0, s[row + j] - best[j])) }
                    return losses[i] + weight * sum
                }
            }
        }
        var bounds = BoundQueue((0..<units.rows).map(gain))
        var chosen: [Int] = []
        while chosen.count < count, let i = bounds.top {
            let fresh = gain(i)
            bounds.lowerTop(to: fresh)
            guard bounds.top == i else { continue }
            bounds.removeTop()
            chosen.append(i)
            let c = classOf[i]
            let n = members[c].count
            let row = placeOf[i] * n
            for j in 0..<n { covered[c][j] = max(covered[c][j], similarity[c][row + j]) }
        }
        return chosen
    }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        let n = request.count
        let share = share(request.t)
        let count = rule.size(share, of: n, batchSize: request.batchSize)
        var random = request.random
        let losses = request.scores.map { max(0, -$0) }
        if selection == .greedy, let chosen = request.memory["chosen"] {
            var pool = chosen.compactMap { Int(exactly: $0) }.filter { (0..<n).contains($0) }
            // An epoch has its least number of batches: filled up by the largest losses.
            let isTaken = Set(pool)
            if pool.count < count {
                pool += Ranking.descending(losses).lazy.filter { !isTaken.contains($0) }.prefix(count - pool.count)
            }
            return OrderDraft(
                indices: try WeightedOrder.shuffled(pool, from: &random),
                fraction: Double(pool.count) / Double(max(1, n)), isSequential: false)
        }
        let centrality = request.perSample("centrality") ?? Array(repeating: 0, count: n)
        let weight = weight(request.t)
        let order = try WeightedOrder.drawn(weights: zip(losses, centrality).map { $0 + weight * $1 }, from: &random)
        return OrderDraft(
            indices: try WeightedOrder.shuffled(order[0..<count], from: &random),
            fraction: Double(count) / Double(max(1, n)), isSequential: false)
    }

    func ranking(_ scores: [Double]) -> [Int] { Ranking.ascending(scores) }
}

/// A heap of elements by falling bound; equal bounds by index.
private struct BoundQueue {
    private var heap: [(bound: Double, element: Int)]

    init(_ bounds: [Double]) {
        heap = bounds.enumerated().map { ($1, $0) }
        for start in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(start) }
    }

    var top: Int? { heap.first?.element }

    mutating func lowerTop(to bound: Double) {
        heap[0].bound = bound
        sink(0)
    }

    mutating func removeTop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        if !heap.isEmpty { sink(0) }
    }

    private func precedes(_ a: Int, _ b: Int) -> Bool {
        heap[a].bound == heap[b].bound ? heap[a].element < heap[b].element : heap[a].bound > heap[b].bound
    }

    private mutating func sink(_ start: Int) {
        var at = start
        while true {
            var first = at
            for child in [2 * at + 1, 2 * at + 2] where child < heap.count && precedes(child, first) { first = child }
            if first == at { return }
            heap.swapAt(at, first)
            at = first
        }
    }
}
