import BSSCore

/// The data of a plot as scripts give it:
/// * a list of numbers or a vector tensor: one series;
/// * a list of those, or a matrix tensor: one series a row;
/// * a table of those by name: one named series each, by name;
/// * numbers by name: one series over named positions;
/// * in place of a list, `{ name =, x =, y =, low =, high = }` (`seeds = n`: a band of n runs), or
///   `{ name =, runs = {…, …} }` for mean and band over seeds.
public struct SeriesList: ArgumentType, ListArgument {
    public var series: [Figure.Series] = []
    /// Names of the positions, if the data has them.
    public var labels: [String] = []

    public init() {}
    public var isEmpty: Bool { series.isEmpty }
    public static let expected = "list of numbers, tensor, or list or table of those"
    public static let luaType = "table|\(LuaType.name("tensor"))"
    public var plain: Value { isEmpty ? .null : .list(series.map { Value.list($0.y) }) }

    public init(value: Value) throws {
        switch value {
        case .object(let object):
            guard let convertible = object as? any MatrixConvertible else { throw Mismatch() }
            let (shape, numbers) = try convertible.numbers()
            switch shape.count {
            case 0, 1: series = [SeriesList.plainSeries(numbers)]
            case 2:
                series = (0..<shape[0]).map {
                    SeriesList.plainSeries(Array(numbers[$0 * shape[1]..<($0 + 1) * shape[1]]))
                }
            default: throw Mismatch("its shape is \(shape), a plot takes one or two axes")
            }
        case .table(let table) where table.keys.isEmpty:
            if table.items.isEmpty { throw Mismatch("it is empty") }
            let numbers = table.items.compactMap(\.double)
            if numbers.count == table.items.count {
                series = [SeriesList.plainSeries(numbers)]
            } else if table.items[0].double != nil, let bad = table.items.firstIndex(where: { $0.double == nil }) {
                throw Mismatch("entry \(bad + 1) is \(table.items[bad].described)")
            } else {
                for (index, item) in table.items.enumerated() { try add(item, name: nil, place: "series \(index + 1)") }
            }
        case .table(let table) where SeriesList.isSeries(table): try add(value, name: nil, place: "the series")
        case .table(let table) where table.items.isEmpty:
            let numbers = table.fields.compactMap(\.value.double)
            if numbers.count == table.fields.count {
                labels = table.keys
                series = [SeriesList.plainSeries(numbers)]
            } else {
                for (key, item) in table.fields { try add(item, name: key, place: "'\(key)'") }
            }
        default: throw Mismatch()
        }
    }

    private static func plainSeries(_ y: [Double]) -> Figure.Series { Figure.Series(name: "", x: [], y: y) }
    private static func isSeries(_ table: Table) -> Bool { table["y"] != nil || table["runs"] != nil }

    private mutating func add(_ value: Value, name: String?, place: String) throws {
        guard case .table(let table) = value, !table.keys.isEmpty else {
            return series.append(Figure.Series(name: name ?? "", x: [], y: try SeriesList.numbers(value, place)))
        }
        guard SeriesList.isSeries(table) else {
            // Numbers by name: the names must be those of the first series.
            guard table.items.isEmpty, table.fields.allSatisfy({ $0.value.double != nil }) else {
                throw Mismatch("\(place) has neither 'y' nor 'runs'")
            }
            guard series.isEmpty || labels == table.keys else {
                throw Mismatch("\(place) has other names than the one before: \(table.keys.joined(separator: ", "))")
            }
            labels = table.keys
            return series.append(Figure.Series(name: name ?? "", x: [], y: table.fields.compactMap(\.value.double)))
        }
        let known = ["name", "x", "y", "low", "high", "runs", "seeds"]
        if let key = table.keys.first(where: { !known.contains($0) }) {
            throw Mismatch(
                "\(place) has the unknown field '\(key)'"
                    + (Text.nearest(to: key, in: known).map { ", did you mean '\($0)'?" } ?? ""))
        }
        func list(_ key: String) throws -> [Double]? {
            try table[key].map { try SeriesList.numbers($0, "\(place), '\(key)'") }
        }
        var one = Figure.Series(
            name: table["name"]?.string ?? name ?? "", x: try list("x") ?? [], y: try list("y") ?? [])
        (one.low, one.high) = (try list("low"), try list("high"))
        if (one.low == nil) != (one.high == nil) { throw Mismatch("\(place) has only one of 'low' and 'high'") }
        one.runCount = table["seeds"]?.int
        if let runs = table["runs"] {
            let lists = try SeriesList(value: runs).series.map(\.y)
            guard lists.allSatisfy({ $0.count == lists[0].count }) else {
                throw Mismatch(
                    "\(place): the runs have "
                        + "\(Set(lists.map(\.count)).sorted().map(String.init).joined(separator: " and ")) values"
                )
            }
            one.setRuns(lists)
        }
        series.append(one)
    }

    private static func numbers(_ value: Value, _ place: String) throws -> [Double] {
        do { return try Vector(value: value).values } catch let mismatch as Mismatch {
            throw Mismatch(
                place + (mismatch.detail.map { ": \($0)" } ?? " is \(value.described), not a list of numbers"))
        }
    }
}

extension SeriesList {
    /// Fills names from a list, and positions 1, 2, … where none are given.
    /// - Throws: more names than series.
    public func named(_ names: [String], _ operation: String) throws -> [Figure.Series] {
        guard names.count <= series.count else {
            throw BSSError(operation, "there are \(names.count) names for \(series.count) series", kind: .usage)
        }
        return series.enumerated().map { k, given in
            var one = given
            if k < names.count {
                one.name = names[k]
            } else if one.name.isEmpty, series.count > 1 {
                one.name = "series \(k + 1)"
            }
            if one.x.isEmpty { one.x = one.y.indices.map { Double($0 + 1) } }
            return one
        }
    }
}
