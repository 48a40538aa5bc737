import BSSCore
import Testing

@testable import BSSData

@Suite struct SyntheticDataTests {
    private func two(_ extra: [(String, Value)] = []) throws -> Dataset {
        try makeDataset(
            "synthetic",
            [
                ("samples", .int(600)), ("classes", .int(4)), ("seed", .int(3)),
                (
                    "modalities",
                    .fields([
                        ("a", .fields([("dim", .int(20))])),
                        ("b", .fields([("dim", .int(8)), ("speed", .number(0.3))])),
                    ])
                ),
            ] + extra)
    }

    @Test func sizesSplitsAndClassesAreAsAsked() throws {
        let data = try two([("val", .number(0.1)), ("test", .number(0.25))])
        #expect(data.modalities.map(\.name) == ["a", "b"] && data.modalities.map(\.shape) == [[20], [8]])
        #expect([data.train.count, data.val.count, data.test.count] == [390, 60, 150])
        #expect((data.train + data.val + data.test).sorted() == Array(0..<600))
        #expect(data.histogram(Array(0..<600)) == [150, 150, 150, 150])
        for split in SplitName.allCases {
            let counts = data.histogram(data.indices(split))
            #expect(counts.max()! - counts.min()! <= 1)
        }
    }

    @Test func theSameSeedGivesTheSameBits() throws {
        let (a, b) = (try two(), try two())
        #expect(try a.treeHash == b.treeHash && a.labels == b.labels && a.train == b.train)
        #expect(try two([("seed", .int(4))]).treeHash != a.treeHash)
    }

    @Test func aModalityDoesNotDependOnTheOthers() throws {
        let alone = try makeDataset(
            "synthetic",
            [
                ("samples", .int(600)), ("classes", .int(4)), ("seed", .int(3)), ("imbalanced", .number(0)),
                ("modalities", .fields([("a", .fields([("dim", .int(20))]))])),
            ])
        let both = try two([("imbalanced", .number(0))])
        let isSame = alone.modalities[0].values == both.modalities[0].values
        #expect(isSame)
    }

    @Test func theTruthIsTrue() throws {
        let data = try two([("imbalanced", .number(0.25)), ("standardise", .bool(false))])
        let truth = try #require(data.truth)
        #expect(truth.isImbalanced.count { $0 } == 150)
        #expect(truth.defect.count { $0 == .mismatched } == 75 && truth.defect.count { $0 == .corrupted } == 75)
        for i in 0..<data.count {
            switch truth.defect[i] {
            case .none: #expect(truth.modality[i] == nil && truth.shown.allSatisfy { $0[i] == data.labels[i] })
            case .mismatched: #expect(truth.shown[truth.modality[i]!][i] != data.labels[i])
            case .corrupted: #expect(truth.shown[truth.modality[i]!][i] == nil)
            }
        }
        // The numbers say so too: the mean pattern of a class, taken over sound samples, fits the class that is shown.
        let a = data.modalities[0]
        let d = a.size
        var means = [[Double]](repeating: [Double](repeating: 0, count: d), count: 4)
        var counts = [Double](repeating: 0, count: 4)
        for i in 0..<data.count where truth.defect[i] == .none {
            counts[data.labels[i]] += 1
            for j in 0..<d { means[data.labels[i]][j] += Double(a.values[i * d + j]) }
        }
        func nearest(_ i: Int) -> Int {
            let distances = (0..<4).map { c in
                (0..<d).reduce(0.0) { sum, j in
                    let difference = Double(a.values[i * d + j]) - means[c][j] / counts[c]
                    return sum + difference * difference
                }
            }
            return distances.indices.min { distances[$0] < distances[$1] }!
        }
        let mismatched = (0..<data.count).filter { truth.defect[$0] == .mismatched && truth.modality[$0] == 0 }
        #expect(mismatched.count > 20)
        #expect(mismatched.count { nearest($0) == truth.shown[0][$0] } > mismatched.count * 3 / 4)
    }

