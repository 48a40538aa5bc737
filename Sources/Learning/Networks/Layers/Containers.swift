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

/// An element-wise activation by its field name, with its usual parameters.
public final class Activation: Module {
    private static let ops = UnaryOp.allCases.filter(\.isActivation)
    public static let names = ops.map(\.name) + ["none"]
    private let op: UnaryOp?
    /// `name`: one of `names`.
    public init(_ name: String) {
        op = Activation.ops.first { $0.name == name }
        super.init()
    }
    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        guard let op else { return x }
        let values = op.parameters.map(\.standard) + [0, 0]
        return try x.unary(op, values[0], values[1])
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
