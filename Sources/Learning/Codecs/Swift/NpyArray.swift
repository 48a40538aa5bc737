import BSSCore

/// An array as NumPy files hold it: shape, element type, and the elements in C order.
public struct NpyArray {
    /// The elements in the narrowest of four Swift types that holds every value of `dtype` exactly.
    public enum Elements {
        /// float16, float32
        case floats([Float])
        /// float64
        case doubles([Double])
        /// bool (0 or 1), int8 … int64, uint8 … uint64 (up to 2^63 - 1)
        case integers([Int64])
        /// `<U…` and `|S…`
        case strings([String])
    }

    /// NumPy's name: `"float32"`, `"int64"`, `"bool"`, `"str"` …
    public let dtype: String
    public let shape: [Int]
    public let elements: Elements

    public var count: Int { shape.reduce(1, *) }

    init(dtype: String, shape: [Int], elements: Elements) {
        self.dtype = dtype
        self.shape = shape
        self.elements = elements
    }

    public init(_ floats: [Float], shape: [Int]? = nil) {
        self.init(dtype: "float32", shape: shape ?? [floats.count], elements: .floats(floats))
    }
    public init(_ doubles: [Double], shape: [Int]? = nil) {
        self.init(dtype: "float64", shape: shape ?? [doubles.count], elements: .doubles(doubles))
    }
    public init(_ integers: [Int], shape: [Int]? = nil) {
        self.init(dtype: "int64", shape: shape ?? [integers.count], elements: .integers(integers.map(Int64.init)))
    }
    public init(_ integers: [Int64], shape: [Int]? = nil) {
        self.init(dtype: "int64", shape: shape ?? [integers.count], elements: .integers(integers))
    }
    public init(_ bytes: [UInt8], shape: [Int]? = nil) {
        self.init(dtype: "uint8", shape: shape ?? [bytes.count], elements: .integers(bytes.map(Int64.init)))
    }
    public init(_ flags: [Bool], shape: [Int]? = nil) {
        self.init(dtype: "bool", shape: shape ?? [flags.count], elements: .integers(flags.map { $0 ? 1 : 0 }))
    }
    public init(_ strings: [String], shape: [Int]? = nil) {
        self.init(dtype: "str", shape: shape ?? [strings.count], elements: .strings(strings))
    }

    public var isText: Bool { if case .strings = elements { return true } else { return false } }
    public var isInteger: Bool { if case .integers = elements { return true } else { return false } }

    /// The elements as 32-bit floats (rounded where needed); `nil` for text.
    public var floats: [Float]? {
        switch elements {
        case .floats(let f): return f
        case .doubles(let d): return d.map { Float($0) }
        case .integers(let i): return i.map { Float($0) }
        case .strings: return nil
        }
    }

    public var doubles: [Double]? {
        switch elements {
        case .floats(let f): return f.map { Double($0) }
        case .doubles(let d): return d
        case .integers(let i): return i.map { Double($0) }
        case .strings: return nil
        }
    }

    /// The elements as integers; `nil` for text and where a number has a fraction.
    public var integers: [Int]? {
        switch elements {
        case .integers(let i): return i.map { Int($0) }
        case .floats(let f): return NpyArray.exact(f.map { Int(exactly: $0) })
        case .doubles(let d): return NpyArray.exact(d.map { Int(exactly: $0) })
        case .strings: return nil
        }
    }

    private static func exact(_ values: [Int?]) -> [Int]? {
        let known = values.compactMap { $0 }
        return known.count == values.count ? known : nil
    }

    public var strings: [String]? { if case .strings(let s) = elements { return s } else { return nil } }

    /// `float32[2199, 100]`
    public var described: String { "\(dtype)[\(shape.map(String.init).joined(separator: ", "))]" }
}
