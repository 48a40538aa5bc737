import BSSCore

/// What a pickle may hold in a weight file. Containers are boxes, because pickles fill them after naming them.
enum PickleItem {
    case none
    case bool(Bool)
    case int(Int)
    /// An integer beyond 64 bits, little-endian two's complement.
    case long([UInt8])
    case number(Double)
    case string(String)
    case bytes([UInt8])
    case list(PickleBox)
    case dictionary(PickleBox)
    case global(PickleGlobal)
    case storage(PickleStorage)
    case tensor(StoredTensor)

    var int: Int? { if case .int(let i) = self { return i } else { return nil } }
    var string: String? { if case .string(let s) = self { return s } else { return nil } }
    /// Members of a list or tuple.
    var items: [PickleItem]? { if case .list(let box) = self { return box.items } else { return nil } }
    var integers: [Int]? {
        guard let items else { return nil }
        let found = items.compactMap(\.int)
        return found.count == items.count ? found : nil
    }

    /// What it is, for messages.
    var kind: String {
        switch self {
        case .none: return "None"
        case .bool: return "a bool"
        case .int, .long: return "an integer"
        case .number: return "a number"
        case .string: return "a text"
        case .bytes: return "bytes"
        case .list: return "a list"
        case .dictionary: return "a dictionary"
        case .global(let global): return global.name
        case .storage: return "a storage"
        case .tensor: return "a tensor"
        }
    }
}

/// The members of a list, tuple or dictionary (keys and values in turn).
final class PickleBox {
    var items: [PickleItem]
    init(_ items: [PickleItem] = []) { self.items = items }
}

/// The numbers behind one or more tensors.
struct PickleStorage {
    let type: StoredType
    let count: Int
    /// Elements before this view of it.
    let offset: Int
    let read: () throws -> (bytes: [UInt8], start: Int)
}

/// The names that a weight file may call: rebuilding tensors, storages, ordered dictionaries, sizes. All others are refused.
enum PickleGlobal: Equatable {
    case orderedDictionary, size, tensorV2, tensorV1, parameter, encodedBytes
    case storage(StoredType)

    private static let storages: [String: StoredType] = [
        "Half": .float16, "BFloat16": .bfloat16, "Float": .float32, "Double": .float64, "Char": .int8, "Short": .int16,
        "Int": .int32,
        "Long": .int64, "Byte": .uint8, "Bool": .bool, "Untyped": .uint8,
    ]

    /// - Returns: nil for a name that is not allowed.
    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch", "Size"): self = .size
        case ("torch._utils", "_rebuild_tensor_v2"): self = .tensorV2
        case ("torch._utils", "_rebuild_tensor"): self = .tensorV1
        case ("torch._utils", "_rebuild_parameter"): self = .parameter
        case ("_codecs", "encode"): self = .encodedBytes
        case ("torch", _) where name.hasSuffix("Storage"), ("torch.storage", _) where name.hasSuffix("Storage"):
            guard let type = PickleGlobal.storages[String(name.dropLast("Storage".count))] else { return nil }
            self = .storage(type)
        default: return nil
        }
    }

    var name: String {
        switch self {
        case .orderedDictionary: return "collections.OrderedDict"
        case .size: return "torch.Size"
        case .tensorV2: return "torch._utils._rebuild_tensor_v2"
        case .tensorV1: return "torch._utils._rebuild_tensor"
        case .parameter: return "torch._utils._rebuild_parameter"
        case .encodedBytes: return "_codecs.encode"
        case .storage(let type): return "a torch storage of \(type.rawValue)"
        }
    }
}
