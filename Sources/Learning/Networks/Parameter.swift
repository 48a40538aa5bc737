import BSSBackend
import BSSCore
import BSSTensor

/// What a parameter belongs to; methods choose parameters by scope, never by a piece of their name.
public enum Scope: Hashable, CustomStringConvertible {
    case encoder(String)
    case head(String)
    case fusion
    /// The part of the fusion that belongs to one modality's unimodal model: its classifier W_m in z = Σ_m (W_m h_m +
    /// b_m). Whoever names `fusion` means it as well.
    case summand(String)
    /// Added by a rebalancing method.
    case method

    public var description: String {
        switch self {
        case .encoder(let modality): return "encoder.\(modality)"
        case .head(let modality): return "head.\(modality)"
        case .fusion, .summand: return "fusion"
        case .method: return "method"
        }
    }

    /// The scope that it is a part of, or itself.
    public var whole: Scope { if case .summand = self { return .fusion } else { return self } }
}

extension Set<Scope> {
    /// True if the set has the scope, or the one that it is a part of.
    public func covers(_ scope: Scope) -> Bool { contains(scope) || contains(scope.whole) }
}

/// A trainable tensor. Its storage is updated in place by the optimizer and by nothing else.
public final class Parameter {
    /// A leaf of the graph.
    public private(set) var value: Tensor
    public let initializer: Initializer
    /// A matrix that the files of other programs hold turned.
    public let isTransposedInFiles: Bool

    /// `inKernelMemory`: a convolution weight, kept in the memory order that its kernels read.
    public init(
        _ shape: Shape, _ initializer: Initializer, inKernelMemory: Bool = false, isTransposedInFiles: Bool = false
    ) throws {
        self.initializer = initializer
        self.isTransposedInFiles = isTransposedInFiles
        let zeros = try Tensor.zeros(shape)
        value = try (inKernelMemory ? zeros.inKernelMemory() : zeros).requiringGradient()
    }

    /// Fills the parameter from its initialiser.
    public func initialize(_ override: Initializer? = nil, using stream: inout RandomStream) throws {
        try assign((override ?? initializer).values(value.shape, using: &stream))
    }

    /// Replaces the values; shape and dtype stay.
    public func assign(_ new: Tensor) throws {
        guard new.shape == value.shape else {
            throw BSSError("parameter", "shape \(value.shape) cannot take values of shape \(new.shape)")
        }
        try value.backend.copy(new.view, out: value.view)
        value.view.storage.markChanged()
    }

    /// Moves to another dtype (f64 for derivative checks).
    public func convert(to dtype: DType) throws { value = try value.detached.converted(to: dtype).requiringGradient() }
}

/// A tensor that is saved with the parameters but not trained: running statistics.
public final class StateTensor {
    public private(set) var value: Tensor
    public init(_ value: Tensor) { self.value = value }

    /// Replaces the values, in their memory.
    public func assign(_ new: Tensor) throws {
        guard new.shape == value.shape else {
            throw BSSError("buffer", "shape \(value.shape) cannot take values of shape \(new.shape)")
        }
        if new.dtype == value.dtype, new.backend === value.backend { return try value.assign(new.detached) }
        value = try new.detached.contiguous()
        Recording.spoil()
    }
}
