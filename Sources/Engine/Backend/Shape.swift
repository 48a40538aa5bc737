import BSSCore

/// Up to eight sizes (or strides), stored in place: making a tensor costs no heap array.
public struct Shape: Equatable, ExpressibleByArrayLiteral, CustomStringConvertible {
    public static let maximumRank = 8
    @usableFromInline var storage: InlineArray<8, Int>
    @usableFromInline var count: Int

    /// The shape of a scalar.
    @inlinable public init() {
        storage = InlineArray(repeating: 0)
        count = 0
    }

    @inlinable public var rank: Int { count }

    public init(arrayLiteral sizes: Int...) { self.init(unchecked: sizes) }

    /// - Throws: more than eight axes, a negative size, or more elements than any memory holds.
    public init(_ sizes: [Int], operation: String = "shape") throws {
        guard sizes.count <= Shape.maximumRank else {
            throw BSSError(operation, "at most \(Shape.maximumRank) axes, got \(sizes.count): \(sizes)")
        }
        if let negative = sizes.first(where: { $0 < 0 }) {
            throw BSSError(operation, "sizes are not negative, got \(negative) in \(sizes)")
        }
        self.init(unchecked: sizes)
        if !isRepresentable { throw tooLarge(operation) }
    }

    public func tooLarge(_ operation: String) -> BSSError {
        BSSError(operation, "a tensor of shape \(self) has too many elements")
    }

    /// Whether the product of the sizes, empty axes left out, can be counted: strides are products of them.
    @inlinable public var isRepresentable: Bool {
        var count = 1
        for axis in 0..<rank where storage[axis] > 1 {
            let (product, overflows) = count.multipliedReportingOverflow(by: storage[axis])
            if overflows || product >= Shape.tooMany { return false }
            count = product
        }
        return true
    }

    /// For sizes that are known to be at most eight and not negative.
    public init<S: Sequence>(unchecked sizes: S) where S.Element == Int {
        self.init()
        for size in sizes { append(size) }
    }

    public init(repeating size: Int, rank: Int) {
        self.init()
        count = rank
        for axis in 0..<rank { storage[axis] = size }
    }

    @inlinable public subscript(axis: Int) -> Int {
        get { storage[axis] }
        set { storage[axis] = newValue }
    }

    /// The last size; 1 for a scalar.
    @inlinable public var last: Int { rank == 0 ? 1 : storage[rank - 1] }
    /// Stops at `tooMany`, so that sizes from a script can neither trap here nor in a byte count.
    @inlinable public var elementCount: Int {
        var count = 1
        for axis in 0..<rank {
            let (product, overflows) = count.multipliedReportingOverflow(by: storage[axis])
            count = overflows || product > Shape.tooMany ? Shape.tooMany : product
        }
        return count
    }
    @inlinable public static var tooMany: Int { Int.max >> 4 }
    public var array: [Int] { (0..<rank).map { storage[$0] } }
    @inlinable public var indices: Range<Int> { 0..<rank }

    @inlinable public mutating func append(_ size: Int) {
        storage[rank] = size
        count += 1
    }

    public mutating func remove(at axis: Int) {
        for i in axis..<(rank - 1) { storage[i] = storage[i + 1] }
        count -= 1
        storage[rank] = 0
    }

    public mutating func insert(_ size: Int, at axis: Int) {
        var i = rank
        while i > axis {
            storage[i] = storage[i - 1]
            i -= 1
        }
        storage[axis] = size
        count += 1
    }

    @inlinable public static func == (a: Shape, b: Shape) -> Bool {
        if a.rank != b.rank { return false }
        for axis in 0..<a.rank where a.storage[axis] != b.storage[axis] { return false }
        return true
    }

    /// Row-major strides.
    @inlinable public var contiguousStrides: Shape {
        var strides = self
        var step = 1
        var axis = rank - 1
        while axis >= 0 {
            strides.storage[axis] = step
            step = step &* storage[axis]  // of a shape that is not representable, which no memory is made for
            axis -= 1
        }
        return strides
    }

    /// `[2, 3]`
    public var description: String { "[" + array.map(String.init).joined(separator: ", ") + "]" }

    /// 0-based axis from one that may count from the end (-1 = last).
    /// - Throws: naming the operation and the shape.
    public func axis(_ axis: Int, operation: String) throws -> Int {
        let resolved = axis < 0 ? axis + rank : axis
        guard resolved >= 0, resolved < rank else {
            throw BSSError(
                operation, "axis \(axis < 0 ? axis : axis + 1) does not exist in shape \(self)",
                hint: "axes are 1 to \(rank), or -1 for the last")
        }
        return resolved
    }

    /// The shape both broadcast to (NumPy rules: aligned at the end, size 1 stretches).
    public static func broadcast(_ a: Shape, _ b: Shape, operation: String) throws -> Shape {
        if a == b { return a }
        let rank = max(a.rank, b.rank)
        var result = Shape(repeating: 1, rank: rank)
        for axis in 0..<rank {
            let i = axis - (rank - a.rank)
            let j = axis - (rank - b.rank)
            let x = i >= 0 ? a[i] : 1
            let y = j >= 0 ? b[j] : 1
            guard x == y || x == 1 || y == 1 else {
                throw BSSError(
                    operation, "shapes \(a) and \(b) do not broadcast: sizes \(x) and \(y) differ",
                    hint: "sizes must be equal or 1, aligned at the last axis")
            }
            result[axis] = x == 1 ? y : x
        }
        return result
    }
}
