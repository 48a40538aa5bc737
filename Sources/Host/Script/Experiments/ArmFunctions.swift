import BSSCore
import BSSRuns

/// `bss.sweep`, `bss.ablate` and the values of an axis: lists of arms for `bss.experiment`.
enum ArmFunctions {
    static let all = [choice, range, log, sweep, ablate]

    // MARK: Values of an axis

    private static let values = Argument<[Value]>("values", "the values to try")
    static let choice = Function(
        "choice", "Values of one axis of an experiment: its arms are all combinations.", [values],
        returns: "choice", example: "bss.choice{ 0.1, 0.2 }"
    ) { [.object(ChoiceObject($0[values]))] }

    private static let from = Argument<Double>("from", "first value", check: .finite)
    private static let to = Argument<Double>("to", "last value", check: .finite)
    private static let positiveFrom = Argument<Double>("from", "first value", check: .above(0))
    private static let positiveTo = Argument<Double>("to", "last value", check: .above(0))
    private static let step = Argument("step", default: 1.0, "between neighbours", check: .above(0))
    private static let count = Argument("count", default: 5, "how many", check: .range(2...10_000))

    static let range = Function(
        "range", "An axis of evenly spaced values, both ends included where the step meets them.", [from, to, step],
        returns: "choice", example: "bss.range{ 0, 1, 0.25 }"
    ) { a in
        let (first, last, step) = (a[from], a[to], a[step])
        let steps = ((last - first) / step * (1 + 1e-12)).rounded(.down)
        guard steps >= 0, steps < 10_000 else {
            throw BSSError(a.operation, "has no or too many values from \(first) to \(last)", kind: .usage)
        }
        return [.object(ChoiceObject((0...Int(steps)).map { number(first + Double($0) * step) }))]
    }

    static let log = Function(
        "log", "An axis of values whose ratios are equal, both ends included.", [positiveFrom, positiveTo, count],
        returns: "choice", example: "bss.log{ 1e-4, 1e-1, 4 }"
    ) { a in
        let (first, last, count) = (a[positiveFrom], a[positiveTo], a[count])
        let values = (0..<count).map { k -> Value in
            if k == 0 { return number(first) }
            if k == count - 1 { return number(last) }
            let exponent = Math.log10(first) + (Math.log10(last) - Math.log10(first)) * Double(k) / Double(count - 1)
            return number(short(Math.pow(10, exponent)))
        }
        return [.object(ChoiceObject(values))]
    }

    /// Whole numbers stay whole.
    private static func number(_ value: Double) -> Value {
        let value = short(value)
        return value == value.rounded() && abs(value) < 0x1p31 ? .int(Int(value)) : .number(value)
    }

    /// Twelve digits: 0.3, not 0.30000000000000004.
    private static func short(_ value: Double) -> Double { Double(Text.format("%.12g", value)) ?? value }

    // MARK: Arms

    private static let cross = Argument("cross", default: Table(), "axes by name: every combination")
    private static let zip = Argument("zip", default: Table(), "axes by name that go together, of one length")
    private static let when = Argument<Callback?>(
        "when", default: nil, "function(arm): false leaves the combination out")

    static let sweep = Function(
        "sweep", "Arms of an experiment: combinations of axes, named by their values.", [cross, zip, when],
        returns: "list of arms",
        example: "#bss.sweep{ cross = { alpha = bss.choice{ 0.1, 0.2 }, every = bss.range{ 1, 3 } } }   -- 6"
    ) { a in
        let (crossed, together) = (try axes(a[cross], a.operation), try axes(a[zip], a.operation))
        for axis in crossed {
            try axis.checkDistinct(a.operation)
            guard !together.contains(where: { $0.key == axis.key }) else {
                throw BSSError(
                    a.operation, "'\(axis.key)' is an axis of cross and of zip", hint: "name it once", kind: .usage)
            }
        }
        if let first = together.first,
            let other = together.first(where: { $0.values.count != first.values.count })
        {
            throw BSSError(
                a.operation,
                "zip: '\(first.key)' has \(first.values.count) values, '\(other.key)' \(other.values.count)",
                kind: .usage)
        }
        let steps = crossed.map { [$0] } + (together.isEmpty ? [] : [together])
        let arms = try ArmGrid(steps: steps, operation: a.operation).arms { arm in
            guard let when = a[when] else { return true }
            if case .bool(false)? = try when.function.call([.table(arm)]).first { return false }
            return true
        }
        guard !arms.isEmpty, !steps.isEmpty else {
            throw BSSError(
                a.operation, "has no arms", hint: "cross = { alpha = bss.choice{ 0.1, 0.2 } }", kind: .usage)
        }
        return [.list(arms.map(Value.table))]
    }

    private static func axes(_ table: Table, _ operation: String) throws -> [ArmAxis] {
        try table.fields.map { key, value in
            if case .object(let object) = value, let choice = object as? ChoiceObject {
                return ArmAxis(key, choice.values)
            }
            if let list = value.table, list.keys.isEmpty, !list.items.isEmpty { return ArmAxis(key, list.items) }
            throw BSSError(
                operation, "axis '\(key)' is \(value.described)", hint: "a list, bss.choice, bss.range or bss.log",
                kind: .usage)
        }
    }

    private static func with(_ arm: Table, _ key: String, _ value: Value) -> Table {
        var arm = arm
        arm[key] = value
        return arm
    }

    private static let full = Argument<Table>("full", "everything on: fields of an arm")
    private static let changes = Argument<Table>(
        "changes", "\"-key\" leaves a field out, key = value puts another in its place; one change an arm")

    static let ablate = Function(
        "ablate", "Arms of an ablation: everything, then one change at a time.", [full, changes],
        returns: "list of arms",
        example: "#bss.ablate({ measurer = \"loss\", pace = \"root\" }, { \"-pace\", measurer = \"none\" })   -- 3",
        style: .positional
    ) { a in
        let base = a[full]
        func known(_ key: String) throws {
            guard base[key] == nil else { return }
            let near = Text.nearest(to: key, in: base.keys).map { "did you mean '\($0)'?" }
            throw BSSError(a.operation, "full has no field '\(key)'", hint: near, kind: .usage)
        }
        var arms = [with(base, "name", .string(base["name"]?.string ?? "full"))]
        for item in a[changes].items {
            guard let word = item.string, word.hasPrefix("-"), word.count > 1 else {
                throw BSSError(a.operation, "expects \"-field\", got \(item.described)", kind: .usage)
            }
            let key = String(word.dropFirst())
            try known(key)
            var arm = base
            arm[key] = nil
            arms.append(with(arm, "name", .string("- \(key)")))
        }
        for (key, value) in a[changes].fields {
            try known(key)
            let name = "\(key) = \(value.string ?? JSON.lua(value.recorded))"
            arms.append(with(with(base, key, value), "name", .string(name)))
        }
        return [.list(arms.map(Value.table))]
    }
}
