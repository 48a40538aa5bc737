import BSSCore

/// Generated data: modalities that differ in how much they say and how fast they are learned, with some samples spoilt
/// on purpose, and known to be.
///
/// For modality m with `dim` d, every class c has two patterns μ_c, ν_c ~ N(0, I/d), of length about 1. A sample shows
/// ```
/// x = speed · μ_c + (1 - speed) · r · ν_c + noise · ε,   ε ~ N(0, I), r = ±1 with equal odds
/// ```
/// A linear layer can read μ at once; ν has a random sign, so that its class mean is 0 and only a non-linear encoder
/// finds it, later: `speed` sets how fast a modality converges, `noise` how well it can be told at all. The classes
/// shown are the label's, except: with probability `label_noise` a modality shows another class; and a share
/// `imbalanced` of the samples has one modality mismatched (another class) or corrupted (noise alone).
///
/// Of the training samples a share `label_noise` has a wrong label: the modalities show the true class. Validation and
/// test keep true labels, so that what noise costs, and what a curriculum that leaves it out gains, can be measured.
enum SyntheticData {
    private static let samples = Argument<Int>(
        "samples", default: 2600, "samples in all splits", check: .range(10...10_000_000))
    private static let classes = Argument<Int>("classes", default: 6, "number of classes", check: .range(2...10_000))
    private static let modalities = Argument<Table>(
        "modalities", default: standard,
        "options of each modality by name, or a list (named a, b, …): dim (columns, 64), noise (0.25), speed (0 … 1: "
            + "1 is learned fastest, 1), label_noise (0)"
    )
    private static let imbalanced = Argument<Double>(
        "imbalanced", default: 0.2, "share of samples with one spoilt modality", check: .range(0...1))
    private static let imbalance = Argument<String>(
        "imbalance", default: "mixed", "how a modality is spoilt; mixed: half of each",
        check: .oneOf(["mismatched", "corrupted", "mixed"]))
    private static let imbalancedModality = Argument<String?>(
        "imbalanced_modality", default: nil, "spoil this modality only; without it, any with equal odds")
    private static let wrongLabels = Argument<Double>(
        "label_noise", default: 0, "share of training samples whose label is another class than the one they show",
        check: .range(0...1))
    private static let val = Argument<Double>("val", default: 0.1, "share of samples for validation", check: share)
    private static let test = Argument<Double>("test", default: 0.3, "share of samples for testing", check: share)
    private static let seed = Argument<Int>("seed", default: 1, "root of the random streams", check: .anyInteger)
    private static let share = Check<Double>("from 0, less than 1") { $0 >= 0 && $0 < 1 }

    /// One strong modality that is learned in a few epochs, and a weak one that the fused loss leaves half-trained.
    private static var standard: Table {
        Table(fields: [
            ("strong", .fields([("dim", .int(100)), ("noise", .number(0.29)), ("speed", .number(1))])),
            ("weak", .fields([("dim", .int(74)), ("noise", .number(0.2)), ("speed", .number(0.4))])),
        ])
    }

    static let part = Part<Dataset>(
        "synthetic", "Generated modalities of different strength and speed; which samples are imbalanced is known.",
        [
            samples, classes, modalities, imbalanced, imbalance, imbalancedModality, wrongLabels, val, test, seed,
            DataArgument.standardise,
        ],
        example:
            "print(bss.data.synthetic{samples = 600, classes = 4, modalities = {a = {dim = 20}, b = {dim = 8, speed "
            + "= 0.3}}, imbalanced = 0.25})",
        build: build)

    // MARK: Options of one modality

    private static let dim = Argument<Int>("dim", default: 64, "columns", check: .range(1...1_000_000))
    private static let noise = Argument<Double>(
        "noise", default: 0.25, "deviation of the noise in each column", check: .atLeast(0))
    private static let speed = Argument<Double>(
        "speed", default: 1, "share of the class pattern that is linear", check: .range(0...1))
    private static let labelNoise = Argument<Double>(
        "label_noise", default: 0, "probability of showing another class", check: .range(0...1))

    private struct Recipe {
        let name: String, dim: Int, noise, speed, labelNoise: Double
    }

    private static func recipes(_ table: Table, operation: String) throws -> [Recipe] {
        let letters = Array("abcdefghijklmnopqrstuvwxyz").map(String.init)
        var entries: [(key: String, value: Value)] = []
        for (index, value) in table.items.enumerated() {
            var key = index < 26 ? letters[index] : "m\(index + 1)"
            var value = value
            if case .table(var options) = value, case .string(let name)? = options["name"] {
                options["name"] = nil
                (key, value) = (name, .table(options))
            }
            entries.append((key, value))
        }
        entries += table.fields
        guard !entries.isEmpty else {
            throw BSSError(operation, "option 'modalities' is empty; one modality or more was expected", kind: .usage)
        }
        return try entries.map { key, value in
            guard case .table(let options) = value, options.items.isEmpty else {
                throw BSSError(
                    operation,
                    "option 'modalities': '\(key)' expects a table {dim =, noise =, speed =, label_noise =}, got "
                        + "\(value.described)",
                    kind: .usage)
            }
            let decoded = try Arguments(
                operation: "\(operation): modality '\(key)'", declared: [dim, noise, speed, labelNoise], named: options)
            return Recipe(
                name: key, dim: decoded[dim], noise: decoded[noise], speed: decoded[speed],
                labelNoise: decoded[labelNoise])
        }
    }

    // MARK: Generation

