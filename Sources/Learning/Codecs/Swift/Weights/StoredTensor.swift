import BSSCore

/// A number type of weight files; its raw value is NumPy's name.
public enum StoredType: String, CaseIterable {
    case float16, bfloat16, float32, float64, int8, int16, int32, int64, uint8, uint16, uint32, uint64, bool
    /// Storage formats: read as the numbers they stand for.
    case float8e4m3fn = "float8_e4m3fn"
    case float8e5m2 = "float8_e5m2"

    public var byteSize: Int {
        switch self {
        case .int8, .uint8, .bool, .float8e4m3fn, .float8e5m2: return 1
        case .float16, .bfloat16, .int16, .uint16: return 2
        case .float32, .int32, .uint32: return 4
        case .float64, .int64, .uint64: return 8
        }
    }
}

/// A tensor in a weight file: its description, and its numbers when they are asked for.
public struct StoredTensor {
    public let type: StoredType
    public let shape: [Int]
    /// Step from element to element along each axis; a file may hold views of one storage.
    let strides: [Int]
    /// Elements before the first.
    let offset: Int
    /// Elements of the storage.
    let storageCount: Int
    /// The storage's bytes and where they begin in the array.
    let storage: () throws -> (bytes: [UInt8], start: Int)
    let file: String

    public var count: Int { shape.reduce(1, *) }
    /// `float32[768, 3072]`
    public var described: String { "\(type.rawValue)[\(shape.map(String.init).joined(separator: ", "))]" }

    /// No storage has as many elements: products with it cannot overflow.
    static let most = 1 << 56

    /// - Throws: sizes that are negative, too large, or reach beyond the storage.
    init(
        _ type: StoredType, shape: [Int], strides: [Int]? = nil, offset: Int = 0, storageCount: Int, name: String,
        file: String, storage: @escaping () throws -> (bytes: [UInt8], start: Int)
    ) throws {
        func damage(_ reason: String) -> BSSError {
            BSSError("read weights", "\(file): tensor \(name) \(reason)", kind: .data)
        }
        guard shape.count <= 64, shape.allSatisfy({ $0 >= 0 }), offset >= 0, offset < StoredTensor.most,
            storageCount >= 0, storageCount < StoredTensor.most
        else {
            throw damage("has an impossible shape or place: \(shape) at \(offset) of \(storageCount)")
        }
        guard let count = DecodingBudget.elements(shape), count < 1 << 40 else {
            throw damage("is impossibly large: \(shape)")
        }
        let steps = strides ?? shape.indices.map { shape[($0 + 1)...].reduce(1, &*) }
        guard steps.count == shape.count, steps.allSatisfy({ $0 >= 0 }) else {
            throw damage("has strides \(steps) for the shape \(shape)")
        }
        if count > 0 {
            var last = offset
            for (extent, step) in zip(shape, steps) {
                let (reach, overflow) = (extent - 1).multipliedReportingOverflow(by: step)
                guard !overflow, reach < storageCount, last + reach < storageCount else {
                    throw damage("of shape \(shape) reaches beyond its storage of \(storageCount) elements")
                }
                last += reach
            }
            // A repeated element is legal, a file of bytes that claims gigabytes is not.
            guard last < storageCount, count <= storageCount || count <= 1 << 24 else {
                throw damage("of shape \(shape) reaches beyond its storage of \(storageCount) elements")
            }
        }
        self.type = type
        self.shape = shape
        self.strides = steps
        self.offset = offset
        self.storageCount = storageCount
        self.storage = storage
        self.file = file
    }

    // MARK: Views

    private init(_ other: StoredTensor, shape: [Int], strides: [Int], offset: Int) {
        type = other.type
        self.shape = shape
        self.strides = strides
        self.offset = offset
        storageCount = other.storageCount
        storage = other.storage
        file = other.file
    }

    /// Axes in reverse order.
    public func transposed() -> StoredTensor {
        StoredTensor(self, shape: shape.reversed(), strides: strides.reversed(), offset: offset)
    }

