/// A block of device memory; given back to its backend's pool when the last tensor using it goes.
public final class Storage {
    /// Host address, or device address of a GPU backend.
    public let address: UnsafeMutableRawPointer
    public let byteCount: Int
    /// How often its values were written over since they were made: what autograd compares before it reads them again.
    @exclusivity(unchecked) public private(set) var version = 0
    /// Where work on it goes. Backends live as long as the process.
    public unowned(unsafe) let backend: any Backend
    /// Whose memory it is, where not the backend's.
    private let owner: AnyObject?
    /// Integers in it are known to lie in 0 ..< this: indices are looked at once.
    @exclusivity(unchecked) public private(set) var indexLimit = Int.max

    /// With an `owner`: memory that stays as it is as long as that lives, and is nobody's to give back.
    public init(
        address: UnsafeMutableRawPointer, byteCount: Int, backend: any Backend, owner: AnyObject? = nil
    ) {
        self.address = address
        self.byteCount = byteCount
        self.backend = backend
        self.owner = owner
    }

    /// Said by whoever checked all of its integers, or copied them from such.
    public func markIndices(below limit: Int) { indexLimit = limit }

    /// Called by whatever writes over values that others may hold: `:assign`, an optimizer's step, loaded weights.
    public func markChanged() {
        version += 1
        indexLimit = .max
    }

    deinit { if owner == nil { backend.deallocate(address, byteCount: byteCount) } }
}

/// A strided view of a storage: what backends compute on. Strides count elements; 0 broadcasts, negative runs
/// backwards.
public struct ArrayView {
    public var storage: Storage
    /// Elements from the start of the storage to element [0, 0, …].
    public var offset: Int
    public var shape: Shape
    public var strides: Shape
    public var dtype: DType

    public init(storage: Storage, offset: Int = 0, shape: Shape, strides: Shape? = nil, dtype: DType) {
        self.storage = storage
        self.offset = offset
        self.shape = shape
        self.strides = strides ?? shape.contiguousStrides
        self.dtype = dtype
    }

    public var backend: any Backend { storage.backend }
    public var address: UnsafeMutableRawPointer { storage.address + offset * dtype.byteSize }
    public var elementCount: Int { shape.elementCount }

    /// Row-major without gaps (axes of size 1 do not matter).
    public var isContiguous: Bool {
        var step = 1
        var axis = shape.rank - 1
        while axis >= 0 {
            let size = shape[axis]
            if size == 0 { return true }
            if size != 1 {
                if strides[axis] != step { return false }
                step *= size
            }
            axis -= 1
        }
        return true
    }

    /// The same elements seen as `target`; new and stretched axes get stride 0. The caller has checked that it fits.
    public func broadcast(to target: Shape) -> ArrayView {
        if shape == target { return self }
        var view = self
        view.shape = target
        view.strides = Shape(repeating: 0, rank: target.rank)
        let lead = target.rank - shape.rank
        for axis in 0..<shape.rank {
            view.strides[axis + lead] = shape[axis] == 1 && target[axis + lead] != 1 ? 0 : strides[axis]
        }
        return view
    }
}
