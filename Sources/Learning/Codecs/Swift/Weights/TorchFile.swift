import BSSCore

/// What a PyTorch file holds, as plain data.
public indirect enum TorchValue {
    case none
    case bool(Bool)
    case int(Int)
    case number(Double)
    case string(String)
    case bytes([UInt8])
    case list([TorchValue])
    case dictionary([(key: String, value: TorchValue)])
    case tensor(StoredTensor)
    /// An object of another kind, by its name.
    case skipped(String)

    public subscript(key: String) -> TorchValue? {
        guard case .dictionary(let entries) = self else { return nil }
        return entries.last { $0.key == key }?.value
    }
}

/// A file of `torch.save`: the zip format (since PyTorch 1.6) or the older stream of pickles.
///
/// Read as data, nothing is run: tensors, numbers, texts, lists, tuples and dictionaries are admitted; other objects
/// beside them are skipped by name.
public struct TorchFile {
    public let contents: TorchValue
    /// Every tensor with the path to it: `"model.conv1.weight"`.
    public let tensors: [(name: String, tensor: StoredTensor)]
    /// Objects that were not read, with the path to them: `("args", "argparse.Namespace")`.
    public let skipped: [(name: String, kind: String)]

    public init(_ path: String) throws { try self.init(bytes: try Files.readData(path), source: path) }

    /// - Throws: kind `.data`: foreign, damaged, truncated, or with a name that is refused.
    public init(bytes: [UInt8], source: String) throws {
        contents =
            try bytes.starts(with: [0x50, 0x4B]) ? TorchFile.zipped(bytes, source) : TorchFile.streamed(bytes, source)
        var found = Found()
        TorchFile.collect(contents, "", &found)
        tensors = found.tensors
        skipped = found.skipped
        if tensors.isEmpty, !skipped.isEmpty {
            throw PickleMachine.refusal(
                Set(skipped.map(\.kind)).sorted(), Bytes(all: [], source: source, format: "pytorch"))
        }
    }

    private struct Found {
        var tensors: [(name: String, tensor: StoredTensor)] = []
        var skipped: [(name: String, kind: String)] = []
    }

    private static func collect(_ value: TorchValue, _ path: String, _ found: inout Found) {
        func below(_ name: String) -> String { path.isEmpty ? name : path + "." + name }
        switch value {
        case .tensor(let tensor): found.tensors.append((path, tensor))
        case .skipped(let kind): found.skipped.append((path, kind))
        case .list(let items): for (index, item) in items.enumerated() { collect(item, below(String(index)), &found) }
        case .dictionary(let entries): for (key, item) in entries { collect(item, below(key), &found) }
        default: break
        }
    }

    // MARK: Zip

    private static func zipped(_ bytes: [UInt8], _ source: String) throws -> TorchValue {
        let archive = try ZipArchive(bytes: bytes, source: source)
        guard let pickle = archive.names.first(where: { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }) else {
            throw BSSError("read weights", "\(source): a zip archive without data.pkl is no PyTorch file", kind: .data)
        }
        let folder = String(pickle.dropLast("data.pkl".count))
        if archive.contains(folder + "byteorder"),
            try archive.read(folder + "byteorder").starts(with: Array("big".utf8))
        {
            throw BSSError("read weights", "\(source): was written on a big-endian machine", kind: .data)
        }
        let file = Bytes(all: try archive.read(pickle), source: source, format: "pytorch")
        let last = LastEntry()
        var machine = PickleMachine(file) { item in
            guard let (type, key, count, _) = try storage(item, file) else { return .foreign(kind(of: item)) }
            let entry = "\(folder)data/\(key)"
            guard archive.contains(entry) else { throw file.damage("the storage \(entry) is missing") }
            return .storage(PickleStorage(type: type, count: count, offset: 0) { (try last.read(entry, archive), 0) })
        }
        defer { machine.dispose() }
        return try plain(try machine.run(), file)
    }

    /// The storage that was unpacked last: many tensors may be views of one.
    private final class LastEntry {
        private var last: (name: String, bytes: [UInt8])?
        func read(_ name: String, _ archive: ZipArchive) throws -> [UInt8] {
            if let last, last.name == name { return last.bytes }
            let bytes = try archive.read(name)
            last = (name, bytes)
            return bytes
        }
    }

    /// What a persistent id that is no storage of known numbers names: a storage of others, or a module's class with
    /// its source.
    private static func kind(of item: PickleItem) -> String { item.items?.dropFirst().first?.kind ?? item.kind }

    /// ('storage', type, key, location, number of elements[, view]); nil for an id that stands for something else.
    private static func storage(
        _ item: PickleItem, _ file: Bytes
    ) throws -> (type: StoredType, key: String, count: Int, view: Int)? {
        if let parts = item.items, parts.count >= 2, let word = parts[0].string, word == "storage" || word == "module",
            case .global(.foreign) = parts[1]
        {
            return nil
        }
        guard let parts = item.items, parts.count >= 5, parts[0].string == "storage",
            case .global(.storage(let type)) = parts[1], let key = parts[2].string,
            let count = parts[4].int, count >= 0, count < StoredTensor.most
        else {
            throw file.damage(
                "pickle: a persistent id that is no storage: refused, only tensors and plain containers are read")
        }
        var view = 0
        if parts.count > 5, let window = parts[5].items {
            guard window.count == 3, let offset = window[1].int, offset >= 0, offset < StoredTensor.most else {
                throw file.damage("pickle: a storage view with unknown parts")
            }
            view = offset
        }
        return (type, key, count, view)
    }