    /// Three equal parts along the first axis; nil where there are none.
    public func thirds() -> [StoredTensor]? {
        guard let rows = shape.first, rows % 3 == 0 else { return nil }
        return (0..<3).map {
            StoredTensor(
                self, shape: [rows / 3] + shape.dropFirst(), strides: strides,
                offset: offset + $0 * (rows / 3) * strides[0])
        }
    }

    private var isContiguous: Bool {
        var expected = 1
        for axis in shape.indices.reversed() where shape[axis] != 1 {
            if strides[axis] != expected { return false }
            expected *= shape[axis]
        }
        return true
    }

    /// Elements in row-major order as integers of their width.
    private func words<T: FixedWidthInteger>(_ type: T.Type) throws -> [T] {
        let count = count
        if count == 0 { return [] }
        let (bytes, start) = try storage()
        let width = MemoryLayout<T>.size
        guard start >= 0, start <= bytes.count, bytes.count - start >= storageCount * width else {
            throw BSSError("read weights", "\(file): a storage of \(storageCount) elements is truncated", kind: .data)
        }
        return bytes.withUnsafeBytes { raw in
            guard let first = raw.baseAddress else { return [] }
            let base = first + start + offset * width
            return [T](unsafeUninitializedCapacity: count) { out, filled in
                filled = count
                if isContiguous {
                    return UnsafeMutableRawBufferPointer(out).copyMemory(
                        from: UnsafeRawBufferPointer(start: base, count: count * width))
                }
                var index = [Int](repeating: 0, count: shape.count)
                var at = 0
                for i in 0..<count {
                    out[i] = (base + at * width).loadUnaligned(as: T.self)
                    var axis = shape.count - 1
                    while axis >= 0 {
                        index[axis] += 1
                        at += strides[axis]
                        if index[axis] < shape[axis] { break }
                        at -= strides[axis] * shape[axis]
                        index[axis] = 0
                        axis -= 1
                    }
                }
            }
        }
    }

    /// The 16-bit patterns of float16 or bfloat16 elements.
    public func bits() throws -> [UInt16] { try words(UInt16.self) }

    /// The numbers; floats of 8 and 16 bits widened exactly.
    public func array() throws -> NpyArray {
        func integers<T: FixedWidthInteger>(_ type: T.Type) throws -> NpyArray.Elements {
            .integers(try words(type).map { Int64(truncatingIfNeeded: $0) })
        }
        let elements: NpyArray.Elements
        switch type {
        case .float16: elements = .floats(try bits().map { Float(Float16(bitPattern: $0)) })
        case .bfloat16: elements = .floats(try bits().map { Float(bitPattern: UInt32($0) << 16) })
        case .float32: elements = .floats(try words(UInt32.self).map { Float(bitPattern: $0) })
        case .float64: elements = .doubles(try words(UInt64.self).map { Double(bitPattern: $0) })
        case .int8: elements = try integers(Int8.self)
        case .int16: elements = try integers(Int16.self)
        case .int32: elements = try integers(Int32.self)
        case .int64: elements = try integers(Int64.self)
        case .uint8: elements = try integers(UInt8.self)
        case .bool: elements = .integers(try words(UInt8.self).map { $0 == 0 ? 0 : 1 })
        case .uint16: elements = try integers(UInt16.self)
        case .uint32: elements = try integers(UInt32.self)
        case .uint64: elements = try integers(UInt64.self)
        case .float8e4m3fn: elements = .floats(try words(UInt8.self).map { SmallFloat.e4m3fn[Int($0)] })
        case .float8e5m2: elements = .floats(try words(UInt8.self).map { SmallFloat.e5m2[Int($0)] })
        }
        let isWidened = [.bfloat16, .float8e4m3fn, .float8e5m2].contains(type)
        return NpyArray(dtype: isWidened ? "float32" : type.rawValue, shape: shape, elements: elements)
    }

    /// The numbers as 32-bit floats.
    public func floats() throws -> [Float] {
        if type == .float32 {
            let words = try words(UInt32.self)
            return words.withUnsafeBytes { raw in
                [Float](unsafeUninitializedCapacity: words.count) { out, filled in
                    UnsafeMutableRawBufferPointer(out).copyMemory(from: raw)
                    filled = words.count
                }
            }
        }
        return try array().floats ?? []
    }
}
