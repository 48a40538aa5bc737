import BSSBackend
import BSSCore
import BSSTensor
import Testing

@testable import BSSNetworks

/// A fusion on feature vectors of given sizes: modalities a, b, c; classes 0 …
struct FusionCase {
    let fusion: Fusion
    let sizes: [Int]

    /// `options`: a JSON table.
    init(_ name: String, _ options: String = "{}", sizes: [Int], classes: Int = 3) throws {
        self.sizes = sizes
        let table = try JSON.parse(options).table ?? Table()
        let encoders = sizes.map { IdentityEncoder(featureCount: $0) }
        fusion = try Configured<FusionRecipe>(name, table).product.make(
            FusionSetting(modalities: Array(["a", "b", "c"].prefix(sizes.count)), encoders: encoders, classes: classes))
        try fusion.initialize(.pytorch, from: RandomStream(seed: 7, name: "init"))
    }

    /// Replaces parameters, named as in checkpoints.
    func set(_ values: [String: [Double]]) throws {
        let parameters = Dictionary(uniqueKeysWithValues: fusion.parameters().map { ($0.name, $0.parameter) })
        for (name, numbers) in values {
            let parameter = try #require(parameters[name], "\(name) is none of \(parameters.keys.sorted())")
            try parameter.assign(Tensor.from(numbers.map(Float.init), parameter.value.shape))
        }
    }

    func value(_ name: String) throws -> [Double] {
        try #require(fusion.parameters().first { $0.name == name }).parameter.value.values(Double.self)
    }

    func logits(_ features: [Tensor]) throws -> [Double] {
        try fusion.fuse(features, ForwardContext(.evaluation)).logits.values(Double.self)
    }

    /// Numbers in (-1, 1) without pattern, [rows, d_m] a modality.
    func features(rows: Int, scale: Double = 1) throws -> [Tensor] {
        try sizes.enumerated().map { try FiniteDifferences.irregular([rows, $1], seed: $0 + 1, scale: scale) }
    }

    /// Everything in f64, for derivative checks.
    func inDoubles() throws -> FusionCase {
        for (_, parameter) in fusion.parameters() { try parameter.convert(to: .float64) }
        return self
    }
}

/// Rows of numbers as f32.
func matrix(_ rows: [[Double]]) throws -> Tensor {
    try Tensor.from(rows.flatMap { $0.map(Float.init) }, [rows.count, rows[0].count])
}

func expectNear(
    _ got: [Double], _ wanted: [Double], within tolerance: Double = 2e-6, _ location: SourceLocation = #_sourceLocation
) {
    #expect(got.count == wanted.count, sourceLocation: location)
    for (index, (a, b)) in zip(got, wanted).enumerated() {
        #expect(abs(a - b) <= tolerance * max(1, abs(b)), "element \(index): \(a), not \(b)", sourceLocation: location)
    }
}

/// Compares backward() with central differences in f64.
enum FiniteDifferences {
    static let step = 1e-6

    /// Mismatches of d objective / d input for `inputs` and `parameters`, both f64; at most `elements` of each.
    static func mismatches(
        _ inputs: [Tensor], _ parameters: [(name: String, parameter: Parameter)], elements: Int = 12,
        _ objective: ([Tensor]) throws -> Tensor
    ) throws -> [String] {
        let leaves = try inputs.map { try $0.detached.requiringGradient() }
        let gradients = try objective(leaves).backward()
        func value(_ inputs: [Tensor]) throws -> Double {
            try Autograd.withoutRecording { try objective(inputs).item() }
        }
        var failures: [String] = []
        func compare(
            _ name: String, _ gradient: Tensor?, _ numbers: [Double], _ shape: Shape, _ at: (Tensor) throws -> Double
        ) throws {
            let analytic = try gradient?.values(Double.self) ?? Array(repeating: 0, count: numbers.count)
            for element in Set((0..<elements).map { $0 * numbers.count / elements }).sorted() {
                func moved(_ shift: Double) throws -> Double {
                    var changed = numbers
                    changed[element] += shift
                    return try at(Tensor.from(changed, shape))
                }
                let slope = (try moved(step) - moved(-step)) / (2 * step)
                if abs(slope - analytic[element]) > 2e-6 * max(1, abs(slope)) {
                    failures.append("\(name)[\(element)]: backward \(analytic[element]), slope \(slope)")
                }
            }
        }
        for (index, leaf) in leaves.enumerated() {
            try compare("input \(index)", gradients[leaf], leaf.values(Double.self), leaf.shape) { moved in
                var changed = inputs
                changed[index] = moved
                return try value(changed)
            }
        }
        for (name, parameter) in parameters {
            let before = try parameter.value.values(Double.self)
            let shape = parameter.value.shape
            try compare(name, gradients[parameter.value], before, shape) { moved in
                try parameter.assign(moved)
                return try value(inputs)
            }
            try parameter.assign(Tensor.from(before, shape))
        }
        return failures
    }

    /// Numbers in (-scale, scale) without pattern, f64.
    static func irregular(_ shape: Shape, seed: Int, scale: Double = 1) throws -> Tensor {
        var stream = RandomStream(seed: UInt64(seed), name: "irregular")
        return try Tensor.uniform(shape, low: -scale, high: scale, using: &stream, .float64)
    }

    /// Σ x ⊙ r, r without pattern.
    static func projection(_ x: Tensor) throws -> Tensor { try (x * irregular(x.shape, seed: 99)).sum() }
}
