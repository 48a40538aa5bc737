import BSSBackend
import BSSCore
import BSSTensor
import Testing

/// Compares backward() with finite differences in double precision.
struct GradientCheck {
    /// At most this many elements of every input, spread evenly.
    var elements = 24
    var step = 1e-6
    var tolerance = 2e-5

    /// Mismatches of d Σ output · r / d input, r fixed irregular numbers. `function` gets leaves and returns its
    /// outputs.
    ///
    /// Where the function has a kink (its left and right slopes differ), any number between the two is right.
    func mismatches(_ inputs: [Tensor], _ function: ([Tensor]) throws -> [Tensor]) throws -> [String] {
        let values = try inputs.map { try $0.values(Double.self) }
        func objective(_ tensors: [Tensor]) throws -> Tensor {
            var total: Tensor?
            for (position, output) in try function(tensors).enumerated() where output.dtype.isFloat {
                let part = try (output * GradientCheck.irregular(output.shape, seed: position)).sum()
                total = try total.map { try $0 + part } ?? part
            }
            guard let total else { throw BSSError("gradient check", "the function has no float output") }
            return total
        }
        func value(_ input: Int, _ element: Int, _ shift: Double) throws -> Double {
            try Autograd.withoutRecording {
                var moved = inputs
                var numbers = values[input]
                numbers[element] += shift
                moved[input] = try Tensor.from(numbers, inputs[input].shape)
                return try objective(moved).item()
            }
        }
        let leaves = try inputs.map { try Tensor.from($0.values(Double.self), $0.shape).requiringGradient() }
        let result = try objective(leaves)
        guard result.requiresGradient else { return ["the output does not depend on the inputs"] }
        let gradients = try result.backward()
        let middle = try result.item()
        var failures: [String] = []
        for (input, leaf) in leaves.enumerated() {
            let analytic = try gradients[leaf]?.values(Double.self) ?? Array(repeating: 0, count: leaf.elementCount)
            for element in Set((0..<elements).map { $0 * leaf.elementCount / elements }).sorted()
            where element < leaf.elementCount {
                let h = step * max(1e-4, Swift.abs(values[input][element]))
                let right = (try value(input, element, h) - middle) / h
                let left = (middle - (try value(input, element, -h))) / h
                // The last bits of a large sum, divided by a small step.
                let rounding = 4e-15 * (1 + Swift.abs(middle)) / h
                let got = analytic[element]
                let allowed = tolerance * (1 + Swift.abs(got)) + rounding
                let isKink = Swift.abs(right - left) > 1e-3 * (1 + Swift.abs(got)) + rounding
                let isRight =
                    isKink
                    ? got >= min(left, right) - allowed && got <= max(left, right) + allowed
                    : Swift.abs((left + right) / 2 - got) <= allowed
                if !isRight {
                    failures.append("input \(input) element \(element): backward \(got), slopes \(left) and \(right)")
                }
            }
        }
        return failures
    }

    /// Numbers in (-1, 1) without pattern.
    static func irregular(_ shape: Shape, seed: Int, offset: Double = 0, scale: Double = 1) throws -> Tensor {
        var state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678_9ABC_DEF1
        let values = (0..<shape.elementCount).map { _ -> Double in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (Double(state >> 11) / Double(1 << 53) * 2 - 1) * scale + offset
        }
        return try Tensor.from(values, shape)
    }
}
