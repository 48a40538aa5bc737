import BSSCore

extension Npy {
    /// Version 1.0, little-endian, C order, data aligned to 64 bytes as numpy.save writes it.
    public static func bytes(_ array: NpyArray) -> [UInt8] {
        var data: [UInt8] = []
        let descr: String
        func pack<S: Sequence, T: FixedWidthInteger>(_ values: S, _ convert: (S.Element) -> T) {
            data.reserveCapacity(values.underestimatedCount * MemoryLayout<T>.size)
            for value in values { data.append(littleEndian: convert(value)) }
        }
        switch array.elements {
        case .floats(let f) where array.dtype == "float16": (descr, _) = ("<f2", pack(f) { Float16($0).bitPattern })
        case .floats(let f): (descr, _) = ("<f4", pack(f, \.bitPattern))
        case .doubles(let d): (descr, _) = ("<f8", pack(d, \.bitPattern))
        case .strings(let s):
            let scalars = s.map { Array($0.unicodeScalars) }
            let width = max(1, scalars.map(\.count).max() ?? 1)
            descr = "<U\(width)"
            for text in scalars { pack((0..<width).map { $0 < text.count ? text[$0].value : 0 }) { $0 } }
        case .integers(let i):
            switch array.dtype {
            case "bool": (descr, _) = ("|b1", pack(i) { UInt8(truncatingIfNeeded: $0) })
            case "uint8": (descr, _) = ("|u1", pack(i) { UInt8(truncatingIfNeeded: $0) })
            case "int8": (descr, _) = ("|i1", pack(i) { Int8(truncatingIfNeeded: $0) })
            case "int16": (descr, _) = ("<i2", pack(i) { Int16(truncatingIfNeeded: $0) })
            case "uint16": (descr, _) = ("<u2", pack(i) { UInt16(truncatingIfNeeded: $0) })
            case "int32": (descr, _) = ("<i4", pack(i) { Int32(truncatingIfNeeded: $0) })
            case "uint32": (descr, _) = ("<u4", pack(i) { UInt32(truncatingIfNeeded: $0) })
            case "uint64": (descr, _) = ("<u8", pack(i) { $0 })
            default: (descr, _) = ("<i8", pack(i) { $0 })
            }
        }
        let tuple = array.shape.map(String.init).joined(separator: ", ") + (array.shape.count == 1 ? "," : "")
        var header = "{'descr': '\(descr)', 'fortran_order': False, 'shape': (\(tuple)), }"
        header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
        var out: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
        out.append(littleEndian: UInt16(header.utf8.count))
        return out + Array(header.utf8) + data
    }

    /// Writes atomically.
    public static func write(_ array: NpyArray, to path: String) throws { try Files.write(bytes(array), to: path) }
}
