import BSSCore
import BSSRuns

/// One axis of arms: its values, and what the arms' names call them.
struct ArmAxis {
    let key: String
    let values: [Value]
    let labels: [String]

    init(_ key: String, _ values: [Value]) {
        (self.key, self.values, labels) = (key, values, ArmAxis.labels(values))
    }

    /// - Throws: kind `.usage`: a value that comes twice would be two arms of one kind.
    func checkDistinct(_ operation: String) throws {
        var seen: [String: [Value]] = [:]
        for (value, label) in zip(values, labels) {
            if seen[label, default: []].contains(where: { ArmAxis.areEqual($0, value) }) {
                throw BSSError(operation, "axis '\(key)' lists \(label) twice", hint: "name it once", kind: .usage)
            }
            seen[label, default: []].append(value)
        }
    }

    // MARK: Labels

    /// Short where that tells values apart, else with what they are made of, else numbered. Equal values share one.
    private static func labels(_ values: [Value]) -> [String] {
        var labels = values.map(short)
        let clashing = clashes(labels, values)
        for i in clashing { labels[i] = full(values[i]) }
        var counts: [String: Int] = [:]
        for i in clashes(labels, values) {
            counts[labels[i], default: 0] += 1
            labels[i] += "#\(counts[labels[i], default: 1])"
        }
        return labels
    }

    /// Places of values whose label another value has too.
    private static func clashes(_ labels: [String], _ values: [Value]) -> [Int] {
        let groups = Dictionary(grouping: labels.indices) { labels[$0] }
        return groups.values.filter { group in group.contains { !areEqual(values[$0], values[group[0]]) } }
            .flatMap { $0 }.sorted()
    }

    private static func short(_ value: Value) -> String {
        guard case .object(let object) = value else { return value.string ?? JSON.lua(value) }
        let name = (object as? any ConfiguredObject)?.configuration["name"]?.string
        return name ?? object.objectType.name
    }

    private static func full(_ value: Value) -> String {
        guard case .object(let object) = value, let part = object as? any ConfiguredObject else {
            return JSON.lua(value.recorded)
        }
        var options = part.configuration
        options["name"] = nil
        return short(value) + JSON.lua(Value.table(options).recorded)
    }

    /// As Lua compares them; objects by what they are.
    private static func areEqual(_ a: Value, _ b: Value) -> Bool {
        switch (a, b) {
        case (.int, .int), (.int, .number), (.number, .int), (.number, .number): return a.double == b.double
        case (.string(let a), .string(let b)): return a == b
        case (.bool(let a), .bool(let b)): return a == b
        case (.object(let a), .object(let b)): return a === b
        default: return false
        }
    }
}

/// Arms made of axes: every combination, the first axis varying slowest.
struct ArmGrid {
    /// Combinations that are looked at, and arms that come of them.
    static let mostCombinations = 1_000_000, mostArms = 100_000

    /// Axes that go together, of one length, or one alone.
    let steps: [[ArmAxis]]
    let operation: String

    /// - Throws: kind `.usage`: more combinations or arms than an experiment can have; two arms of one name;
    ///   cancellation; what `isWanted` throws.
    func arms(where isWanted: (Table) throws -> Bool = { _ in true }) throws -> [Table] {
        let sizes = steps.map { $0.first?.values.count ?? 1 }
        let count = try ArmGrid.product(sizes, upTo: ArmGrid.mostCombinations, operation)
        var arms: [Table] = []
        for index in 0..<count {
            try Cancellation.check(operation)
            let (arm, name) = combination(index, of: count, sizes)
            guard try isWanted(arm) else { continue }
            guard arms.count < ArmGrid.mostArms else {
                throw BSSError(operation, "has more than \(ArmGrid.mostArms) arms", kind: .usage)
            }
            arms.append(arm)
            if arm["name"]?.string == nil { arms[arms.count - 1]["name"] = .string(name) }
        }
        try GivenNames.checkDistinct(arms.compactMap { $0["name"]?.string }, "the arm", operation)
        return arms
    }

    /// The fields and the name of one: `alpha = 0.1, every = 3`.
    private func combination(_ index: Int, of count: Int, _ sizes: [Int]) -> (Table, String) {
        var (arm, words, rest, stride) = (Table(), [String](), index, count)
        for (step, size) in zip(steps, sizes) {
            stride /= size
            for axis in step {
                arm[axis.key] = axis.values[rest / stride]
                words.append("\(axis.key) = \(axis.labels[rest / stride])")
            }
            rest %= stride
        }
        return (arm, words.isEmpty ? "run" : words.joined(separator: ", "))
    }

    /// How many combinations there are, counted before the first is made.
    /// - Throws: kind `.usage`: more than `most`.
    static func product(_ sizes: [Int], upTo most: Int, _ operation: String) throws -> Int {
        if sizes.contains(0) { return 0 }
        var count = 1
        for size in sizes {
            let (product, isTooLarge) = count.multipliedReportingOverflow(by: size)
            guard !isTooLarge, product <= most else {
                throw BSSError(
                    operation, "\(sizes.map(String.init).joined(separator: " × ")) combinations are more than \(most)",
                    hint: "fewer values an axis, or several experiments", kind: .usage)
            }
            count = product
        }
        return count
    }
}
