import BSSBackend
import BSSCore
import BSSTensor

/// Results of calls as numbers, so that those of two dtypes or layouts can be compared.
struct Outcome {
    /// Shapes and numbers of everything returned; `nil`: refused.
    let numbers: [[Double]]?
    let shapes: [[Int]]
    let refusal: String?

    /// - Throws: what is no error of ours: nobody explained it.
    init(_ body: () throws -> [Value]) throws {
        do {
            let values = try body()
            var shapes: [[Int]] = []
            var numbers: [[Double]] = []
            for value in values {
                if case .object(let object) = value, let tensor = object as? Tensor {
                    shapes.append(tensor.shape.array)
                    numbers.append(try tensor.detached.values(Double.self))
                } else {
                    shapes.append([])
                    numbers.append(Outcome.flat(value))
                }
            }
            self.shapes = shapes
            self.numbers = numbers
            refusal = nil
        } catch let error as BSSError {
            (numbers, shapes, refusal) = (nil, [], error.description)
        }
    }

    private static func flat(_ value: Value) -> [Double] {
        switch value {
        case .table(let table): return (table.items + table.fields.map(\.value)).flatMap(flat)
        case .bool(let flag): return [flag ? 1 : 0]
        default: return value.double.map { [$0] } ?? []
        }
    }

    /// What differs beyond rounding of f32.
    func difference(to other: Outcome, tolerance: Double = 2e-4) -> String? {
        guard let mine = numbers, let theirs = other.numbers else {
            return (numbers == nil) == (other.numbers == nil)
                ? nil : "\(refusal ?? "a value") against \(other.refusal ?? "a value")"
        }
        if shapes != other.shapes { return "shape \(shapes) against \(other.shapes)" }
        for (a, b) in zip(mine, theirs) {
            guard a.count == b.count else { return "\(a.count) numbers against \(b.count)" }
            for (i, (x, y)) in zip(a, b).enumerated() {
                if x == y || (x.isNaN && y.isNaN) { continue }
                if abs(x - y) <= tolerance * (1 + abs(y)) { continue }
                // Sums of f32 and powers overflow before those of f64 do.
                if x.isInfinite, abs(y) > 3e38 { continue }
                return "number \(i + 1) is \(x) against \(y)"
            }
        }
        return nil
    }
}
