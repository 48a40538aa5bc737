import BSSCodecs
import BSSCore
import _BSSTestSupport

/// One case of `official/`: inputs, first state, order of samples, and what the authors' code made of them.
struct OfficialCase {
    let folder: String
    let name, kind: String
    let product: Table
    let tolerance: Double

    /// The cases that `index.json` lists.
    static func all() throws -> [OfficialCase] {
        let root = FixtureFolder.location + "/official"
        let index = try JSON.parse(Files.readText(root + "/index.json"), source: root + "/index.json")
        guard let list = index.table?["cases"]?.table?.items, !list.isEmpty else {
            throw BSSError("official fixtures", "\(root)/index.json lists no cases", kind: .data)
        }
        return try list.map { entry in
            guard let name = entry.table?["name"]?.string else {
                throw BSSError("official fixtures", "\(root)/index.json: a case without a name", kind: .data)
            }
            return try OfficialCase(folder: root + "/" + name)
        }
    }

    init(folder: String) throws {
        self.folder = folder
        let path = folder + "/case.json"
        let table = try JSON.parse(Files.readText(path), source: path).table ?? Table()
        guard let name = table["name"]?.string, let kind = table["kind"]?.string,
            let product = table["product"]?.table, let tolerance = table["tolerance"]?.double
        else { throw BSSError("official fixtures", "\(path) lacks name, kind, product or tolerance", kind: .data) }
        (self.name, self.kind, self.product, self.tolerance) = (name, kind, product, tolerance)
        if let base = table["orders_base"]?.int, base != 1 {
            throw BSSError("official fixtures", "\(path): orders count from \(base), not from 1", kind: .data)
        }
    }

    private func has(_ file: String) -> Bool { Files.exists(folder + "/" + file) }

    /// [epochs, n] positions in the training split, from 1; nil where the scheduler decides.
    func orders() throws -> [[Int]]? {
        guard has("orders.npy") else { return nil }
        let array = try Npy.parse(Files.read(folder + "/orders.npy"), source: folder + "/orders.npy")
        guard let values = array.integers, array.shape.count == 2 else {
            throw BSSError(name, "orders.npy holds \(array.described)", kind: .data)
        }
        let width = array.shape[1]
        return (0..<array.shape[0]).map { Array(values[$0 * width..<($0 + 1) * width]) }
    }

    /// Parameters after each epoch, by epoch (from 1) and name.
    func parameters() throws -> [Int: [String: StoredTensor]] {
        var found: [Int: [String: StoredTensor]] = [:]
        guard has("expected.safetensors") else { return found }
        for (key, tensor) in try Safetensors(folder + "/expected.safetensors").tensors {
            guard key.hasPrefix("epoch"), let dot = key.firstIndex(of: "."),
                let epoch = Int(key.dropFirst(5).prefix(upTo: dot))
            else { throw BSSError(name, "expected.safetensors has the key '\(key)'", kind: .data) }
            found[epoch, default: [:]][String(key[key.index(after: dot)...])] = tensor
        }
        return found
    }

    /// `expected.json`, without parameters an empty table.
    func expectations() throws -> Table {
        guard has("expected.json") else { return Table() }
        let path = folder + "/expected.json"
        return try JSON.parse(Files.readText(path), source: path).table ?? Table()
    }

    /// The arrays of `data.npz` as nested lists, for scripts; class numbers (`label`) as positions from 1.
    func input() throws -> Value {
        guard has("data.npz") else { return .table(Table()) }
        let archive = try Npz(folder + "/data.npz")
        return .fields(
            try archive.names.map { name in
                let array = try archive.array(name)
                let values: [Value]
                if let whole = array.integers, array.isInteger {
                    values = whole.map { .int($0 + (name == "label" ? OfficialCase.firstClass : 0)) }
                } else if let numbers = array.doubles {
                    values = numbers.map(Value.number)
                } else {
                    values = (array.strings ?? []).map(Value.string)
                }
                return (name, OfficialCase.nested(values, array.shape))
            })
    }

    /// What the first class is called in scripts.
    private static let firstClass = 1

    private static func nested(_ values: [Value], _ shape: [Int]) -> Value {
        guard let first = shape.first else { return values.first ?? .null }
        let rest = Array(shape.dropFirst())
        let size = rest.reduce(1, *)
        return .list((0..<first).map { nested(Array(values[$0 * size..<($0 + 1) * size]), rest) })
    }

    /// Writes the first state without what a method adds itself, for `model:load`.
    func writeState(to path: String) throws {
        let bytes = try Files.read(folder + "/init.safetensors")
        let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let text = String(decoding: bytes[8..<8 + length], as: UTF8.self)
        var header = Table()
        var body: [UInt8] = []
        for (key, value) in try JSON.parse(text, source: folder).table?.fields ?? [] where !key.hasPrefix("method.") {
            guard var entry = value.table, let span = entry["data_offsets"]?.table?.items.compactMap(\.int) else {
                header[key] = value
                continue
            }
            entry["data_offsets"] = .list([.int(body.count), .int(body.count + span[1] - span[0])])
            body += bytes[8 + length + span[0]..<8 + length + span[1]]
            header[key] = .table(entry)
        }
        let written = Array(JSON.text(.table(header)).utf8)
        let size = (0..<8).map { UInt8(truncatingIfNeeded: written.count >> (8 * $0)) }
        try Files.write(size + written + body, to: path)
    }
}
