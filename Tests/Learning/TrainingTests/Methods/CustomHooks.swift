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

/// Every hook of `bss.rebalance.custom` at once, so that the method takes part in the tables over all methods.
enum CustomHooks {
    static let all: [(hook: String, function: SwiftFunction)] = [
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