    // MARK: Stream of pickles

    /// Where storages lie in an older file: known only after everything that refers to them has been read.
    private final class Places { var starts: [String: (at: Int, count: Int)] = [:] }

    private static func streamed(_ bytes: [UInt8], _ source: String) throws -> TorchValue {
        let file = Bytes(all: bytes, source: source, format: "pytorch")
        guard bytes.first == 0x80 else { throw file.damage("neither a zip archive nor a pickle: no PyTorch file") }
        var at = 0
        /// Reads the next pickle of the stream and hands its value to `body`.
        func next<R>(
            _ persistent: @escaping (PickleItem) throws -> PickleItem, _ body: (PickleItem) throws -> R
        ) throws -> R {
            var machine = PickleMachine(file, at: at, persistent: persistent)
            defer { machine.dispose() }
            let item = try machine.run()
            at = machine.at
            return try body(item)
        }
        func refused(_ item: PickleItem) throws -> PickleItem {
            throw file.damage("pickle: a persistent id outside the contents")
        }
        try next(refused) { item in
            guard case .long(let magic) = item,
                magic.starts(with: [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19])
            else {
                throw file.damage("a pickle, but not one of torch.save")
            }
        }
        for _ in 0..<2 { try next(refused) { _ in } }  // protocol version, machine
        let places = Places()
        var types: [String: StoredType] = [:]
        let contents = try next({ item in
            guard let (type, key, count, view) = try storage(item, file) else { return .foreign(kind(of: item)) }
            if let known = types[key], known != type { throw file.damage("storage \(key) has two types") }
            types[key] = type
            return .storage(
                PickleStorage(type: type, count: count + view, offset: view) {
                    guard let place = places.starts[key] else { throw file.damage("storage \(key) is missing") }
                    guard place.count >= count + view else {
                        throw file.damage("storage \(key) has \(place.count) elements, \(count + view) are needed")
                    }
                    return (bytes, place.at)
                })
        }) { try plain($0, file) }
        let keys = try next(refused) { ($0.items ?? []).compactMap(\.string) }
        for key in keys {
            guard let type = types[key] else { throw file.damage("storage \(key) belongs to no tensor") }
            let count = try file.u64(at, "storage \(key)")
            let (size, overflow) = count.multipliedReportingOverflow(by: type.byteSize)
            guard !overflow else { throw file.damage("storage \(key) is impossibly large") }
            try file.need(size, at: at + 8, "storage \(key)")
            places.starts[key] = (at + 8, count)
            at += 8 + size
        }
        if let missing = types.keys.sorted().first(where: { places.starts[$0] == nil }) {
            throw file.damage("storage \(missing) is missing")
        }
        return contents
    }

    // MARK: Boxes to a tree

    private static let deepest = 64, most = 4_000_000

    /// Shared parts become several: a value costs 1, and a little for the length of its path.
    private static func plain(_ item: PickleItem, _ file: Bytes) throws -> TorchValue {
        var left = min(most, 16 * file.count + 4096)
        func convert(_ item: PickleItem, _ depth: Int, path: Int) throws -> TorchValue {
            left -= 1 + path / 64
            guard depth < deepest, left > 0 else {
                throw file.damage(
                    "pickle: a container that holds itself, more than \(deepest) levels, or far more values than its "
                        + "\(file.count) bytes"
                )
            }
            switch item {
            case .none: return .none
            case .bool(let b): return .bool(b)
            case .int(let i): return .int(i)
            case .long(let bytes): return .bytes(bytes)
            case .number(let d): return .number(d)
            case .string(let s): return .string(s)
            case .bytes(let b): return .bytes(b)
            case .tensor(let tensor): return .tensor(tensor)
            case .list(let box): return .list(try box.items.map { try convert($0, depth + 1, path: path + 4) })
            case .dictionary(let box):
                return .dictionary(
                    try stride(from: 0, to: box.items.count, by: 2).map { i in
                        guard let key = box.items[i].key else {
                            return (box.items[i].kind, .skipped("an entry under \(box.items[i].kind)"))
                        }
                        return (key, try convert(box.items[i + 1], depth + 1, path: path + key.utf8.count))
                    })
            case .global, .storage, .foreign: return .skipped(item.kind)
            }
        }
        return try convert(item, 0, path: 0)
    }
}

extension PickleItem {
    /// A dictionary key as text; nil for tuples and other objects.
    fileprivate var key: String? {
        switch self {
        case .string(let s): return s
        case .int(let k): return String(k)
        case .number(let d): return Text.number(d)
        case .bool(let b): return b ? "True" : "False"
        default: return nil
        }
    }
}
