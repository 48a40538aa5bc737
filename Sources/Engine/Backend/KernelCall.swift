import BSSCore

/// The element types that a kernel is written for.
public struct DTypes: OptionSet, Sendable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }
    public init(_ dtype: DType) { rawValue = 1 << dtype.rawValue }

    public static let int64 = DTypes(.int64), bool = DTypes(.bool)
    public static let floats: DTypes = [DTypes(.float32), DTypes(.float64)]
    public static let numbers: DTypes = [.floats, DTypes(.int64)]
    /// What kernels compute on.
    public static let computed: DTypes = [.numbers, DTypes(.bool)]
    /// What is moved and converted.
    public static let any: DTypes = [.computed, DTypes(.float16), DTypes(.bfloat16)]

    public func contains(_ dtype: DType) -> Bool { rawValue >> dtype.rawValue & 1 == 1 }
    var names: String {
        DType.allCases.filter { contains($0) }.map(\.name).joined(separator: ", ")
    }
}

/// The one door between arrays and kernels. A kernel believes the dtype and the sizes it is told; a pointer is handed
/// out only after its dtype, its layout and the end of its memory were looked at. No op can make a kernel overrun.
public struct KernelCall {
    public let name: StaticString
    /// Of the elements that the kernel works on.
    public let dtype: DType

    /// - Throws: a dtype for which there is no such kernel.
    @inlinable
    public init(_ name: StaticString, _ first: ArrayView, _ allowed: DTypes = .floats) throws {
        self.name = name
        dtype = first.dtype
        if !allowed.contains(first.dtype) { throw KernelCall.refusal(name, first, allowed) }
    }

    /// The memory of `count` elements of the call's dtype that lie without gaps.
    @inlinable
    public func memory(_ view: ArrayView, _ count: Int) throws -> UnsafeMutableRawPointer {
        try checked(view, dtype, count)
    }

    @inlinable
    public func memory(ifAny view: ArrayView?, _ count: Int) throws -> UnsafeMutableRawPointer? {
        try view.map { try checked($0, dtype, count) }
    }

    /// The memory of `count` elements that lie without gaps in any order of the axes: what is updated in place.
    @inlinable
    public func buffer(_ view: ArrayView, _ count: Int) throws -> UnsafeMutableRawPointer {
        if view.dtype != dtype { throw mismatch(view, "needs \(dtype.name)") }
        if view.elementCount != count { throw mismatch(view, "needs \(count) elements") }
        if count > 0, view.offset < 0 || view.offset + count > view.storage.byteCount / dtype.byteSize {
            throw mismatch(view, "reaches beyond its memory")
        }
        return handedOut(view)
    }

    @inlinable
    public func buffer(ifAny view: ArrayView?, _ count: Int) throws -> UnsafeMutableRawPointer? {
        try view.map { try buffer($0, count) }
    }

    @inlinable
    public func integers(_ view: ArrayView, _ count: Int) throws -> UnsafeMutablePointer<Int64> {
        try checked(view, .int64, count).assumingMemoryBound(to: Int64.self)
    }

    @inlinable
    public func doubles(_ view: ArrayView, _ count: Int) throws -> UnsafeMutablePointer<Double> {
        try checked(view, .float64, count).assumingMemoryBound(to: Double.self)
    }

    /// A view of any strides and of this shape and dtype (nil: the call's), whose elements all lie in its memory.
    @inlinable
    public func strided(_ view: ArrayView, _ dtype: DType? = nil, like shape: Shape? = nil) throws -> ArrayView {
        if view.dtype != dtype ?? self.dtype { throw mismatch(view, "needs \((dtype ?? self.dtype).name)") }
        if let shape, shape != view.shape { throw mismatch(view, "needs shape \(shape)") }
        if !view.liesInStorage { throw mismatch(view, "reaches beyond its memory") }
        _ = handedOut(view)
        return view
    }

    /// Matrices of `rows` rows `leading` apart, `batch` of them `step` apart.
    @inlinable
    public func matrices(
        _ view: ArrayView, rows: Int, columns: Int, leading: Int, batch: Int = 1, step: Int = 0
    ) throws -> UnsafeMutableRawPointer {
        if view.dtype != dtype { throw mismatch(view, "needs \(dtype.name)") }
        if rows > 0, columns > 0, batch > 0 {
            let last = view.offset + (batch - 1) * step + (rows - 1) * leading + columns
            if view.offset < 0 || leading < 0 || step < 0 || last > view.storage.byteCount / dtype.byteSize {
                throw mismatch(view, "reaches beyond its memory")
            }
        }
        return handedOut(view)
    }

    @inlinable
    func checked(_ view: ArrayView, _ dtype: DType, _ count: Int) throws -> UnsafeMutableRawPointer {
        if view.dtype != dtype { throw mismatch(view, "needs \(dtype.name)") }
        if count < 0 || view.elementCount < count { throw mismatch(view, "needs \(count) elements") }
        if !view.isContiguous { throw mismatch(view, "needs rows without gaps") }
        if count > 0, view.offset < 0 || view.offset + count > view.storage.byteCount / dtype.byteSize {
            throw mismatch(view, "reaches beyond its memory")
        }
        return handedOut(view)
    }

    /// A recorded call may hold on to the address: the memory stays.
    @inlinable
    func handedOut(_ view: ArrayView) -> UnsafeMutableRawPointer {
        if KernelCall.isWatched { KernelCall.keep(view.storage) }
        return view.address
    }

