import BSSBackend
import BSSCodecs
import BSSCore
import BSSTensor
import _BSSTestSupport

/// A case of the `ops` group as tensors: inputs that have a reference gradient are leaves.
struct OpCase {
    let item: FixtureCase
    private let tensors: [String: Tensor]

    /// - Parameter dtype: what the inputs' float type becomes; as stored if nil.
    init(_ item: FixtureCase, dtype: DType? = nil) throws {
        self.item = item
        var tensors: [String: Tensor] = [:]
        for array in item.arrays where !array.isResult && array.role != "upstream_grad" {
            var tensor = try OpCase.tensor(item.array(array.name))
            if tensor.dtype.isFloat, let dtype { tensor = try tensor.converted(to: dtype) }
            tensors[array.name] =
                item.arrays(role: "grad_of_\(array.name)").isEmpty ? tensor : try tensor.requiringGradient()
        }
        self.tensors = tensors
    }

    private init(_ item: FixtureCase, _ tensors: [String: Tensor]) {
        self.item = item
        self.tensors = tensors
    }

    /// The same case with other inputs.
    func replacing(_ inputs: [String: Tensor]) -> OpCase { OpCase(item, tensors.merging(inputs) { $1 }) }

    static func tensor(_ array: NpyArray) throws -> Tensor {
        let shape = try Shape(array.shape)
        switch array.elements {
        case .floats(let values): return try Tensor.from(values, shape)
        case .doubles(let values): return try Tensor.from(values, shape)
        case .integers(let values):
            return array.dtype == "uint8" || array.dtype == "bool"
                ? try Tensor.from(values.map { $0 != 0 }, shape) : try Tensor.from(values.map(Int.init), shape)
        case .strings: throw BSSError("fixtures", "text is no tensor")
        }
    }

    static func array(_ tensor: Tensor) throws -> NpyArray {
        switch tensor.dtype {
        case .float32: return NpyArray(try tensor.values(Float.self), shape: tensor.shape.array)
        case .float64: return NpyArray(try tensor.values(Double.self), shape: tensor.shape.array)
        case .int64: return NpyArray(try tensor.values(Int.self), shape: tensor.shape.array)
        case .bool: return NpyArray(try tensor.values(Bool.self), shape: tensor.shape.array)
        case .float16, .bfloat16: throw BSSError("fixtures", "no reference has halves")
        }
    }

    // MARK: Inputs and attributes

    func callAsFunction(_ name: String) throws -> Tensor {
        guard let tensor = tensors[name] else { throw BSSError(item.id, "no input '\(name)'") }
        return tensor
    }

    func optional(_ name: String) -> Tensor? { tensors[name] }
    func has(_ name: String) -> Bool { tensors[name] != nil }

    /// `dim`: nil for null, one or several axes.
    var axes: [Int]? { item.attrs["dim"]?.int.map { [$0] } ?? item.attrs["dim"]?.table?.items.compactMap(\.int) }
    func axis(_ name: String = "dim") throws -> Int { try item.int(name) }
    var keepsAxes: Bool { item.attrs["keepdim"]?.bool ?? false }
    func reduction() throws -> Reduction {
        guard let reduction = Reduction(rawValue: try item.string("reduction", default: "mean")) else {
            throw BSSError(item.id, "unknown reduction")
        }
        return reduction
    }
    /// x0, x1, …
    func numbered(_ prefix: String) -> [Tensor] {
        (0...).lazy.map { tensors["\(prefix)\($0)"] }.prefix { $0 != nil }.map { $0! }
    }

    // MARK: Results

    /// The outputs, and the gradients of Σ output · g_output with respect to every leaf.
    func results(_ outputs: [String: Tensor]) throws -> [String: NpyArray] {
        var results = try outputs.mapValues { try OpCase.array($0) }
        var objective: Tensor?
        for array in item.arrays(role: "upstream_grad") {
            guard let output = outputs[String(array.name.dropFirst(2))] else {
                throw BSSError(item.id, "no output for \(array.name)")
            }
            let part = try (output * OpCase.tensor(item.array(array.name))).sum()
            objective = try objective.map { try $0 + part } ?? part
        }
        guard let objective, objective.requiresGradient else { return results }
        let gradients = try objective.backward()
        for (name, tensor) in tensors where tensor.requiresGradient {
            results["d_\(name)"] = try OpCase.array(try gradients[tensor] ?? Tensor.zeros(tensor.shape, tensor.dtype))
        }
        return results
    }
}
