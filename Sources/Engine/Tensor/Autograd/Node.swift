import BSSBackend
import BSSCore

/// One recorded operation: where its inputs came from, and how a gradient passes back through it.
///
/// Pullbacks capture values only (detached tensors), never nodes: edges live in `inputs` alone, so that a graph of
/// any depth is released without recursion.
public final class Node {
    typealias Pullback = (Tensor) throws -> [Tensor?]

    let name: StaticString
    fileprivate(set) var inputs: [Node?]
    let pullback: Pullback?
    /// Later operations have larger numbers; backward runs from large to small.
    let order: UInt64
    /// Position in the running backward pass, -1 outside.
    var slot = -1

    private static var counter: UInt64 = 0

    init(_ name: StaticString, _ inputs: [Node?], _ pullback: Pullback?) {
        self.name = name
        self.inputs = inputs
        self.pullback = pullback
        Node.counter += 1
        order = Node.counter
    }

    static func leaf() -> Node { Node("leaf", [], nil) }
    var isLeaf: Bool { pullback == nil }

    deinit {
        var pending = inputs
        inputs = []
        while !pending.isEmpty {
            guard var node = pending.removeLast() else { continue }
            if isKnownUniquelyReferenced(&node) {
                pending.append(contentsOf: node.inputs)
                node.inputs = []
            }
        }
    }
}

/// Whether operations are being recorded.
public enum Autograd {
    public private(set) static var isRecording = true

    /// Runs `body` without recording: evaluation, scoring, optimizer steps.
    @discardableResult
    public static func withoutRecording<R>(_ body: () throws -> R) rethrows -> R {
        let before = isRecording
        isRecording = false
        defer { isRecording = before }
        return try body()
    }
}

extension Tensor {
    /// Wraps a result; with recording on and an input in the graph, links it with its pullback.
    @inline(__always)
    func recorded(
        _ name: StaticString, _ out: ArrayView, _ input: Tensor, _ pullback: @escaping Node.Pullback
    ) -> Tensor {
        guard Autograd.isRecording, let node = input.node else { return Tensor(out) }
        return Tensor(out, node: Node(name, [node], pullback))
    }

    @inline(__always)
    static func recorded(
        _ name: StaticString, _ out: ArrayView, _ inputs: [Tensor], _ pullback: @escaping Node.Pullback
    ) -> Tensor {
        guard Autograd.isRecording, inputs.contains(where: { $0.node != nil }) else { return Tensor(out) }
        return Tensor(out, node: Node(name, inputs.map(\.node), pullback))
    }
}
