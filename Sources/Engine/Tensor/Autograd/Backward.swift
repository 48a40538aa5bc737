import BSSBackend
import BSSCore

/// Gradients of one backward pass, by the leaf tensor (or parameter) they belong to.
public struct Gradients {
    private var entries: [(leaf: Node, gradient: Tensor?)] = []

    init() {}

    /// d output / d tensor; `nil` if the output does not depend on it.
    public subscript(tensor: Tensor) -> Tensor? {
        get {
            guard let node = tensor.node, let place = place(of: node) else { return nil }
            return entries[place].gradient
        }
        set {
            guard let node = tensor.node else { return }
            if let place = place(of: node) { entries[place].gradient = newValue } else { set(node, newValue) }
        }
    }

    mutating func set(_ leaf: Node, _ gradient: Tensor?) {
        leaf.place = entries.count
        entries.append((leaf, gradient))
    }

    /// A leaf knows where the last pass put its gradient; another pass is searched.
    private func place(of leaf: Node) -> Int? {
        if leaf.place < entries.count, entries[leaf.place].leaf === leaf { return leaf.place }
        return entries.firstIndex { $0.leaf === leaf }
    }

    public var count: Int { entries.reduce(0) { $0 + ($1.gradient == nil ? 0 : 1) } }
}

extension Tensor {
    /// Reverse-mode derivatives of this tensor with respect to every leaf it depends on.
    ///
    /// `upstream` (same shape) weighs the elements; a scalar defaults to 1. Gradients of gradients are not recorded.
    /// - Throws: no graph, a missing upstream for a non-scalar, or Ctrl-C.
    public func backward(_ upstream: Tensor? = nil) throws -> Gradients {
        guard let root = node else {
            throw BSSError(
                "backward", "this tensor does not depend on any parameter",
                hint: "compute it from tensors made with requires_grad")
        }
        let seed: Tensor
        if let upstream {
            guard upstream.shape == shape else {
                throw BSSError("backward", "upstream has shape \(upstream.shape), the tensor \(shape)")
            }
            seed = upstream.detached
        } else {
            guard elementCount == 1 else {
                throw BSSError(
                    "backward", "needs a scalar, got shape \(shape)", hint: "reduce with :sum() or :mean() first")
            }
            seed = try Tensor.full(shape, 1, dtype, on: backend)
        }
        return try Autograd.withoutRecording { try BackwardPass(root).run(seed) }
    }
}

/// Visits the nodes below a root from the latest to the earliest, adding up gradients that meet.
private struct BackwardPass {
    private var nodes: [Node] = []

    init(_ root: Node) {
        var pending = [root]
        root.slot = 0
        while let node = pending.popLast() {
            nodes.append(node)
            for case let input? in node.inputs where input.slot < 0 {
                input.slot = 0
                pending.append(input)
            }
        }
        nodes.sort { $0.order > $1.order }
        for (index, node) in nodes.enumerated() { node.slot = index }
    }

    func run(_ seed: Tensor) throws -> Gradients {
        defer { for node in nodes { node.slot = -1 } }
        var gradients = Gradients()
        var pending = [Tensor?](repeating: nil, count: nodes.count)
        /// True where `pending` holds a sum of ours that may be added to in place.
        var isOwned = [Bool](repeating: false, count: nodes.count)
        pending[0] = seed
        for index in nodes.indices {
            guard let gradient = pending[index] else { continue }
            pending[index] = nil
            let node = nodes[index]
            guard let pullback = node.pullback else {
                gradients.set(node, gradient)
                continue
            }
            try Cancellation.check("backward")
            try node.checkSaved()
            for (input, part) in zip(node.inputs, try pullback(gradient)) {
                guard let input, var part else { continue }
                let slot = input.slot
                if let sum = pending[slot] {
                    part = try part.computing
                    if isOwned[slot] {
                        try sum.backend.accumulate(1, part.view, into: sum.view)
                    } else {
                        pending[slot] = try sum.adding(part)
                        isOwned[slot] = true
                    }
                } else {
                    pending[slot] = part
                }
            }
        }
        return gradients
    }
}

extension Autograd {
    /// d f() / d parameter for each parameter, zeros where f does not depend on it. Plain tensors are leaves while `f`
    /// runs.
    ///
    /// - Throws: what `f` throws, and a result that is not a scalar.
    public static func gradients(
        of function: () throws -> Tensor, _ parameters: [Tensor]
    ) throws -> (value: Tensor, gradients: [Tensor]) {
        let lent = parameters.filter { $0.node == nil }
        for tensor in lent {
            guard tensor.dtype.isReal else {
                throw BSSError("bss.grad", "only float tensors have gradients, got \(tensor.dtype.name)")
            }
            tensor.node = Node.leaf()
        }
        defer { for tensor in lent { tensor.node = nil } }
        let value = try function()
        guard value.elementCount == 1 else {
            throw BSSError(
                "bss.grad", "the function must return a scalar, got shape \(value.shape)",
                hint: "end with :sum() or :mean()")
        }
        let found = value.node == nil ? Gradients() : try value.backward()
        return (
            value.detached, try parameters.map { try found[$0] ?? Tensor.zeros($0.shape, $0.dtype, on: $0.backend) }
        )
    }
}
