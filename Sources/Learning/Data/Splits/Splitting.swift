import BSSCore

/// Drawing the splits train, val and test.
enum Splitting {
    /// Shares each class out over test, val and train by the given fractions, in an order drawn from `seed`.
    ///
    /// Class sizes are rounded so that the whole split comes closest to its fraction: each class takes the difference
    /// of the rounded running totals.
    static func stratified(_ classes: [Int], val: Double, test: Double, seed: Int) -> [SplitName] {
        var stream = RandomStream(seed: UInt64(bitPattern: Int64(seed)), name: "split")
        let order = stream.permutation(classes.count)
        var groups: [Int: [Int]] = [:]
        for index in order { groups[classes[index], default: []].append(index) }
        var splits = [SplitName](repeating: .train, count: classes.count)
        var seen = 0.0
        var testTaken = 0
        var valTaken = 0
        for (_, members) in groups.sorted(by: { $0.key < $1.key }) {
            seen += Double(members.count)
            // A class keeps one sample for training at least.
            let forTest = min(members.count - 1, Int(saturating: (seen * test).rounded()) - testTaken)
            let forVal = min(members.count - 1 - forTest, Int(saturating: (seen * val).rounded()) - valTaken)
            testTaken += forTest
            valTaken += forVal
            for index in members.prefix(forTest) { splits[index] = .test }
            for index in members.dropFirst(forTest).prefix(forVal) { splits[index] = .val }
        }
        return splits
    }

    /// `{train = 0.7, val = 0.1, test = 0.2}`; one of them may be left out and takes the rest.
    static func fractions(_ table: Table, operation: String) throws -> (val: Double, test: Double) {
        var given: [SplitName: Double] = [:]
        for (key, value) in table.fields {
            guard let split = SplitName(text: key), let share = value.double, (0...1).contains(share) else {
                throw BSSError(
                    operation,
                    "option 'split' expects fractions by split, {train = 0.7, val = 0.1, test = 0.2}, got \(key) = "
                        + "\(value.described)",
                    kind: .usage)
            }
            given[split] = share
        }
        let sum = given.values.reduce(0, +)
        let isComplete = given.count == 3
        guard table.items.isEmpty, !given.isEmpty, isComplete ? abs(sum - 1) < 1e-6 : sum <= 1 + 1e-6 else {
            throw BSSError(
                operation, "option 'split' expects fractions that sum to 1, got \(JSON.lua(.table(table)))",
                kind: .usage)
        }
        if !isComplete {
            // With two left out, train takes the rest.
            let taker: SplitName = given[.train] == nil ? .train : given[.test] == nil ? .test : .val
            given[taker] = 1 - sum
        }
        guard given[.train] ?? 0 > 0 else {
            throw BSSError(operation, "option 'split' leaves nothing to train on", kind: .usage)
        }
        return (given[.val] ?? 0, given[.test] ?? 0)
    }
}
