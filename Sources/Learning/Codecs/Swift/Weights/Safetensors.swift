import BSSCore

/// A safetensors file: 8 bytes header size, a JSON header, then raw little-endian numbers.
///
/// Source: Hugging Face safetensors, format description in its README.
public struct Safetensors {
    public let tensors: [(name: String, tensor: StoredTensor)]
    public let metadata: [String: String]

    private static let types: [String: StoredType] = [
        "F16": .float16, "BF16": .bfloat16, "F32": .float32, "F64": .float64, "I8": .int8, "I16": .int16, "I32": .int32,
        "I64": .int64,
        "U8": .uint8, "U16": .uint16, "U32": .uint32, "U64": .uint64, "BOOL": .bool, "F8_E4M3": .float8e4m3fn,
        "F8_E5M2": .float8e5m2,
    ]

    public init(_ path: String) throws { try self.init(bytes: try Files.readData(path), source: path) }

    /// - Throws: kind `.data` for anything that is not a whole, consistent file.
    public init(bytes: [UInt8], source: String) throws {
        let file = Bytes(all: bytes, source: source, format: "safetensors")
        let length = try file.u64(0, "header size")
        try file.need(length, at: 8, "header")
        let start = 8 + length
        guard let header = try Safetensors.parsed(Array(bytes[8..<start]), file).table else {
            throw file.damage("its header is no JSON object")
        }
        var tensors: [(name: String, tensor: StoredTensor)] = []
        var places: [(from: Int, to: Int, name: String)] = []
        var metadata: [String: String] = [:]
        for (name, value) in header.fields {
            guard case .table(let entry) = value else { throw file.damage("entry '\(name)' is not an object") }
            if name == "__metadata__" {
                for (key, text) in entry.fields { metadata[key] = text.string }
                continue
            }
            guard let typeName = entry["dtype"]?.string, let shape = entry["shape"]?.table?.items.map(\.int),
                !shape.contains(nil),
                let offsets = entry["data_offsets"]?.table?.items.compactMap(\.int), offsets.count == 2,
                offsets[0] >= 0, offsets[1] >= offsets[0]
            else { throw file.damage("entry '\(name)' lacks dtype, shape or offsets") }
            guard let type = Safetensors.types[typeName] else {
                throw file.damage(
                    "tensor '\(name)' has the type \(typeName); known: "
                        + "\(Safetensors.types.keys.sorted().joined(separator: ", "))"
                )
            }
            let size = offsets[1] - offsets[0]
            let tensor = try StoredTensor(
                type, shape: shape.compactMap { $0 }, storageCount: size / type.byteSize, name: "'\(name)'",
                file: source
            ) { (bytes, start + offsets[0]) }
            guard offsets[1] <= bytes.count - start else {
                throw file.damage("truncated: tensor '\(name)' ends at byte \(offsets[1]) of \(bytes.count - start)")
            }
            guard size == tensor.count * type.byteSize else {
                throw file.damage("tensor '\(name)', \(tensor.described), has \(size) bytes")
            }
            tensors.append((name, tensor))
            places.append((offsets[0], offsets[1], name))
        }
        // As the format's own reader has it: the data is covered without a gap, no byte belongs to two tensors.
        var end = 0
        for place in places.sorted(by: { ($0.from, $0.to) < ($1.from, $1.to) }) {
            guard place.from == end else {
                throw file.damage("tensor '\(place.name)' begins at byte \(place.from) of the data, not at \(end)")
            }
            end = place.to
        }
        guard end == bytes.count - start else {
            throw file.damage("\(bytes.count - start - end) bytes follow its last tensor")
        }
        self.tensors = tensors
        self.metadata = metadata
    }

    /// The header; its mistakes under this format's name.
    private static func parsed(_ header: [UInt8], _ file: Bytes) throws -> Value {
        do {
            return try JSON.parse(bytes: header, source: "its header", refusesRepeatedKeys: true)
        } catch let error as BSSError {
            throw file.damage("its header is no JSON object: \(error.message)")
        }
    }
}
