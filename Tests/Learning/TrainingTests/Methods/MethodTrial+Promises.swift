import BSSCPU
import BSSCore
import BSSNetworks
import Testing

@testable import BSSTraining

/// What every method promises, whatever it does.
extension MethodTrial {
    static func bits(_ source: any SampleSource, _ options: String, threads: Int) throws -> String {
        CPUBackend.setThreads(threads)
        defer { CPUBackend.setThreads(CPUBackend.processorCount) }
        return SmallTraining.bits(try trainer(source, options).run())
    }

    /// Killed in each of some epochs (from 0) and resumed: the bits of a training that was not.
    static func expectResumes(_ source: any SampleSource, _ options: String, killedIn epochs: [Int]) throws {
        let whole = try trainer(source, options)
        let bits = SmallTraining.bits(try whole.run())
        let path = SmallTraining.temporaryFile("method-\(UInt(bitPattern: options.hashValue)).safetensors")
        defer { Files.remove(path) }
        for last in epochs {
            Files.remove(path)
            let killed = try trainer(source, options)
            killed.checkpoints.path = path
            killed.onEpoch = { record, _ in
                if record.epoch == last + 1 { throw Killed() }
                return true
            }
            #expect(throws: Killed.self) { try killed.run() }
            let again = try trainer(source, options)
            again.checkpoints.path = path
            #expect(
                SmallTraining.bits(try again.run(resumes: true)) == bits, "\(options), killed in epoch \(last + 1)")
            #expect(JSON.text(.table(again.streams)) == JSON.text(.table(whole.streams)), "draws, \(options)")
        }
    }

    /// Under every scheduler, killed after each epoch and resumed, and with other thread counts: the same bits.
    static func repeats(_ method: String, more: String = "") throws {
        let source = try data(2, samples: 90)
        for scheduler in schedulers {
            let options = options(method, scheduler, more: more)
            let whole = try bits(source, options, threads: 1)
            for threads in [2, 3] {
                #expect(try bits(source, options, threads: threads) == whole, "\(method), \(threads) threads")
            }
            try expectResumes(source, options, killedIn: [1, 2, 3])
        }
    }

    /// One, two and three modalities under every scheduler: trains, says what it did, and shows every planned sample.
    static func composes(_ method: String) throws {
        for modalities in 1...3 {
            let source = try data(modalities)
            for scheduler in schedulers.map({ scheduler($0, modalities: modalities) }) {
                let history = try trainer(source, options(method, scheduler, epochs: 2)).run().history
                let isFinite = history.allSatisfy { $0.test?.loss.isFinite ?? false }
                #expect(history.count == 2 && isFinite, "\(method), \(scheduler), \(modalities)")
                #expect(history.allSatisfy { $0.method?.isEmpty == false }, "\(method) reports nothing")
            }
        }
    }

    /// Test accuracy of the total output after a training that is long enough to learn the data; chance is 1/3.
    static func accuracy(
        _ method: String, modalities: Int, scheduler name: String = schedulers[0], epochs: Int = 16,
        more: String = #""optimizer": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9}"#
    ) throws -> Double {
        let result = try trainer(
            data(modalities, samples: 400),
            options(method, scheduler(name, modalities: modalities), epochs: epochs, more: more),
            encoder: #"{"name": "mlp", "hidden": [24]}"#
        ).run()
        return result.selections.last?.test?.total?.accuracy ?? .nan
    }

    static func learns(_ method: String) throws {
        for modalities in 1...3 {
            let accuracy = try accuracy(method, modalities: modalities, epochs: 12)
            print("\(method), \(modalities) modalities: test accuracy \(Text.fixed(accuracy, 3))")
            #expect(accuracy > 0.6, "\(method), \(modalities) modalities")
        }
    }

    /// How far training moves each encoder from its start, on a strong and a weak modality: √Σ (θ - θ₀)².
    static func movement(_ method: String, epochs: Int, more: String) throws -> (strong: Double, weak: Double) {
        let source = try SmallTraining.data(
            samples: 900,
            #"{"classes": 4, "modalities": {"strong": {"dim": 24, "noise": 0.12}, "#
                + #""weak": {"dim": 24, "noise": 0.2, "speed": 0.4}}}"#)
        let made = try trainer(
            source, options(method, epochs: epochs, more: more), encoder: #"{"name": "mlp", "hidden": [32]}"#)
        let names = ["encoder.strong.", "encoder.weak."]
        let before = try names.map { try weights(made.model, $0) }
        _ = try made.run()
        let moved = try zip(names, before).map { distance(try weights(made.model, $0), $1) }
        return (moved[0], moved[1])
    }

    static func distance(_ a: [Float], _ b: [Float]) -> Double {
        zip(a, b).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }.squareRoot()
    }
}

/// Runs a closure after every step.
final class StepObserver: TrainingObserver {
    private let body: (_ epoch: Int, _ step: Int) -> Void
    init(_ body: @escaping (Int, Int) -> Void) { self.body = body }
    func stepEnded(epoch: Int, step: Int, steps: Int, loss: () throws -> Double) { body(epoch, step) }
}

extension TrainingResult {
    /// Samples beyond those of the history: probe trainings.
    var extraSamples: Int { samples - history.reduce(0) { $0 + $1.samples } }
}

func isNear(_ a: Double, _ b: Double, _ tolerance: Double = 1e-6) -> Bool { abs(a - b) <= tolerance }
func isNear(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-6) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { isNear($0, $1, tolerance) }
}
