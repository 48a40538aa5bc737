import BSSBackend
import BSSCore
import BSSTensor

/// Modules one after another; children are named "0", "1", …
public final class Sequential: Module {
    private var steps: [Module] = []
    public init(_ modules: [Module]) {
        super.init()
        for module in modules { append(module) }
    }
    public func append(_ module: Module) { steps.append(add(String(steps.count), module)) }
    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try steps.reduce(x) { try $1($0, context) }
    }
}

/// An element-wise activation by its field name.
public final class Activation: Module {
    public static let names = ["relu", "gelu", "tanh", "sigmoid", "silu", "leaky_relu", "elu", "quick_gelu", "none"]
    private let name: String
    public init(_ name: String) {
        self.name = name
        super.init()
    }
    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        switch name {
        case "relu": return try x.relu()
        case "gelu": return try x.unary(.gelu)
        case "tanh": return try x.tanh()
        case "sigmoid": return try x.sigmoid()
        case "silu": return try x.unary(.silu)
        case "leaky_relu": return try x.unary(.leakyRelu, 0.01)
        case "quick_gelu": return try x.unary(.quickGelu)
        case "elu": return try x.unary(.elu, 1)
        default: return x
        }
    }
}

/// Zeroes each element with probability `rate` in training, scaling the rest by 1 / (1 - rate).
public final class Dropout: Module {
    private let rate: Double
    public init(rate: Double) {
        self.rate = rate
        super.init()
    }
    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        context.phase == .training ? try x.dropout(rate: rate, using: &context.random) : x
    }
}

/// [B, …] → [B, features]
public final class Flatten: Module {
    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try x.flattenedRows()
    }
}
