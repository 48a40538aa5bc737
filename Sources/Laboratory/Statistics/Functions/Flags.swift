import BSSCore

/// Yes/no per sample: booleans, or numbers of which 0 is no.
struct Flags: ArgumentType, ListArgument {
    let values: [Bool]
    static let expected = "list of booleans or 0/1"
    static let luaType = "(boolean|integer)[]"
    init(value: Value) throws {
        if case .table(let table) = value, table.keys.isEmpty, !table.items.isEmpty,
            table.items.allSatisfy({ $0.bool != nil })
        {
            values = table.items.compactMap(\.bool)
        } else {
            let numbers = try Vector(value: value).values
            if let i = numbers.firstIndex(where: { $0.isNaN }) {
                throw Mismatch("entry \(i + 1) is nan, neither yes nor no")
            }
            values = numbers.map { $0 != 0 }
        }
    }
    var plain: Value { .list(values.map(Value.bool)) }
}
