import BSSCore
import BSSNetworks

/// Trainings on the side: whatever they do to model and optimizer is undone.
final class Probes {
    private let loop: BatchLoop
    private let order: SampleOrder
    private let schedule: LearningRateSchedule

    init(_ loop: BatchLoop, _ order: SampleOrder, _ schedule: LearningRateSchedule) {
        (self.loop, self.order, self.schedule) = (loop, order, schedule)
    }

    /// Runs `body` on a fork of the training.
    func fork<R>(_ body: () throws -> R) throws -> R {
        let (model, optimizer, state) = (loop.model, loop.optimizer, loop.state)
        let before = try Snapshot(model, optimizer, nil)
        let (steps, frozen, groups) = (state.step, model.frozen, optimizer.groups)
        let result = Result { try body() }
        optimizer.groups = groups
        try before.restore(optimizer)
        (state.step, model.frozen) = (steps, frozen)
        return try result.get()
    }

    /// One epoch of the scheduler's plan, at the schedule's rate, with other sub-steps than the method's.
    func train(_ epoch: Int, _ steps: [SubStep]) throws {
        let plan = try order.plan(epoch)
        try train(
            epoch, SamplePlan(positions: plan.indices, weights: plan.weights), dropsLast: plan.dropsLast, steps)
    }

    func train(_ epoch: Int, _ plan: SamplePlan, dropsLast: Bool = false, _ steps: [SubStep]) throws {
        let rate = loop.optimizer.learningRate
        loop.optimizer.learningRate = schedule.rate(epoch: epoch)
        defer { loop.optimizer.learningRate = rate }
        loop.state.extraSamples += try loop.run(plan, dropsLast: dropsLast, epoch, BatchHooks { _ in steps }).rows.count
    }
}
