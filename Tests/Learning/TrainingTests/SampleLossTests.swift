import BSSBackend
import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// Curricula inside the loss: values, derivatives, and what moves.
@Suite(.oneAtATime) struct SampleLossTests {
    private func batch(
        _ count: Int, labels: [Int], positions: [Int]? = nil, inputs: [Tensor] = []
    ) throws -> TrainingBatch {
        TrainingBatch(
            inputs: inputs, labels: try Tensor.from(labels), positions: positions ?? Array(0..<count), weights: nil,
            keeps: nil)
    }

    /// A trainer with the sample loss, set up on small data.
    private func trainer(_ sampleLoss: String, _ more: String = "", samples: Int = 160) throws -> Trainer {
        try SmallTraining.trainer(
            SmallTraining.data(samples: samples),
            #"{"epochs": 1, "batch_size": 16, "sample_loss": \#(sampleLoss)\#(more)}"#)
    }

    /// d f / d x by central differences.
    private func slope(
        _ x: [Double], _ at: Int, step: Double = 1e-5, _ f: ([Double]) throws -> Double
    ) rethrows -> Double {
        var up = x
        var down = x
        up[at] += step
        down[at] -= step
        return (try f(up) - f(down)) / (2 * step)
    }

    // MARK: SuperLoss

    /// methods.md C8: tau = ln 10, lambda = 1.
    @Test func superloss_clamped_branch_finite() {
        let tau = Math.log(10)
        func loss(_ l: Double) -> (sigma: Double, loss: Double) {
            let sigma = SuperLoss.sigma(l, tau: tau, lambda: 1)
            return (sigma, (l - tau) * sigma + Math.log(sigma) * Math.log(sigma))
        }
        for (l, sigma, value) in [(4.0, 0.600637, 1.279390), (tau, 1, 0), (0.5, 2.71828, -3.899928)] {
            let got = loss(l)
            #expect(abs(got.sigma - sigma) < 1e-5 && abs(got.loss - value) < 1e-5, "\(l): \(got)")
        }
        for l in [0, 1e-9, 1, tau - 2 / Math.exp(1), tau - 2 / Math.exp(1) + 1e-13, 1e3, 1e6] {
            let got = loss(l)
            #expect(got.sigma.isFinite && got.loss.isFinite && got.sigma > 0 && got.sigma < 2.7183, "\(l)")
        }
    }

    @Test("Lambert's W solves w e^w = x from the branch point upwards")
    func lambert() {
        for x in [-Math.exp(-1) + 1e-9, -0.3678, -0.3, -0.1, -1e-9, 0, 1e-9, 0.1, 1, Math.exp(1), 10, 1e3, 1e8] {
            let w = SuperLoss.lambertW(x)
            #expect(w >= -1 && abs(w * Math.exp(w) - x) <= 1e-12 * max(1, abs(x)), "\(x): \(w)")
        }
        #expect(SuperLoss.lambertW(-1).isFinite && abs(SuperLoss.lambertW(-Math.exp(-1)) + 1) < 1e-5)
    }

    @Test("SuperLoss: its derivative is sigma, by finite differences and by backward; sigma minimises it")
    func superlossGradient() throws {
        let trainer = try trainer(#"{"name": "superloss", "tau": 1.2, "lambda": 0.7}"#)
        let losses = [0.05, 0.6, 1.2, 1.9, 5]
        func value(_ l: Double) -> Double {
            let sigma = SuperLoss.sigma(l, tau: 1.2, lambda: 0.7)
            return (l - 1.2) * sigma + 0.7 * Math.log(sigma) * Math.log(sigma)
        }
        let leaf = try Tensor.from(losses).requiringGradient()
        let terms = try #require(trainer.sampleLoss).applied(
            [LossTerm("fused", leaf, weight: 1)], batch(5, labels: [0, 1, 2, 0, 1]))
        let gradient = try #require(try terms.total(weights: nil).backward()[leaf]).values(Double.self)
        for (k, l) in losses.enumerated() {
            let sigma = SuperLoss.sigma(l, tau: 1.2, lambda: 0.7)
            #expect(abs(slope([l], 0) { value($0[0]) } - sigma) < 1e-6)
            #expect(abs(gradient[k] * 5 - sigma) < 1e-6)
            for other in [0.9, 1.1] {
                #expect(
                    (l - 1.2) * sigma * other + 0.7 * Math.log(sigma * other) * Math.log(sigma * other) > value(l)
                        - (l < 0.7 ? 10 : 1e-12))
            }
        }
    }

