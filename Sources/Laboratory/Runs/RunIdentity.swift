import BSSCore

/// What makes two runs the same run: configuration, script, data and engine, each by hash. The id is a prefix of their hash,
/// so a finished run is found again, and a changed input gives a new id and says which part changed.
public struct RunIdentity: Equatable {
    public let configuration: String
    public let script: String
    public let data: String
    public let engine: String
    /// Twelve hexadecimal digits.
    public let id: String

    /// - Parameters:
    ///   - configuration: the full plain configuration, defaults filled in; the order of its keys does not matter.
    ///   - script: the script's text.
    ///   - data: hash of the data, as its dataset names it.
    ///   - engine: version of this program.
    public init(configuration: Table, script: String, data: String, engine: String) {
        self.configuration = SHA256.hex(RunIdentity.canonical(.table(configuration)))
        self.script = SHA256.hex(script)
        self.data = data
        self.engine = engine
        id = String(SHA256.hex([self.configuration, self.script, data, engine].joined(separator: "\n")).prefix(12))
    }

    public var table: Table {
        Table(fields: [
            ("configuration", .string(configuration)), ("script", .string(script)), ("data", .string(data)),
            ("engine", .string(engine)),
        ])
    }

    /// Names of the parts in which two identities differ.
    public func differences(from other: RunIdentity) -> [String] {
        [
            ("configuration", configuration, other.configuration), ("script", script, other.script),
            ("data", data, other.data), ("engine", engine, other.engine),
        ]
        .filter { $0.1 != $0.2 }.map(\.0)
    }

    /// One text per value: keys sorted, integral numbers without a fraction part.
    static func canonical(_ value: Value) -> String {
        switch value {
        case .table(let table):
            let fields = table.keys.sorted().map { "\(JSON.text(.string($0))):\(canonical(table[$0] ?? .null))" }
            return "{" + (table.items.map(canonical) + fields).joined(separator: ",") + "}"
        case .number, .int: return Text.number(value.double ?? 0)
        default: return JSON.text(.list([value]))
        }
    }
}