    private static func build(_ a: Arguments) throws -> Dataset {
        let recipes = try recipes(a[modalities], operation: a.operation)
        let n = a[samples]
        let classCount = a[classes]
        guard n >= 2 * classCount else {
            throw BSSError(
                a.operation, "\(n) samples are too few for \(classCount) classes; 2 a class or more are needed",
                kind: .usage)
        }
        guard a[val] + a[test] < 1 else {
            throw BSSError(
                a.operation,
                "val = \(Text.number(a[val])) and test = \(Text.number(a[test])) leave nothing to train on",
                kind: .usage)
        }
        var spoilable = Array(recipes.indices)
        if let name = a[imbalancedModality] {
            spoilable = spoilable.filter { recipes[$0].name == name }
            guard !spoilable.isEmpty else {
                throw BSSError(
                    a.operation, "option 'imbalanced_modality': no modality '\(name)'",
                    hint: "known: \(recipes.map(\.name).joined(separator: ", "))", kind: .usage)
            }
        }
        let columns = recipes.reduce(0) { $0 + $1.dim }
        let bytes = 8 * columns + 32 * recipes.count
        try Memory.reserve(n, of: bytes, a.operation, "\(n) samples of \(columns) columns")
        let root = RandomStream(seed: UInt64(bitPattern: Int64(a[seed])), name: "synthetic")

        // Classes as equal in size as possible, in random order.
        var labelStream = root.child("labels")
        var labels = labelStream.permutation(n).map { $0 % classCount }
        var truth = ImbalanceTruth(
            defect: Array(repeating: .none, count: n), modality: Array(repeating: nil, count: n),
            shown: Array(repeating: labels.map { Optional($0) }, count: recipes.count),
            isLabelNoise: Array(repeating: Array(repeating: false, count: n), count: recipes.count), labels: labels)
        for (m, recipe) in recipes.enumerated() where recipe.labelNoise > 0 {
            var stream = root.child("label noise \(recipe.name)")
            for i in 0..<n where stream.uniform() < recipe.labelNoise {
                truth.isLabelNoise[m][i] = true
                truth.shown[m][i] = other(labels[i], classCount, &stream)
            }
        }
        spoil(&truth, labels, share: a[imbalanced], how: a[imbalance], spoilable, classCount, root.child("imbalance"))

        var draft = DatasetDraft(a.operation, name: "synthetic")
        for (m, recipe) in recipes.enumerated() {
            draft.add(
                try sampled(recipe, truth.shown[m], classCount, root.child("modality \(recipe.name)"), a.operation),
                from: "modality '\(recipe.name)'")
        }
        draft.splits = Splitting.stratified(labels, val: a[val], test: a[test], seed: a[seed])
        let training = draft.splits.indices.filter { draft.splits[$0] == .train }
        mislabel(&labels, training, share: a[wrongLabels], classCount, root.child("wrong labels"))
        truth.isMislabelled = zip(labels, truth.labels).map { $0 != $1 }
        draft.labels = .integers(labels)
        draft.ids = (1...n).map(String.init)
        draft.truth = truth
        return try Dataset(draft, standardise: a[DataArgument.standardise])
    }

    private static func other(_ label: Int, _ classCount: Int, _ stream: inout RandomStream) -> Int {
        (label + 1 + stream.integer(below: classCount - 1)) % classCount
    }

    /// Exactly round(share · n) of these samples get another class for their label.
    private static func mislabel(
        _ labels: inout [Int], _ samples: [Int], share: Double, _ classCount: Int, _ stream: RandomStream
    ) {
        guard share > 0 else { return }
        var stream = stream
        let count = Int(saturating: (share * Double(samples.count)).rounded())
        for place in stream.permutation(samples.count).prefix(count) {
            let i = samples[place]
            labels[i] = other(labels[i], classCount, &stream)
        }
    }

    /// Exactly round(share · n) samples, drawn without replacement.
    private static func spoil(
        _ truth: inout ImbalanceTruth, _ labels: [Int], share: Double, how: String, _ spoilable: [Int],
        _ classCount: Int, _ stream: RandomStream
    ) {
        var stream = stream
        let chosen = stream.permutation(labels.count).prefix(Int(saturating: (share * Double(labels.count)).rounded()))
        for (place, i) in chosen.enumerated() {
            let m = spoilable[stream.integer(below: spoilable.count)]
            let shown = other(labels[i], classCount, &stream)
            let isMismatch = how == "mismatched" || (how == "mixed" && place % 2 == 0)
            truth.defect[i] = isMismatch ? .mismatched : .corrupted
            truth.modality[i] = m
            truth.shown[m][i] = isMismatch ? shown : nil
            truth.isLabelNoise[m][i] = false
        }
    }

    private static func sampled(
        _ recipe: Recipe, _ shown: [Int?], _ classCount: Int, _ stream: RandomStream, _ operation: String
    ) throws -> Modality {
        let d = recipe.dim
        let scale = 1 / Double(d).squareRoot()
        var patterns = stream.child("patterns")
        var noise = stream.child("noise")
        var signs = stream.child("signs")
        func drawn() -> [Float] { (0..<classCount * d).map { _ in Float(patterns.normal() * scale) } }
        let linear = drawn()
        let folded = drawn()
        let deviation = Float(recipe.noise)
        let speed = Float(recipe.speed)
        var values = [Float](repeating: 0, count: shown.count * d)
        for (i, c) in shown.enumerated() {
            if i % 256 == 0 { try Cancellation.check(operation) }
            let sign: Float = signs.nextWord() & 1 == 0 ? 1 : -1
            for j in 0..<d {
                var x = deviation * Float(noise.normal())
                if let c { x += speed * linear[c * d + j] + (1 - speed) * sign * folded[c * d + j] }
                values[i * d + j] = x
            }
        }
        return Modality(recipe.name, .features, shape: [d], values: values)
    }
}