    @usableFromInline
    func mismatch(_ view: ArrayView, _ what: String) -> BSSError {
        BSSError("\(name)", "the kernel \(what), got \(view.dtype.name) \(view.shape) with strides \(view.strides)")
    }

    @usableFromInline
    static func refusal(_ name: StaticString, _ view: ArrayView, _ allowed: DTypes) -> BSSError {
        BSSError(
            "\(name)", "takes \(allowed.names), got \(view.dtype.name) \(view.shape)", hint: "convert it with :to()")
    }
}

extension KernelCall {
    /// Who is told of every call; nil: nobody.
    @exclusivity(unchecked) nonisolated(unsafe) public private(set) static var observer: (any KernelObserver)? {
        didSet { isWatched = observer != nil || recording != nil }
    }
    /// What keeps the calls.
    @exclusivity(unchecked) nonisolated(unsafe) static var recording: Recording? {
        didSet { isWatched = observer != nil || recording != nil }
    }
    /// One of them is there.
    @exclusivity(unchecked) nonisolated(unsafe) public private(set) static var isWatched = false

    @usableFromInline
    static func keep(_ storage: Storage) { recording?.memory.keep(storage) }

    /// Said by a backend of draws from a stream: how far on they are when they are made again.
    public static func draws(key: UInt64) -> Recording.Draws? { recording?.draws(key: key) }

    /// Said by a backend of every storage that it makes, while somebody watches.
    public static func allocated(_ storage: Storage) {
        observer?.allocation(bytes: storage.byteCount)
        recording?.allocated(storage)
    }

    /// A block of that size that a recording has and does not use, for a backend to take while somebody watches.
    public static func recycled(_ byteCount: Int, of backend: any Backend) -> UnsafeMutableRawPointer? {
        recording?.memory.recycled(byteCount, of: backend)
    }

    /// Asked by a backend before it takes a block back, while somebody watches: whether a recording keeps it.
    public static func recycles(
        _ address: UnsafeMutableRawPointer, _ byteCount: Int, of backend: any Backend
    ) -> Bool {
        recording?.memory.recycles(address, byteCount, of: backend) ?? false
    }

    /// Whether calls are kept, to be made again.
    public static var isRecorded: Bool { recording?.isComplete ?? false }

    /// Said by a backend whose calls are many kernels or depend on numbers of the host: how this part is made again.
    public static func add(_ call: @escaping () throws -> Int32, on backend: any Backend) {
        recording?.add(call, on: backend)
    }

    /// `body` with this observer; an outer one rests meanwhile.
    public static func observed<T>(by observer: any KernelObserver, _ body: () throws -> T) rethrows -> T {
        let outer = KernelCall.observer
        KernelCall.observer = observer
        defer { KernelCall.observer = outer }
        return try body()
    }
}

extension Backend {
    /// The host looks at values where they lie. Nothing runs; another device would have to be waited for.
    @inline(__always)
    public func hostReads(_ elements: Int) throws { try runOnce("read", writes: elements, 0) }

    /// Every call to a kernel: runs it, turns its status into an error, and tells who observes or records.
    ///
    /// `kernel` gives what runs it: `{ bss_gemm(…) }`. Addresses from a `KernelCall` stay good as long as it may run.
    @inline(__always)
    public func run(
        _ name: @autoclosure () -> String, writes elements: @autoclosure () -> Int,
        _ kernel: @autoclosure () -> (() throws -> Int32)
    ) throws {
        guard KernelCall.isWatched else { return try Cancellation.checkKernel(kernel()(), name()) }
        let call = kernel()
        KernelCall.recording?.add(call, on: self)
        try watched(name(), elements(), call)
    }

    /// A call that a recording cannot make again: numbers come from the host or go there.
    @inline(__always)
    public func runOnce(
        _ name: @autoclosure () -> String, writes elements: @autoclosure () -> Int,
        _ kernel: @autoclosure () throws -> Int32
    ) throws {
        guard KernelCall.isWatched else { return try Cancellation.checkKernel(kernel(), name()) }
        KernelCall.recording?.spoil()
        try watched(name(), elements(), kernel)
    }

    /// A call that says itself how it is made again (`KernelCall.add`).
    @inline(__always)
    public func runKept(
        _ name: @autoclosure () -> String, writes elements: @autoclosure () -> Int,
        _ kernel: @autoclosure () throws -> Int32
    ) throws {
        guard KernelCall.isWatched else { return try Cancellation.checkKernel(kernel(), name()) }
        try watched(name(), elements(), kernel)
    }

    private func watched(_ name: String, _ elements: Int, _ kernel: () throws -> Int32) throws {
        func make() throws { try Cancellation.checkKernel(kernel(), name) }
        guard let observer = KernelCall.observer else { return try make() }
        try observer.call(name, elements: elements, on: self, make)
    }
}

extension ArrayView {
    /// Whether the first and the last address that its strides reach lie in its memory.
    @inlinable
    public var liesInStorage: Bool {
        var low = offset
        var high = offset
        for axis in 0..<shape.rank {
            let size = shape[axis]
            if size == 0 { return true }
            let reach = (size - 1) * strides[axis]
            if reach < 0 { low += reach } else { high += reach }
        }
        return low >= 0 && high < storage.byteCount / dtype.byteSize
    }
}
