import BSSCore

/// NumPy's `.npy` format, versions 1 to 3 (numpy.lib.format).
///
/// Read: float16/32/64, int8…64, uint8…64, bool, `U` and `S` text, both byte orders, C and Fortran order.
/// Refused with a reason: pickled objects, structured and complex types.
public enum Npy {
    public static func read(_ path: String) throws -> NpyArray { try parse(try Files.readData(path), source: path) }

    /// - Throws: kind `.data`, naming `source` and what is wrong.
    public static func parse(_ bytes: [UInt8], source: String) throws -> NpyArray {
        let file = Bytes(all: bytes, source: source, format: "npy")
        guard bytes.count >= 10, bytes[0] == 0x93, try file.ascii(1, 5, "magic") == "NUMPY" else {
            throw file.damage("not an npy file (it does not start with \\x93NUMPY)")
        }
        guard (1...3).contains(bytes[6]) else {
            throw file.damage("npy version \(bytes[6]).\(bytes[7]); 1 to 3 are read")
        }
        let start = bytes[6] == 1 ? 10 : 12
        let length = bytes[6] == 1 ? try file.u16(8, "header length") : try file.u32(8, "header length")
        guard length < 1 << 16 else { throw file.damage("a header of \(length) bytes: structured types are not read") }
        let header = try NpyHeader(try file.ascii(start, length, "header"), file)
        return try decode(header, file, at: start + length)
    }

    private static func decode(_ header: NpyHeader, _ file: Bytes, at start: Int) throws -> NpyArray {
        guard let count = DecodingBudget.elements(header.shape),
            let size = DecodingBudget.product([count, header.itemSize])
        else { throw file.damage("shape \(header.shape) is impossibly large") }
        guard file.count - start >= size else {
            throw file.damage(
                "truncated: \(header.dtype)\(header.shape) needs \(size) bytes of data, the file has "
                    + "\(file.count - start)"
            )
        }
        func values<T: FixedWidthInteger>(_ type: T.Type) -> [T] {
            let swap = header.isBigEndian
            return [T](unsafeUninitializedCapacity: count) { to, filled in
                file.all.withUnsafeBytes { from in
                    UnsafeMutableRawBufferPointer(to).copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: from[start..<start + size]))
                }
                if swap { for i in 0..<count { to[i] = to[i].byteSwapped } }
                filled = count
            }
        }
        // Texts of no characters take no bytes of the file, but memory.
        if header.itemSize == 0 {
            try DecodingBudget(fileBytes: file.count).claim(
                count, MemoryLayout<String>.size, by: "\(count) texts of no characters", in: file)
        }
        let elements: NpyArray.Elements
        switch header.dtype {
        case "float16": elements = .floats(values(UInt16.self).map { Float(Float16(bitPattern: $0)) })
        case "float32": elements = .floats(values(UInt32.self).map { Float(bitPattern: $0) })
        case "float64": elements = .doubles(values(UInt64.self).map { Double(bitPattern: $0) })
        case "bool": elements = .integers(values(UInt8.self).map { $0 == 0 ? 0 : 1 })
        case "uint8": elements = .integers(values(UInt8.self).map(Int64.init))
        case "int8": elements = .integers(values(Int8.self).map(Int64.init))
        case "int16": elements = .integers(values(Int16.self).map(Int64.init))
        case "uint16": elements = .integers(values(UInt16.self).map(Int64.init))
        case "int32": elements = .integers(values(Int32.self).map(Int64.init))
        case "uint32": elements = .integers(values(UInt32.self).map(Int64.init))
        case "int64": elements = .integers(values(Int64.self))
        case "uint64":
            elements = .integers(
                try values(UInt64.self).map { value in
                    guard let signed = Int64(exactly: value) else {
                        throw file.damage("uint64 value \(value) is above 2^63 - 1")
                    }
                    return signed
                })
        case "str": elements = .strings(try texts(file, header, start, count))
        default: elements = .strings(byteStrings(file, header, start, count))
        }
        return NpyArray(
            dtype: header.dtype, shape: header.shape,
            elements: header.isFortran ? cOrder(elements, header.shape) : elements)
    }

    /// `U<n>`: n UTF-32 code points each, padded with zeros.
    private static func texts(_ file: Bytes, _ header: NpyHeader, _ start: Int, _ count: Int) throws -> [String] {
        let width = header.itemSize / 4
        let words = (0..<count * width).map { i in
            let word = file.all.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: start + 4 * i, as: UInt32.self) }
            return header.isBigEndian ? word.byteSwapped : word
        }
        return try (0..<count).map { i in
            var text = String.UnicodeScalarView()
            var used = width
            while used > 0, words[i * width + used - 1] == 0 { used -= 1 }
            for word in words[i * width..<i * width + used] {
                guard let scalar = UnicodeScalar(word) else {
                    throw file.damage("entry \(i + 1) holds \(word), which is no Unicode code point")
                }
                text.append(scalar)
            }
            return String(text)
        }
    }

    private static func byteStrings(_ file: Bytes, _ header: NpyHeader, _ start: Int, _ count: Int) -> [String] {
        (0..<count).map { i in
            var text = file.all[start + i * header.itemSize..<start + (i + 1) * header.itemSize]
            while text.last == 0 { text.removeLast() }
            return Text.decoded(text)
        }
    }

    /// Fortran order (first axis fastest) to C order (last axis fastest).
    private static func cOrder(_ elements: NpyArray.Elements, _ shape: [Int]) -> NpyArray.Elements {
        func reordered<T>(_ from: [T]) -> [T] {
            guard shape.count > 1, !from.isEmpty else { return from }
            var steps: [Int] = []
            var step = 1
            for extent in shape {
                steps.append(step)
                step *= extent
            }
            var index = [Int](repeating: 0, count: shape.count)
            var at = 0
            return from.indices.map { _ in
                defer {
                    var axis = shape.count - 1
                    while axis >= 0 {
                        index[axis] += 1
                        at += steps[axis]
                        if index[axis] < shape[axis] { break }
                        at -= steps[axis] * shape[axis]
                        index[axis] = 0
                        axis -= 1
                    }
                }
                return from[at]
            }
        }
        switch elements {
        case .floats(let f): return .floats(reordered(f))
        case .doubles(let d): return .doubles(reordered(d))
        case .integers(let i): return .integers(reordered(i))
        case .strings(let s): return .strings(reordered(s))
        }
    }
}
