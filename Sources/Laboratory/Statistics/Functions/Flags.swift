import BSSCore

/// Yes/no per sample: booleans, or 0 and 1.
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
            if let i = numbers.firstIndex(where: { $0 != 0 && $0 != 1 }) {
                let told = "entry \(i + 1) is \(Text.number(numbers[i])), neither yes nor no"
                throw Mismatch(told + ": of class positions or ±1, say which are positive (label == 2)")
            }
            values = numbers.map { $0 == 1 }
        }
    }
    var plain: Value { .list(values.map(Value.bool)) }
}
