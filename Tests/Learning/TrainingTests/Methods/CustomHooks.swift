import BSSCore
import BSSTensor

@testable import BSSTraining

/// A function of a script, written in Swift.
final class SwiftFunction: Callable {
    private let body: ([Value]) throws -> [Value]
    let definition = "test"
    init(_ body: @escaping ([Value]) throws -> [Value]) { self.body = body }
    func call(_ arguments: [Value]) throws -> [Value] { try body(arguments) }
}

/// Functions for parts named `custom`, so that they take part in the tables over all parts.
enum CustomHooks {
    /// The options of a training, with the functions of its custom parts.
    static func completed(_ options: Table) -> Table {
        var options = options
        for (key, functions) in [("rebalance", all), ("scheduler", [reversed]), ("sample_loss", [squared])] {
            guard var part = options[key]?.table, part["name"]?.string == "custom" else { continue }
            for (name, function) in functions { part[name] = .function(function) }
            options[key] = .table(part)
        }
        return options
    }

    /// A scheduler: hard samples first where there are scores, else one half after the other, in turns.
    private static let reversed = (
        hook: "function",
        function: SwiftFunction { arguments in
            let scores = arguments[1].table?.items.compactMap(\.double) ?? []
            let t = arguments[0].int ?? 0
            guard !scores.isEmpty else { return [.list((1...48).map { .int(($0 * 7 + t) % 48 + 1) })] }
            return [.list(scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }.map { .int($0 + 1) })]
        }
    )

    /// A sample loss.
    private static let squared = (
        hook: "function",
        function: SwiftFunction { arguments in
            try arguments[0].tensor.map { [.object(try $0.square())] } ?? []
        }
    )

    /// Every hook of `bss.rebalance.custom` at once.
    private static let all: [(hook: String, function: SwiftFunction)] = [
        ("setup", SwiftFunction { _ in [] }),
        ("epoch", SwiftFunction { [.fields([($0[1].string ?? "", .int(1))])] }),
        ("plan", SwiftFunction { [$0[1]] }),
        (
            "loss",
            SwiftFunction { arguments in
                guard let fused = arguments[1].table?["fused"]?.tensor, let labels = arguments[2].tensor else {
                    return []
                }
                // Class positions count from 1 in scripts.
                let columns = try Tensor.from(labels.values(Int.self).map { $0 - 1 })
                return [.object(try Tensor.crossEntropy(fused, columns, reduction: .none))]
            }
        ),
        (
            "grads",
            SwiftFunction { arguments in
                let fusion = arguments[1].table?["fusion"]?.table ?? Table()
                let halved = try fusion.fields.compactMap { name, value in
                    try value.tensor.map { (name, Value.object(try $0.multiplied(by: 0.5))) }
                }
                return [.fields([("fusion", .fields(halved))])]
            }
        ),
        ("predict", SwiftFunction { [$0[1].table?["fused"] ?? .null] }),
    ]
}
