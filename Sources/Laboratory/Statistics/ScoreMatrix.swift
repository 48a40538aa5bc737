import BSSCore

/// Scores of one method: runs × tasks (Agarwal et al., Deep Reinforcement Learning at the Edge of the Statistical
/// Precipice, NeurIPS 2021). Intervals come from the stratified bootstrap: runs are drawn with replacement within each
/// task, by a named stream of the given seed.
public struct ScoreMatrix {
    public let runs: Int
    public let tasks: Int
    /// `[runs * tasks]`, row-major
    public let values: [Double]

    /// - Parameter values: `[runs * tasks]`, row-major
    public init(runs: Int, tasks: Int, _ values: [Double]) {
        precondition(values.count == runs * tasks)
        (self.runs, self.tasks, self.values) = (runs, tasks, values)
    }

    func task(_ t: Int) -> [Double] { (0..<runs).map { values[$0 * tasks + t] } }

    // MARK: Statistics

    /// Mean of the middle half of all scores.
    public var interquartileMean: Double { Statistics.interquartileMean(values) }
    public var mean: Double { Statistics.mean(values) }
    /// Median over tasks of the mean over runs.
    public var median: Double {
        Statistics.quantile((0..<tasks).map { Statistics.mean(task($0)) }, 0.5)
    }

    /// By how much scores fail to reach `goal` on average: goal - mean(min(x, goal)).
    public func optimalityGap(goal: Double = 1) -> Double {
        // min would let a NaN go
        Statistics.mean(values.map { $0.isNaN ? .nan : goal - Swift.min($0, goal) })
    }

    /// The share of all scores above τ: a point of the performance profile.
    public func profile(_ threshold: Double) -> Double {
        Statistics.hasNaN(values) ? .nan : Double(values.filter { $0 > threshold }.count) / Double(values.count)
    }

    /// The probability that a run of this method is above one of the other on a task, ties half, averaged over tasks.
    public func improvement(over other: ScoreMatrix) -> Double {
        Statistics.mean((0..<tasks).map { Statistics.superiority(task($0), other.task($0)) })
    }

    // MARK: Resampling

    func resampled(_ random: inout RandomStream) -> ScoreMatrix {
        var fresh = values
        for t in 0..<tasks {
            for r in 0..<runs { fresh[r * tasks + t] = values[random.integer(below: runs) * tasks + t] }
        }
        return ScoreMatrix(runs: runs, tasks: tasks, fresh)
    }

    /// Intervals of several statistics over the same resamples.
    public func intervals(
        level: Double = 0.95, resamples: Int = 2000, seed: UInt64 = 1, _ statistics: (ScoreMatrix) -> [Double]
    ) throws -> [Statistics.Interval] {
        try ScoreMatrix.intervals([self], level: level, resamples: resamples, seed: seed) { statistics($0[0]) }
    }

    /// The same of several methods, each resampled by a stream of its own.
    public static func intervals(
        _ methods: [ScoreMatrix], level: Double, resamples: Int, seed: UInt64, _ statistics: ([ScoreMatrix]) -> [Double]
    ) throws -> [Statistics.Interval] {
        let isUsable = methods.allSatisfy { Statistics.areFinite($0.values) && $0.runs > 1 }
        guard isUsable else { return statistics(methods).map { _ in .none } }
        var streams = methods.indices.map { RandomStream(seed: seed, name: "bootstrap.\($0 + 1)") }
        var found: [[Double]] = []
        for k in 0..<resamples {
            if k % 256 == 0 { try Cancellation.check("bootstrap") }
            found.append(statistics(methods.indices.map { methods[$0].resampled(&streams[$0]) }))
        }
        return (found.first ?? []).indices.map { i in
            Statistics.Interval(found.map { $0[i] }, level: level)
        }
    }
}