    @Test func onlyTheNamedModalityIsSpoilt() throws {
        let truth = try #require(
            try two([
                ("imbalanced", .number(0.5)), ("imbalance", .string("corrupted")),
                ("imbalanced_modality", .string("b")),
            ]).truth)
        #expect(truth.modality.allSatisfy { $0 == nil || $0 == 1 } && truth.defect.count { $0 == .corrupted } == 300)
    }

    @Test func labelNoiseIsRecorded() throws {
        let data = try makeDataset(
            "synthetic",
            [
                ("samples", .int(1000)), ("imbalanced", .number(0)),
                (
                    "modalities",
                    .list([.fields([("dim", .int(4)), ("label_noise", .number(0.3))]), .fields([("dim", .int(4))])])
                ),
            ])
        let truth = try #require(data.truth)
        #expect(data.modalities.map(\.name) == ["a", "b"])
        #expect((240...360).contains(truth.isLabelNoise[0].count { $0 }) && !truth.isLabelNoise[1].contains(true))
        for i in 0..<1000 { #expect((truth.shown[0][i] != data.labels[i]) == truth.isLabelNoise[0][i]) }
    }

    @Test func theDefaultHasAFastAndASlowModality() throws {
        let data = try makeDataset("synthetic")
        #expect(data.modalities.map(\.name) == ["strong", "weak"] && data.classCount == 6)
        // Nearest class mean is what a linear layer can do at once.
        func linearAccuracy(_ m: Modality) -> Double {
            let d = m.size
            let train = m.rows(data.train)
            var means = [Float](repeating: 0, count: 6 * d)
            for (row, i) in data.train.enumerated() {
                for j in 0..<d { means[data.labels[i] * d + j] += train[row * d + j] }
            }
            let right = data.test.count { i in
                let scores = (0..<6).map { c in
                    (0..<d).reduce(Float(0)) { $0 + means[c * d + $1] * m.values[i * d + $1] }
                }
                return scores.indices.max { scores[$0] < scores[$1] } == data.labels[i]
            }
            return Double(right) / Double(data.test.count)
        }
        let strong = linearAccuracy(data.modalities[0])
        let weak = linearAccuracy(data.modalities[1])
        print("synthetic: nearest-mean accuracy \(Text.fixed(strong, 3)) strong, \(Text.fixed(weak, 3)) weak")
        #expect(strong > 0.75 && weak > 0.25 && strong - weak > 0.2)
    }

    @Test func standardisedOnTrainOnly() throws {
        let data = try two()
        let m = data.modalities[0]
        let d = m.size
        for j in 0..<d {
            let x = data.train.map { Double(m.values[$0 * d + j]) }
            let mean = x.reduce(0, +) / Double(x.count)
            #expect(abs(mean) < 1e-5)
            #expect(abs(x.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(x.count) - 1) < 1e-4)
        }
        let raw = try two([("standardise", .bool(false))]).modalities[0]
        #expect(raw.standardisation == nil)
        let s = try #require(m.standardisation)
        let i = data.test[0]
        #expect(abs(Double(m.values[i * d]) - (Double(raw.values[i * d]) - s.mean[0]) / s.deviation[0]) < 1e-5)
    }

    @Test func wrongOptionsAreExplained() {
        func text(_ options: (String, Value)...) -> String { message { _ = try makeDataset("synthetic", options) } }
        #expect(text(("sample", .int(5))).contains("did you mean 'samples'?"))
        #expect(text(("samples", .int(11)), ("classes", .int(6))).contains("too few for 6 classes"))
        #expect(text(("val", .number(0.6)), ("test", .number(0.5))).contains("leave nothing to train on"))
        #expect(text(("modalities", .fields([("a", .fields([("dims", .int(5))]))]))).contains("did you mean 'dim'?"))
        #expect(text(("modalities", .fields([("a", .int(5))]))).contains("expects a table {dim ="))
        #expect(
            text(("modalities", .fields([("fused", .fields([("dim", .int(5))]))]))).contains("cannot be called 'fused'")
        )
        #expect(text(("imbalanced_modality", .string("x"))).contains("known: strong, weak"))
        #expect(text(("imbalanced", .number(1.5))).contains("from 0 to 1"))
    }
}
