import BSSBackend
import BSSCore

/// An n-dimensional array with its place in the autograd graph. Values never change once made.
///
/// Layout is strided: views (transpose, slice, expand) share storage. Axes are 0-based here and may count from the
/// end (-1 = last); scripts use 1-based axes.
public final class Tensor {
    public let view: ArrayView
    /// The operation that made it, if derivatives are being recorded; a leaf node if it is a parameter.
    /// Settable for `bss.grad`, which makes plain tensors leaves while their function runs.
    public internal(set) var node: Node?

    public init(_ view: ArrayView, node: Node? = nil) {
        self.view = view
        self.node = node
        Tensor.liveCount += 1
    }

    deinit { Tensor.liveCount -= 1 }

    /// Tensors alive now, for leak tests.
    @exclusivity(unchecked) public private(set) static var liveCount = 0

    public var shape: Shape { view.shape }
    public var rank: Int { view.shape.rank }
    public var dtype: DType { view.dtype }
    public var elementCount: Int { view.elementCount }
    public var backend: any Backend { view.storage.backend }
    public var requiresGradient: Bool { node != nil }

    /// The same values outside the graph.
    public var detached: Tensor { node == nil ? self : Tensor(view) }

    /// A leaf with these values: `backward()` reports its gradient.
    public func requiringGradient() throws -> Tensor {
        guard dtype.isReal else {
            throw BSSError("requires_grad", "only float tensors have gradients, got \(dtype.name)")
        }
        return Tensor(view, node: Node.leaf())
    }

    // MARK: Making

    /// Uninitialised memory for a result.
    public static func allocate(_ shape: Shape, _ dtype: DType, on backend: any Backend) throws -> ArrayView {
        let (bytes, overflows) = shape.elementCount.multipliedReportingOverflow(by: dtype.byteSize)
        if overflows || !shape.isRepresentable { throw shape.tooLarge("tensor") }
        return ArrayView(storage: try backend.allocate(byteCount: bytes), shape: shape, dtype: dtype)
    }

    public static func full(
        _ shape: Shape, _ value: Double, _ dtype: DType = .float32, on backend: any Backend = Devices.current
    ) throws -> Tensor {
        let out = try allocate(shape, dtype, on: backend)
        try backend.fill(out, value)
        return Tensor(out)
    }

    public static func zeros(
        _ shape: Shape, _ dtype: DType = .float32, on backend: any Backend = Devices.current
    ) throws -> Tensor {
        try full(shape, 0, dtype, on: backend)
    }

    public static func ones(
        _ shape: Shape, _ dtype: DType = .float32, on backend: any Backend = Devices.current
    ) throws -> Tensor {
        try full(shape, 1, dtype, on: backend)
    }

    public static func scalar(
        _ value: Double, _ dtype: DType = .float32, on backend: any Backend = Devices.current
    ) throws -> Tensor {
        try full(Shape(), value, dtype, on: backend)
    }

    /// From row-major values; `T` must be the Swift type of `dtype`'s elements or convertible by `copy`.
    public static func from<T: TensorElement>(
        _ values: [T], _ shape: Shape, on backend: any Backend = Devices.current
    ) throws -> Tensor {
        guard values.count == shape.elementCount else {
            throw BSSError("tensor", "shape \(shape) needs \(shape.elementCount) values, got \(values.count)")
        }
        return try values.withUnsafeBufferPointer { try from($0, shape, on: backend) }
    }

    public static func from<T: TensorElement>(
        _ values: UnsafeBufferPointer<T>, _ shape: Shape, on backend: any Backend = Devices.current
    ) throws -> Tensor {
        let out = try allocate(shape, T.dtype, on: backend)
        try backend.upload(UnsafeRawBufferPointer(values), to: out)
        return Tensor(out)
    }

    /// Values that stay as they are, where they lie in the memory of the CPU; copied to another device.
    public static func resident<T: TensorElement>(
        _ values: [T], _ shape: Shape, on backend: any Backend = Devices.current
    ) throws -> Tensor {
        guard backend.device == .cpu, values.count == shape.elementCount, !values.isEmpty else {
            return try from(values, shape, on: backend)
        }
        // An array's elements have one address as long as somebody holds the array and nobody changes it.
        let owner = ArrayOwner(values)
        let storage = owner.values.withUnsafeBytes { bytes in
            bytes.baseAddress.map {
                Storage(
                    address: UnsafeMutableRawPointer(mutating: $0), byteCount: bytes.count, backend: backend,
                    owner: owner)
            }
        }
        guard let storage else { return try from(values, shape, on: backend) }
        return Tensor(ArrayView(storage: storage, shape: shape, dtype: T.dtype))
    }

    public static func from<T: TensorElement>(_ values: [T], on backend: any Backend = Devices.current) throws -> Tensor
    {
        try from(values, [values.count], on: backend)
    }

