import BSSCore

/// Which heads are summed for the total output, and how they weigh (Eq. 12; official-audit Q32).
public enum InferenceHeads: ArgumentType {
    case automatic, all, unimodal, fused
    case weights(Table)

    public static let expected = "\"auto\", \"all\", \"unimodal\", \"fused\" or a table of weights"
    public init(value: Value) throws {
        switch value {
        case .string("auto"): self = .automatic
        case .string("all"): self = .all
        case .string("unimodal"): self = .unimodal
        case .string("fused"): self = .fused
        case .table(let table)
        where table.items.isEmpty && !table.isEmpty && table.fields.allSatisfy({ $0.value.double != nil }):
            for (head, value) in table.fields {
                guard let weight = value.double, weight.isFinite, weight >= 0 else {
                    throw Mismatch("\(value.described) as the weight of '\(head)'; finite numbers of at least 0 only")
                }
            }
            guard table.fields.contains(where: { $0.value.double ?? 0 > 0 }) else {
                throw Mismatch("weights that are all 0: nothing would be predicted")
            }
            self = .weights(table)
        default: throw Mismatch()
        }
    }

    public var plain: Value {
        switch self {
        case .automatic: return .string("auto")
        case .all: return .string("all")
        case .unimodal: return .string("unimodal")
        case .fused: return .string("fused")
        case .weights(let table): return .table(table)
        }
    }

    public var isAutomatic: Bool { if case .automatic = self { return true } else { return false } }

    func weights(_ modalities: [String]) -> [Double] {
        switch self {
        case .automatic, .all: return Array(repeating: 1, count: modalities.count + 1)
        case .unimodal: return [0] + Array(repeating: 1, count: modalities.count)
        case .fused: return [1] + Array(repeating: 0, count: modalities.count)
        case .weights(let table):
            return [table["fused"]?.double ?? 0] + modalities.map { (table[$0] ?? table["unimodal"])?.double ?? 0 }
        }
    }

    /// - Throws: a weight for a head that does not exist.
    func check(_ modalities: [String]) throws {
        guard case .weights(let table) = self else { return }
        for key in table.keys where key != "fused" && key != "unimodal" && !modalities.contains(key) {
            throw BSSError(
                "bss.train", "inference_heads has no head '\(key)'",
                hint: "heads: \((["fused"] + modalities).joined(separator: ", "))", kind: .usage)
        }
    }
}
