import BSSCore
import BSSData

/// A part of the training split that is kept out of training and of scoring, for methods that monitor something.
///
/// Stratified: from every class the nearest whole number of samples to `fraction`, but never its last one. The draw
/// depends on the seed alone. Never the test split, which some released code uses here.
struct Holdout {
    let trainRows: [Int]
    /// Positions of `trainRows` in the training split.
    let trainPositions: [Int]
    let heldOut: [Int]

    init(_ source: any SampleSource, fraction: Double, seed: Int) throws {
        let rows = source.rows(.train)
        guard fraction > 0 else {
            (trainRows, trainPositions, heldOut) = (rows, Array(rows.indices), [])
            return
        }
        var byClass: [Int: [Int]] = [:]
        for (position, row) in rows.enumerated() { byClass[source.classColumns[row], default: []].append(position) }
        let random = RandomStream(seed: UInt64(bitPattern: Int64(seed)), name: "holdout")
        var isHeld = [Bool](repeating: false, count: rows.count)
        for (label, positions) in byClass.sorted(by: { $0.key < $1.key }) {
            var stream = random.child("class \(label)")
            let order = stream.permutation(positions.count)
            let count = min(positions.count - 1, Int(saturating: (fraction * Double(positions.count)).rounded()))
            for i in order.prefix(max(count, 0)) { isHeld[positions[i]] = true }
        }
        trainPositions = rows.indices.filter { !isHeld[$0] }
        trainRows = trainPositions.map { rows[$0] }
        heldOut = rows.indices.filter { isHeld[$0] }.map { rows[$0] }
        guard !heldOut.isEmpty else {
            throw BSSError(
                "bss.train",
                "the training split has \(rows.count) samples: too few for a hold-out of \(Text.number(fraction)) of "
                    + "every class",
                hint: "set holdout = 0 to monitor the validation split", kind: .usage)
        }
    }
}
