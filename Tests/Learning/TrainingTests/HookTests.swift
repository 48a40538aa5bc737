import BSSCore
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// What a hook sees, and what becomes of a wrong answer.
@Suite(.oneAtATime) struct HookTests {
    private func trainer(_ hooks: [(String, SwiftFunction)], _ source: any SampleSource) throws -> Trainer {
        var options = try SmallTraining.options(#"{"epochs": 2, "batch_size": 16}"#)
        let named = Table(fields: hooks.map { ($0, .function($1)) })
        options.rebalance = try Configured<RebalanceRecipe>("custom", named)
        return try Trainer(options, model: SmallTraining.model(source), source: source)
    }

    @Test("ctx.batch counts from 1 to ctx.batches, ctx.epoch from 1, ctx.t from 0")
    func counting() throws {
        var seen: [[Int]] = []
        let step = SwiftFunction { arguments in
            guard case .object(let context) = arguments[0] else { return [.null] }
            seen.append(
                try ["epoch", "t", "batch", "batches"].map {
                    try context.objectType.property($0)?.get(context).int ?? -1
                })
            return [.null]
        }
        let loss = SwiftFunction { arguments in
            _ = try step.call(arguments)
            guard let fused = arguments[1].table?["fused"]?.tensor else { return [.null] }
            return [.object(try fused.square().mean([1]))]
        }
        let source = try SmallTraining.data(samples: 60)
        let made = try trainer([("loss", loss)], source)
        _ = try made.run()
        let batches = (made.trainRows.count + 15) / 16
        #expect(seen == (1...2).flatMap { epoch in (1...batches).map { [epoch, epoch - 1, $0, batches] } })
    }

    @Test("a prediction whose total alone is NaN is an error that names it")
    func total() throws {
        let predict = SwiftFunction { arguments in
            guard let fused = arguments[1].table?["fused"]?.tensor else { return [.null] }
            return [.object(try fused.multiplied(by: .nan))]
        }
        let made = try trainer([("predict", predict)], SmallTraining.data(samples: 60))
        #expect { try made.run() } throws: {
            "\($0)".contains("'total' alone") && "\($0)".contains("hook 'predict'")
        }
    }

    @Test("streams tell what was drawn: key and blocks, more for more epochs, none for what draws nothing")
    func draws() throws {
        func blocks(_ epochs: Int) throws -> [String: Int] {
            let made = try SmallTraining.trainer(
                SmallTraining.data(samples: 90), #"{"epochs": \#(epochs)}"#,
                encoder: #"{"name": "mlp", "hidden": [8], "dropout": 0.3}"#)
            _ = try made.run()
            return Dictionary(
                uniqueKeysWithValues: made.streams.fields.map { ($0.key, $0.value.table?["blocks"]?.int ?? 0) })
        }
        let (one, two) = try (blocks(1), blocks(2))
        // An order of n takes (n + 1) / 2 blocks.
        #expect(one["order"] == (54 + 1) / 2 && two["order"] == 54)
        #expect(one["dropout"] ?? 0 > 0 && two["dropout"] == one["dropout"].map { 2 * $0 })
        #expect(Set(one.keys) == ["order", "dropout"])
    }
}
