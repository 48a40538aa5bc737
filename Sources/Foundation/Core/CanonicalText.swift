/// One text per value, for hashes: keys sorted, integral numbers without a fraction part, functions by the word alone
/// (where a function stands is no part of what it does; its code is hashed by the script host).
public enum CanonicalText {
    public static func of(_ value: Value) -> String {
        switch value {
        case .table(let table):
            let fields = table.keys.sorted().map { "\(JSON.text(.string($0))):\(of(table[$0] ?? .null))" }
            return "{" + (table.items.map(of) + fields).joined(separator: ",") + "}"
        case .number, .int: return Text.number(value.double ?? 0)
        case .function: return "function"
        default: return JSON.text(.list([value]))
        }
    }

    public static func hash(_ value: Value) -> String { SHA256.hex(of(value)) }
}

extension Table {
    /// Dotted paths of the plain values in which two tables differ, with both values: `("k", 50, 20)`.
    public func differences(from other: Table) -> [(path: String, own: Value, other: Value)] {
        var found: [(path: String, own: Value, other: Value)] = []
        func compare(_ a: Value, _ b: Value, _ path: String) {
            if case .table(let x) = a, case .table(let y) = b {
                for i in 0..<max(x.items.count, y.items.count) {
                    compare(
                        i < x.items.count ? x.items[i] : .null, i < y.items.count ? y.items[i] : .null,
                        "\(path)[\(i + 1)]")
                }
                for key in Set(x.keys).union(y.keys).sorted() {
                    compare(x[key] ?? .null, y[key] ?? .null, path.isEmpty ? key : "\(path).\(key)")
                }
            } else if CanonicalText.of(a) != CanonicalText.of(b) {
                found.append((path, a, b))
            }
        }
        compare(.table(self), .table(other), "")
        return found
    }
}
