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
    /// What the pullback reads, as it was when the operation ran.
    private let saved: [SavedStorage]
    /// Later operations have larger numbers; backward runs from large to small.
    let order: UInt64
    /// Position in the running backward pass, -1 outside.
    @exclusivity(unchecked) var slot = -1
    /// Of a leaf: where the last pass put its gradient.
    @exclusivity(unchecked) var place = 0

    @exclusivity(unchecked) private static var counter: UInt64 = 0

    init(_ name: StaticString, _ inputs: [Node?], saves: [ArrayView] = [], _ pullback: Pullback?) {
        self.name = name
        self.inputs = inputs
        self.pullback = pullback
        saved = saves.map { SavedStorage(storage: $0.storage, version: $0.storage.version) }
        Node.counter += 1
        order = Node.counter
    }

    static func leaf() -> Node { Node("leaf", [], nil) }
    var isLeaf: Bool { pullback == nil }

    /// - Throws: a value that the pullback reads was written over since; its gradient would be of nothing that was
    ///   computed.
    func checkSaved() throws {
        for one in saved where one.storage.version != one.version {
            throw BSSError(
                "backward",
                "a tensor that '\(name)' needs for its gradient was changed in place after it was used "
                    + "(version \(one.storage.version), expected \(one.version))",
                hint: "call :assign after backward, or compute with a copy")
        }
    }

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

private struct SavedStorage {
    let storage: Storage
    let version: Int
}

/// Whether operations are being recorded.
public enum Autograd {
    @exclusivity(unchecked) public private(set) static var isRecording = true

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
    /// Wraps a result; with recording on and an input in the graph, links it with its pullback, which reads `saves`.
    @inline(__always)
    func recorded(
        _ name: StaticString, _ out: ArrayView, _ input: Tensor, saves: @autoclosure () -> [ArrayView] = [],
        _ pullback: @escaping Node.Pullback
    ) -> Tensor {
        guard Autograd.isRecording, let node = input.node else { return Tensor(out) }
        return Tensor(out, node: Node(name, [node], saves: saves(), pullback))
    }

    @inline(__always)
    static func recorded(
        _ name: StaticString, _ out: ArrayView, _ inputs: [Tensor], saves: @autoclosure () -> [ArrayView] = [],
        _ pullback: @escaping Node.Pullback
    ) -> Tensor {
        guard Autograd.isRecording, inputs.contains(where: { $0.node != nil }) else { return Tensor(out) }
        return Tensor(out, node: Node(name, inputs.map(\.node), saves: saves(), pullback))
    }
}