    @Test("SuperLoss on the total has tau = ln C times the loss weights; the running mean starts with the first batch")
    func superlossThreshold() throws {
        let total = try #require(try trainer(#"{"name": "superloss"}"#, #", "w_multi": 1, "w_uni": 0.5"#).sampleLoss)
        let uniform = try Tensor.from([Float](repeating: Float(Math.log(3)), count: 4))
        func terms() -> [LossTerm] {
            [
                LossTerm("fused", uniform, weight: 1), LossTerm("a", uniform, weight: 0.5),
                LossTerm("b", uniform, weight: 0.5),
            ]
        }
        for value in try total.applied(terms(), batch(4, labels: [0, 1, 2, 0]))[0].perSample.values(Double.self) {
            #expect(abs(value) < 1e-5)
        }
        let trainer = try trainer(#"{"name": "superloss", "tau": "running_mean", "newest": 0.25, "on": "each"}"#)
        let running = try #require(trainer.sampleLoss)
        for (loss, mean) in [(2.0, 2.0), (4, 2.5)] {
            _ = try running.applied([LossTerm("a", Tensor.from([loss, loss]), weight: 1)], batch(2, labels: [0, 1]))
            let state = try #require(trainer.model.buffers().first { $0.name.hasSuffix("sample_loss.tau.a") }).buffer
                .value.values(Double.self)
            #expect(state == [mean, 1])
        }
    }

    // MARK: Data parameters

    private func start(_ value: Double) -> String {
        #"{"name": "data_parameters", "instance_start": \#(value), "class_start": \#(value), "instance_rate": 0.5, "#
            + #""class_rate": 0.25}"#
    }

    /// methods.md C6: z = (2, 0, 0), y = 0.
    @Test("data parameters: .239545 at sigma = 1, .551445 at 2; the derivative .211942 at 2, and by finite differences")
    func data_parameters_values() throws {
        for (sigma, wanted) in [(1.0, 0.239545), (2, 0.551445)] {
            let loss = try #require(try trainer(start(sigma / 2)).sampleLoss)
            let z = try Tensor.from([2, 0, 0] as [Float], [1, 3]).requiringGradient()
            let batch = try batch(1, labels: [0], positions: [5])
            let terms = try loss.applied(
                [LossTerm("fused", Tensor.crossEntropy(z, batch.labels, reduction: .none), weight: 1, logits: z)], batch
            )
            #expect(try abs(terms[0].perSample.item() - wanted) < 1e-6)
            let gradients = try terms.total(weights: nil).backward()
            func at(_ sigma: Double, _ z: [Double]) -> Double {
                Math.log(z.reduce(0) { $0 + Math.exp($1 / sigma) }) - z[0] / sigma
            }
            // dL/du = dL/dsigma · exp(u), for the sample's u and the class's.
            let slopeOfSigma = slope([sigma], 0) { at($0[0], [2, 0, 0]) }
            if sigma == 2 { #expect(abs(slopeOfSigma - 0.211942) < 1e-6) }
            #expect(loss.leaves.count == 2)
            for leaf in loss.leaves {
                #expect(try abs(#require(gradients[leaf]).item() - slopeOfSigma * sigma / 2) < 1e-6)
            }
            let dz = try #require(gradients[z]).values(Double.self)
            for c in 0..<3 { #expect(abs(dz[c] - slope([2, 0, 0], c) { at(sigma, $0) }) < 1e-6) }
        }
    }

    @Test func data_parameters_sparse_update() throws {
        let trainer = try trainer(start(0.5))
        let loss = try #require(trainer.sampleLoss)
        func tables() throws -> [String: [Float]] {
            let tensors = trainer.model.stateTensors().filter { $0.name.contains("sample_loss") }
            return Dictionary(uniqueKeysWithValues: try tensors.map { ($0.name, try $0.tensor.values(Float.self)) })
        }
        let prefix = "method.sample_loss."
        let before = try tables()
        #expect(
            Set(before.keys)
                == Set(
                    ["instance.fused.values", "instance.fused.momentum", "class.fused.values", "class.fused.momentum"]
                        .map { prefix + $0 }))
        func step(_ positions: [Int], _ labels: [Int]) throws -> [Double] {
            let z = try Tensor.from(positions.flatMap { _ in [2, 0, 1] as [Float] }, [positions.count, 3])
            let batch = try batch(positions.count, labels: labels, positions: positions)
            let terms = try loss.applied(
                [LossTerm("fused", Tensor.crossEntropy(z, batch.labels, reduction: .none), weight: 1, logits: z)], batch
            )
            let gradients = try terms.total(weights: nil).backward()
            let found = try loss.leaves.map { try #require(gradients[$0]).values(Double.self) }
            try loss.update(gradients)
            return found[0]
        }
        // Sample 9 is there twice: its gradients add up.
        let first = try step([9, 4, 9], [0, 1, 0])
        let after = try tables()
        let u = try #require(after[prefix + "instance.fused.values"])
        let u0 = try #require(before[prefix + "instance.fused.values"])
        for i in u.indices where ![4, 9].contains(i) { #expect(u[i].bitPattern == u0[i].bitPattern, "\(i)") }
        #expect(
            abs(Double(u[4] - u0[4]) + 0.5 * (first[0] + 1e-8 * Double(u0[4]))) < 1e-6
                && abs(Double(u[9] - u0[9]) + 0.5 * first[1]) < 1e-6)
        let c = try #require(after[prefix + "class.fused.values"])
        let c0 = try #require(before[prefix + "class.fused.values"])
        #expect(c[2].bitPattern == c0[2].bitPattern && c[0] != c0[0] && c[1] != c0[1])
        // A later batch without sample 9: its momentum rests with it.
        _ = try step([4], [1])
        let last = try tables()
        for key in ["instance.fused.values", "instance.fused.momentum"] {
            #expect(
                last[prefix + key]![9].bitPattern == after[prefix + key]![9].bitPattern
                    && last[prefix + key]![4] != after[prefix + key]![4])
        }
    }

    @Test("data parameters stay within their bound; starts outside are taken in at the first update")
    func dataParametersBound() throws {
        let trainer = try trainer(#"{"name": "data_parameters", "instance_rate": 1000, "class_rate": 0}"#)
        _ = try trainer.run()
        let u = try #require(trainer.model.parameters().first { $0.name.hasSuffix("instance.fused.values") }).parameter
            .value.values(Double.self)
        #expect(u.allSatisfy { abs($0) < Math.log(20) + 1e-5 } && u.contains { abs(abs($0) - Math.log(20)) < 1e-5 })
    }

    // MARK: ScreenerNet

    /// methods.md C8.
    @Test("ScreenerNet: l = .3, w = .5 give .25; l = 2, w = .5 give .5; derivatives by finite differences")
    func screener() throws {
        func objective(_ w: Double, _ l: Double) throws -> Double {
            try ScreenerNet.objective(Tensor.from([w]), Tensor.from([l]), margin: 1).item()
        }
        #expect(try abs(objective(0.5, 0.3) - 0.25) < 1e-12 && abs(objective(0.5, 2) - 0.5) < 1e-12)
        for (w, l) in [(0.2, 0.3), (0.7, 2), (0.9, 0.9)] {
            let leaf = try Tensor.from([w]).requiringGradient()
            let gradient = try #require(
                try ScreenerNet.objective(leaf, Tensor.from([l]), margin: 1).sum().backward()[leaf]
            ).item()
            #expect(try abs(gradient - slope([w], 0) { try objective($0[0], l) }) < 1e-8)
        }
    }

    @Test("the screener weighs the main loss without sending it gradients, and learns to weigh hard samples more")
    func screenerLearns() throws {
        let trainer = try trainer(#"{"name": "screener", "rate": 0.5, "hidden": 8}"#)
        let net = try #require(trainer.sampleLoss as? ScreenerNet)
        let rows = Array(0..<8)
        let inputs = try trainer.model.modalities.indices.map {
            try trainer.source.batch($0, rows: rows, augments: false, random: RandomStream(seed: 1, name: "x"))
        }
        let batch = try batch(8, labels: Array(repeating: 0, count: 8), inputs: inputs)
        let hard = (0..<8).map { $0 < 4 ? 0.01 : 6.0 }
        for _ in 0..<400 {
            let leaf = try Tensor.from(hard.map(Float.init)).requiringGradient()
            let terms = try net.applied([LossTerm("fused", leaf, weight: 1)], batch)
            let gradients = try terms.total(weights: nil).backward()
            let w = try net.weights(batch).values(Double.self)
            let main = try #require(gradients[leaf]).values(Double.self)
            for (a, b) in zip(main, w) { #expect(abs(a * 8 - b) < 1e-5) }
            try net.update(gradients)
        }
        let w = try net.weights(batch).values(Double.self)
        #expect(w.prefix(4).max()! < w.suffix(4).min()!, "\(w)")
    }

    // MARK: Self-paced, distillation, custom

    @Test("self-paced weights of one term: the pace's quantile, mean 1, one weight per modality and sample")
    func selfPaced() throws {
        let trainer = try trainer(
            #"{"name": "self_paced", "weighting": "hard", "pace": {"name": "linear", "lambda_0": 0.5}}"#)
        let loss = try #require(trainer.sampleLoss)
        let a = try Tensor.from([1, 2, 3, 4] as [Float])
        let b = try Tensor.from([4, 3, 2, 1] as [Float])
        let got = try loss.applied(
            [LossTerm("a", a, weight: 1), LossTerm("b", b, weight: 0.3)], batch(4, labels: [0, 1, 2, 0]))
        #expect(
            try got[0].perSample.values(Float.self) == [2, 4, 0, 0]
                && got[1].perSample.values(Float.self) == [0, 0, 4, 2])
        #expect(got.map(\.weight) == [1, 0.3])
        for weighting in ["linear", "logarithmic", "mixture", "logistic", "polynomial"] {
            var options = SelfPacedLoss.Options()
            options.weighting = try #require(SelfPacedWeight(rawValue: weighting))
            for fraction in [0.1, 0.5, 1] {
                let weights = try SelfPacedLoss.weights(of: [0.1, 0.9, 2.5, 0.4, 1.1], fraction, options)
                #expect(
                    weights.allSatisfy { $0.isFinite && $0 >= 0 } && abs(Math.mean(weights) - 1) < 1e-9,
                    "\(weighting) \(fraction): \(weights)")
                #expect(
                    weights[0] >= weights[3] && weights[3] >= weights[1] && weights[1] >= weights[4]
                        && weights[4] >= weights[2])
            }
        }
    }

    @Test("distillation adds weight · KL(teacher ‖ student), 0 where they agree; a missing teacher is a clear error")
    func distillation() throws {
        let path = SmallTraining.temporaryFile("teacher.safetensors")
        defer { Files.remove(path) }
        let source = try SmallTraining.data()
        let model = try SmallTraining.model(source)
        try TensorFile.write(model.stateTensors().map { ($0.name, $0.tensor) }, to: path)
        let trainer = try SmallTraining.trainer(
            source, #"{"epochs": 1, "sample_loss": {"name": "distillation", "checkpoint": "\#(path)", "weight": 0.1}}"#)
        let loss = try #require(trainer.sampleLoss)
        let rows = Array(trainer.trainRows.prefix(6))
        let logits = try trainer.context.scan(rows, trainer.method.predict).fused
        func added(_ logits: [Float]) throws -> [LossTerm] {
            let z = try Tensor.from(logits, [6, 3])
            let batch = try batch(6, labels: rows.map { source.classColumns[$0] })
            return try loss.applied(
                [LossTerm("fused", Tensor.crossEntropy(z, batch.labels, reduction: .none), weight: 1, logits: z)], batch
            )
        }
        let same = try added(logits)
        #expect(same.count == 2 && same[1].weight == 0.1)
        #expect(try same[1].perSample.values(Double.self).allSatisfy { abs($0) < 1e-6 })
        let other = try added(logits.map { 1 - 2 * $0 })[1].perSample.values(Double.self)
        func softmax(_ z: [Double]) -> [Double] {
            let e = z.map(Math.exp)
            let sum = e.reduce(0, +)
            return e.map { $0 / sum }
        }
        for row in 0..<6 {
            let teacher = softmax(logits[3 * row..<3 * row + 3].map(Double.init))
            let student = softmax(logits[3 * row..<3 * row + 3].map { 1 - 2 * Double($0) })
            #expect(abs(other[row] - zip(teacher, student).reduce(0) { $0 + $1.0 * Math.log($1.0 / $1.1) }) < 1e-5)
        }
        #expect {
            try SmallTraining.trainer(
                source, #"{"sample_loss": {"name": "distillation", "checkpoint": "nowhere.safetensors"}}"#)
        } throws: { "\($0)".contains("nowhere.safetensors") }
    }

    @Test("what cannot go together is said: a scalar loss, a method without fused term, logits that are not known")
    func conflicts() throws {
        #expect { try trainer(#"{"name": "superlos"}"#) } throws: { "\($0)".contains("did you mean 'superloss'") }
        #expect { try trainer(#"{"name": "superloss", "on": "fused"}"#, #", "rebalance": "mla""#).run() } throws: {
            "\($0)".contains("no loss term 'fused'")
        }
        let loss = try #require(try trainer(#"{"name": "superloss"}"#).sampleLoss)
        let scalar = LossTerm("custom", try Tensor.scalar(1))
        #expect { try loss.applied([scalar], batch(1, labels: [0])) } throws: {
            "\($0)".contains("one number for the whole batch")
        }
        let tables = try #require(try trainer(#"{"name": "data_parameters"}"#).sampleLoss)
        let opaque = LossTerm("fused", try Tensor.from([1] as [Float]))
        #expect { try tables.applied([opaque], batch(1, labels: [0])) } throws: {
            "\($0)".contains("no cross-entropy of known logits")
        }
    }
}
