import BSSBackend
import BSSCore
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSNetworks

/// A step that broke moves nothing, and its log says which it was.
@Suite(.oneAtATime) struct BrokenStepTests {
    private static func log() throws -> Tensor { try Tensor.from(StepLog.empty) }

    private static func step(_ optimizer: Optimizer, _ values: [[Float]], scale: Tensor? = nil, log: Tensor?) throws {
        let gradients = try Given.gradients(
            zip(optimizer.parameters(nil), values).map { ($0.parameter, try Tensor.from($1)) })
        try optimizer.step(gradients, scale: scale, log: log)
    }

    private static func optimizer(_ part: String) throws -> Optimizer {
        let parameters = try (0..<2).map { ("p\($0)", try Parameter([40_000], .constant(0.5))) }
        var stream = RandomStream(seed: 1, name: "none")
        for (_, parameter) in parameters { try parameter.initialize(using: &stream) }
        let options = Table(fields: [("learning_rate", .number(0.1))])
        return try Configured<OptimizerRecipe>(part, options).product.make([
            ParameterGroup(scope: .fusion, parameters: parameters)
        ])
    }

    private static func values(_ optimizer: Optimizer) throws -> [[Float]] {
        try optimizer.parameters(nil).map { try $0.parameter.value.values() }
    }

    private static let good = [Float](repeating: 1, count: 40_000)

    @Test(arguments: ["sgd", "adam", "adamw", "rmsprop"], [Float.nan, .infinity, -.infinity])
    func aBadGradientMovesNothing(part: String, bad: Float) throws {
        let optimizer = try Self.optimizer(part)
        let log = try Self.log()
        try Self.step(optimizer, [Self.good, Self.good], log: log)
        try log.backend.logStep(samples: 3, log: log.view)
        let before = try Self.values(optimizer)
        #expect(before[0][0] < 0.5)
        var spoilt = Self.good
        spoilt[39_999] = bad
        try Self.step(optimizer, [Self.good, spoilt], log: log)
        try log.backend.logStep(samples: 3, log: log.view)
        try Self.step(optimizer, [Self.good, Self.good], log: log)
        #expect(try Self.values(optimizer) == before)
        let read = StepLog(try log.values())
        #expect(read.bad?.step == 1 && read.bad?.loss == 0 && read.samples == 3 && read.steps == 2)
        // Who keeps no log gets what was asked for.
        try Self.step(optimizer, [Self.good, Self.good], log: nil)
        #expect(try Self.values(optimizer) != before)
    }

    @Test func theLogAddsUpWhatWasGood() throws {
        let log = try Self.log()
        for (losses, samples) in [([0.5, 0.25], 4), ([2], 2), ([.nan], 4), ([.infinity], 4), ([1], 4)] {
            for loss in losses { try log.backend.logLoss(Tensor.scalar(loss).view, log: log.view) }
            try log.backend.logStep(samples: samples, log: log.view)
        }
        let read = StepLog(try log.values())
        #expect(read.lossSum == 0.75 * 4 + 2 * 2 && read.samples == 6 && read.steps == 5 && read.lastLoss == 1)
        #expect(read.bad?.step == 2 && read.bad?.loss.isNaN == true)
    }

    @Test("clipping on the device gives the bits of clipping first", arguments: ["sgd", "adam"], [0.01, 1e9])
    func clippedOnTheDevice(part: String, limit: Double) throws {
        let gradients: [[Float]] = (0..<2).map { part in (0..<40_000).map { Float(($0 * 7 + part) % 13) * 0.37 - 2 } }
        let (first, second) = (try Self.optimizer(part), try Self.optimizer(part))
        func given(_ optimizer: Optimizer) throws -> Gradients {
            try Given.gradients(zip(optimizer.parameters(nil), gradients).map { ($0.parameter, try Tensor.from($1)) })
        }
        var clipped = try given(first)
        try clipped.clip(norm: limit, first.parameters(nil).map(\.parameter))
        try first.step(clipped)
        let whole = try given(second)
        try second.step(whole, scale: whole.clippingFactor(norm: limit, second.parameters(nil).map(\.parameter)))
        #expect(try Self.values(first) == Self.values(second))
    }
}
