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
    /// An object that is neither tensor nor plain container, by the name of what would make it: nothing of it is kept.
    case foreign(String)
    case storage(PickleStorage)
    case tensor(StoredTensor)

    var int: Int? { if case .int(let i) = self { return i } else { return nil } }
    var string: String? { if case .string(let s) = self { return s } else { return nil } }
    /// Members of a list or tuple.
    var items: [PickleItem]? { if case .list(let box) = self { return box.items } else { return nil } }
    /// The sizes or strides of a tensor.
    var sizes: [Int]? {
        guard let items, items.count <= 64 else { return nil }
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
        case .foreign(let name): return name
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

/// The names of a weight file that are understood: rebuilding tensors, storages, number types, ordered dictionaries,
/// sizes. All others are names only: what they would make is skipped.
enum PickleGlobal: Equatable {
    case orderedDictionary, size, tensorV1, tensorV2, tensorV3, parameter, ofType, encodedBytes
    case storage(StoredType)
    case dtype(StoredType)
    case foreign(String)

    private static let storages: [String: StoredType] = [
        "Half": .float16, "BFloat16": .bfloat16, "Float": .float32, "Double": .float64, "Char": .int8, "Short": .int16,
        "Int": .int32, "Long": .int64, "Byte": .uint8, "Bool": .bool, "Untyped": .uint8,
    ]
    private static let others: [String: PickleGlobal] = [
        "collections.OrderedDict": .orderedDictionary, "torch.Size": .size, "torch._utils._rebuild_tensor": .tensorV1,
        "torch._utils._rebuild_tensor_v2": .tensorV2, "torch._utils._rebuild_tensor_v3": .tensorV3,
        "torch._utils._rebuild_parameter": .parameter, "torch._utils._rebuild_parameter_with_state": .parameter,
        "torch._tensor._rebuild_from_type_v2": .ofType, "_codecs.encode": .encodedBytes,
    ]
    /// Modules that no weight file has business with: a pickle that names them was made to run something.
    private static let commands: Set<String> = [
        "os", "posix", "nt", "subprocess", "sys", "shutil", "socket", "pty", "importlib", "runpy", "ctypes", "code",
        "webbrowser",
        "asyncio", "multiprocessing", "pip", "platform", "timeit", "pdb", "bdb",
    ]
    private static let functions: Set<String> = [
        "eval", "exec", "execfile", "compile", "open", "input", "getattr", "setattr", "delattr", "__import__", "apply",
        "globals",
        "breakpoint", "vars",
    ]

    init(module: String, name: String) {
        let full = "\(module).\(name)"
        if let known = PickleGlobal.others[full] {
            self = known
        } else if module == "torch" || module == "torch.storage", name.hasSuffix("Storage"),
            let type = PickleGlobal.storages[String(name.dropLast("Storage".count))]
        {
            self = .storage(type)
        } else if module == "torch", let type = StoredType(rawValue: name) {
            self = .dtype(type)
        } else {
            self = .foreign(full)
        }
    }

    /// Whether the name could only be there to be run.
    static func isCommand(module: String, name: String) -> Bool {
        let root = module.prefix { $0 != "." }
        if root == "builtins" || root == "__builtin__" { return functions.contains(name) }
        return commands.contains(String(root))
    }

    var name: String {
        switch self {
        case .storage(let type): return "a torch storage of \(type.rawValue)"
        case .dtype(let type): return "torch.\(type.rawValue)"
        case .foreign(let name): return name
        default: return PickleGlobal.others.first { $0.value == self }?.key ?? "a name"
        }
    }
}
