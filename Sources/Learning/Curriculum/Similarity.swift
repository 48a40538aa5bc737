import BSSCore

/// Cosine similarities between modalities, Eq. 4: `sim(u, v) = <u, v> / (|u| |v|)`.
enum Similarity {
    /// What is compared.
    enum Space: String, Choice { case probs, logits, features }
    /// How the pairs of modalities become one number.
    enum Pairs: String, Choice { case mean, min, product, fused }

    static let pairsHelp =
        "how the modality pairs are combined: \"mean\", \"min\", \"product\", or \"fused\" (mean similarity of each "
        + "modality with the fused prediction)"

    /// Below this length a vector counts as this long, so that an all-zero row gives 0 instead of a division by zero.
    private static let shortest = 1e-8

    static func values(_ evidence: Evidence, space: Space, pairs: Pairs) throws -> [Double] {
        var blocks: [(name: String, columns: Int, values: [Double])]
        switch space {
        case .features:
            guard let features = evidence.features else {
                throw BSSError(
                    "similarity", "this scan collected no features",
                    hint: "pass features = { … }, one matrix per modality")
            }
            blocks = zip(evidence.modalities, features).map { ($0, $1.columns, $1.values) }
            if let other = blocks.first(where: { $0.columns != blocks[0].columns }) {
                throw BSSError(
                    "similarity",
                    "\(blocks[0].name) has \(blocks[0].columns) features, \(other.name) has \(other.columns): a cosine "
                        + "needs equal sizes",
                    hint: "use encoders of equal output size, or similarity_space = \"probs\"")
            }
        case .logits: blocks = zip(evidence.modalities, evidence.logits).map { ($0, $1.columns, $1.values) }
        case .probs:
            blocks = zip(evidence.modalities, zip(evidence.logits, evidence.probabilities)).map {
                ($0, $1.0.columns, $1.1)
            }
        }
        var chosen: [(Int, Int)] = []
        if pairs == .fused {
            guard let fused = evidence.fused, space != .features else {
                throw BSSError("similarity", "pairs = \"fused\" needs fused logits", hint: "pass fused = …")
            }
            blocks.append(("fused", fused.columns, space == .logits ? fused.values : Evidence.softmax(fused)))
            chosen = (0..<blocks.count - 1).map { ($0, blocks.count - 1) }
        } else {
            for i in blocks.indices { for j in blocks.indices where j > i { chosen.append((i, j)) } }
        }
        guard !chosen.isEmpty else {
            throw BSSError(
                "similarity", "there is one modality (\(blocks[0].name)): a similarity compares at least two",
                hint: "use the loss criterion alone")
        }
        return combine(chosen.map { cosine(blocks[$0].values, blocks[$1].values, columns: blocks[$0].columns) }, pairs)
    }

    private static func combine(_ similarities: [[Double]], _ how: Pairs) -> [Double] {
        var total = similarities[0]
        for next in similarities.dropFirst() {
            for i in total.indices {
                switch how {
                case .min: total[i] = Swift.min(total[i], next[i])
                case .product: total[i] *= next[i]
                case .mean, .fused: total[i] += next[i]
                }
            }
        }
        if how == .mean || how == .fused { for i in total.indices { total[i] /= Double(similarities.count) } }
        return total
    }

    /// Row-wise cosine of two [n, columns] blocks.
    static func cosine(_ a: [Double], _ b: [Double], columns: Int) -> [Double] {
        guard columns > 0 else { return [] }
        return a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                (0..<a.count / columns).map { row in
                    var dot = 0.0
                    var lengthA = 0.0
                    var lengthB = 0.0
                    for j in row * columns..<(row + 1) * columns {
                        dot += a[j] * b[j]
                        lengthA += a[j] * a[j]
                        lengthB += b[j] * b[j]
                    }
                    return dot / (max(lengthA.squareRoot(), shortest) * max(lengthB.squareRoot(), shortest))
                }
            }
        }
    }
}
