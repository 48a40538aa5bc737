import BSSCore

/// Means over the batches of an epoch of some numbers a batch: what methods report.
struct EpochMeans {
    private var sums: [Double] = []
    private var count = 0

    var isEmpty: Bool { count == 0 }
    var values: [Double] { sums.map { $0 / Double(max(count, 1)) } }

    mutating func add(_ values: [Double]) {
        sums = sums.isEmpty ? values : zip(sums, values).map { $0 + $1 }
        count += 1
    }
}