    /// With row-major values that `body` writes: in place in the memory of the CPU, else through a buffer.
    public static func written<T: TensorElement>(
        _ shape: Shape, on backend: any Backend = Devices.current,
        _ body: (UnsafeMutableBufferPointer<T>) throws -> Void
    ) throws -> Tensor {
        let out = try allocate(shape, T.dtype, on: backend)
        let count = shape.elementCount
        if backend.device == .cpu {
            try body(UnsafeMutableBufferPointer(start: out.address.assumingMemoryBound(to: T.self), count: count))
        } else {
            try withUnsafeTemporaryAllocation(of: T.self, capacity: max(count, 1)) { buffer in
                try body(UnsafeMutableBufferPointer(rebasing: buffer[0..<count]))
                try backend.upload(
                    UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[0..<(count * T.dtype.byteSize)]),
                    to: out)
            }
        }
        return Tensor(out)
    }

    // MARK: Reading

    /// Row-major values, converted to `T`.
    public func values<T: TensorElement>(_ type: T.Type = T.self) throws -> [T] {
        let source = try converted(to: T.dtype).contiguous()
        return try [T](unsafeUninitializedCapacity: elementCount) { buffer, count in
            try backend.download(
                source.view,
                to: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: elementCount * T.dtype.byteSize))
            count = elementCount
        }
    }

    /// Row-major values of type `T`, read in place where they lie so in the memory of the CPU: a call "read" of a
    /// profile.
    public func withValues<T: TensorElement, R>(_ body: (UnsafeBufferPointer<T>) throws -> R) throws -> R {
        guard backend.device == .cpu, dtype == T.dtype, view.isContiguous else {
            return try values(T.self).withUnsafeBufferPointer(body)
        }
        defer { withExtendedLifetime(self) {} }
        try backend.hostReads(elementCount)
        return try body(UnsafeBufferPointer(start: view.address.assumingMemoryBound(to: T.self), count: elementCount))
    }

    /// The only element.
    public func item() throws -> Double {
        guard elementCount == 1 else { throw BSSError("item", "needs a tensor of one element, got shape \(shape)") }
        switch dtype {
        case .float32: return try withValues { (x: UnsafeBufferPointer<Float>) in Double(x[0]) }
        default: return try values(Double.self)[0]
        }
    }

    // MARK: Layout and type

    /// What operations compute on: halves as f32.
    var computing: Tensor { get throws { try converted(to: dtype.computing) } }

    /// Row-major without gaps; itself if it already is.
    public func contiguous() throws -> Tensor {
        if view.isContiguous { return self }
        let out = try Tensor.allocate(shape, dtype, on: backend)
        try backend.copy(view, out: out)
        return recorded("contiguous", out, self) { [$0] }
    }

    /// One axis of all elements, as they lie in memory where that has no gaps, whatever order the axes have there: for
    /// sums that know none. Outside the graph.
    public func inMemoryOrder() throws -> Tensor {
        let isDense = view.isContiguous || view.resultStrides == view.strides
        return Tensor(try (isDense ? view : contiguous().view).shaped([elementCount]))
    }

    /// The same values in memory of their own, laid out the same way; outside the graph.
    public func duplicate() throws -> Tensor {
        var out = try Tensor.allocate(shape, dtype, on: backend)
        if shape.indices.allSatisfy({ view.strides[$0] != 0 || shape[$0] == 1 }) { out.strides = view.strides }
        try backend.copy(view, out: out)
        return Tensor(out)
    }

    /// Writes `values`, which stretch to this shape, over these; outside the graph. What holds the old ones for its
    /// gradient refuses to go back afterwards.
    /// - Throws: another shape, a result of recorded operations, or a view whose elements share memory.
    public func assign(_ values: Tensor) throws {
        guard values.shape == shape || values.rank == 0 else {
            throw BSSError("assign", "shape \(shape) cannot take values of shape \(values.shape)")
        }
        guard node?.isLeaf ?? true else {
            throw BSSError(
                "assign", "this tensor is the result of recorded operations: its gradient would belong to other values",
                hint: "assign to a tensor made with requires_grad, or to :detach() of this one")
        }
        guard !shape.indices.contains(where: { view.strides[$0] == 0 && shape[$0] > 1 }) else {
            throw BSSError("assign", "elements of this expanded tensor share memory", hint: "call :contiguous() first")
        }
        var source = values.view
        if source.storage === view.storage { source = try values.duplicate().view }
        try backend.copy(source.broadcast(to: shape), out: view)
        view.storage.markChanged()
    }

    /// The values as another dtype. Gradients flow between float types.
    public func converted(to target: DType) throws -> Tensor {
        if dtype == target { return self }
        let out = try Tensor.allocate(shape, target, on: backend)
        try backend.copy(view, out: out)
        guard target.isReal else { return Tensor(out) }
        let source = dtype
        return recorded("to", out, self) { [try $0.converted(to: source)] }
    }
}

private final class ArrayOwner<Element> {
    let values: [Element]
    init(_ values: [Element]) { self.values = values }
}

/// Swift types that are tensor elements.
public protocol TensorElement { static var dtype: DType { get } }
extension Float: TensorElement { public static var dtype: DType { .float32 } }
extension Double: TensorElement { public static var dtype: DType { .float64 } }
extension Int: TensorElement { public static var dtype: DType { .int64 } }
extension Bool: TensorElement { public static var dtype: DType { .bool } }
