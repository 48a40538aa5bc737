import BSSCore
import BSSTensor

/// What `ctx:keep(…)` keeps: plain values and tensors that checkpoints save.
final class KeptValues {
    var plain = Table()
    var tensors: [String: Tensor] = [:]

    subscript(name: String) -> Value? { tensors[name].map { .object($0) } ?? plain[name] }

    /// A tensor is kept as it is now, outside the graph.
    func keep(_ name: String, _ value: Value) throws {
        if let tensor = value.tensor {
            tensors[name] = try tensor.detached.duplicate()
            plain[name] = nil
            return
        }
        if let stranger = KeptValue.stranger(in: value) {
            throw BSSError(
                "ctx:keep", "'\(name)' is or holds \(stranger.described), which no checkpoint can save",
                hint: "keep texts, numbers, booleans and tables of them; every tensor by a name of its own")
        }
        tensors[name] = nil
        plain[name] = value
    }
}

/// What `ctx:keep` holds, in a form that JSON gives back as it was: 3.0 stays a float, NaN a number, an empty table a
/// table.
enum KeptValue {
    /// The first part that is no plain value.
    static func stranger(in value: Value) -> Value? {
        switch value {
        case .object, .function: return value
        case .table(let table):
            for part in table.items + table.fields.map(\.value) { if let found = stranger(in: part) { return found } }
            return nil
        default: return nil
        }
    }

    static func encoded(_ value: Value) -> Value {
        switch value {
        case .number(let number): return .fields([("number", .string(Text.format("%016lx", UInt(number.bitPattern))))])
        case .table(let table):
            return .fields([
                ("items", .list(table.items.map(encoded))),
                ("fields", .table(Table(fields: table.fields.map { ($0.key, encoded($0.value)) }))),
            ])
        default: return value
        }
    }

    static func decoded(_ value: Value) -> Value {
        guard let table = value.table else { return value }
        if let bits = table["number"]?.string.flatMap({ UInt64($0, radix: 16) }) {
            return .number(Double(bitPattern: bits))
        }
        return .table(
            Table(
                items: (table["items"]?.table?.items ?? []).map(decoded),
                fields: (table["fields"]?.table?.fields ?? []).map { ($0.key, decoded($0.value)) }))
    }
}
