import BSSBackend
import BSSCore
import BSSTensor

// Naive formulas in double precision: what the f64 side of the table is checked by.

extension OpTable {
    private static let unary: [(String, (Double) -> Double)] = [
        ("neg", { -$0 }), ("abs", { abs($0) }), ("square", { $0 * $0 }),
        ("sign", { $0.isNaN ? .nan : $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }),
        ("exp", Math.exp), ("log", Math.log), ("sqrt", { $0.squareRoot() }), ("rsqrt", { 1 / $0.squareRoot() }),
        ("reciprocal", { 1 / $0 }), ("tanh", Math.tanh), ("sigmoid", { 1 / (1 + Math.exp(-$0)) }),
        ("relu", { max($0, 0) }), ("sin", Math.sin), ("cos", Math.cos), ("floor", { $0.rounded(.down) }),
        ("ceil", { $0.rounded(.up) }), ("round", { $0.rounded(.toNearestOrEven) }),
        ("silu", { $0 / (1 + Math.exp(-$0)) }), ("logsigmoid", { -Math.log(1 + Math.exp(-$0)) }),
        ("isnan", { $0.isNaN ? 1 : 0 }), ("isinf", { $0.isInfinite ? 1 : 0 }), ("isfinite", { $0.isFinite ? 1 : 0 }),
        ("logical_not", { $0 == 0 ? 1 : 0 }),
    ]

    private static let binary: [(String, (Double, Double) -> Double)] = [
        ("add", { $0 + $1 }), ("sub", { $0 - $1 }), ("mul", { $0 * $1 }), ("div", { $0 / $1 }),
        ("maximum", { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }),
        ("minimum", { $0.isNaN || $1.isNaN ? .nan : min($0, $1) }), ("eq", { $0 == $1 ? 1 : 0 }),
        ("ne", { $0 != $1 ? 1 : 0 }), ("lt", { $0 < $1 ? 1 : 0 }), ("le", { $0 <= $1 ? 1 : 0 }),
        ("gt", { $0 > $1 ? 1 : 0 }), ("ge", { $0 >= $1 ? 1 : 0 }),
    ]

    private static let reductions: [(String, ([Double]) -> Double?)] = [
        ("sum", { $0.reduce(0, +) }), ("mean", { $0.reduce(0, +) / Double($0.count) }), ("prod", { $0.reduce(1, *) }),
        ("max", { x in x.isEmpty ? nil : x.contains { $0.isNaN } ? .nan : x.max() }),
        ("min", { x in x.isEmpty ? nil : x.contains { $0.isNaN } ? .nan : x.min() }),
        ("argmax", { x in first(x) { $0 > $1 } }), ("argmin", { x in first(x) { $0 < $1 } }),
        ("var", variance), ("std", { variance($0)?.squareRoot() }),
        ("norm", { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }),
        (
            "logsumexp",
            { x in x.contains { $0 == .infinity } ? .infinity : Math.log(x.reduce(0) { $0 + Math.exp($1) }) }
        ),
    ]

    /// As PyTorch: divided by max(n - 1, 0).
    private static func variance(_ x: [Double]) -> Double? {
        let mean = x.reduce(0, +) / Double(x.count)
        return x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(x.count - 1, 0))
    }

    /// Position from 1 of the best; the first NaN wins.
    private static func first(_ x: [Double], _ isBetter: (Double, Double) -> Bool) -> Double? {
        guard !x.isEmpty else { return nil }
        if let nan = x.firstIndex(where: { $0.isNaN }) { return Double(nan + 1) }
        var best = 0
        for i in x.indices where isBetter(x[i], x[best]) { best = i }
        return Double(best + 1)
    }

    private static let samples: [[Double]] = [
        [], [2], [0], [-1.5, 0, 3], [0.5, -2, 1, 1, 7], [.nan, 1], [1, .nan, 0, .nan], [.infinity, 1], [-.infinity, 2],
        [.infinity, -.infinity, 0], (0..<500).map { Double(($0 * 37) % 101) / 25 - 2 },
    ]

    mutating func references() throws {
        func call(_ name: String, _ x: Tensor, _ values: [Value] = []) throws -> Outcome {
            guard let method = Tensor.scriptType.method(name) else { throw BSSError("op table", "no method \(name)") }
            return try Outcome { try method.call(values, receiver: x) }
        }
        func given(_ shape: [Int], _ numbers: [Double]) throws -> Outcome {
            try Outcome { [.object(try Tensor.from(numbers, Shape(shape)))] }
        }
        for dtype in [DType.float32, .float64] {
            for sample in OpTable.samples {
                let x = try Tensor.from(sample).converted(to: dtype)
                for (name, f) in OpTable.unary {
                    note("\(name) of \(sample.prefix(5))", try call(name, x), try given([sample.count], sample.map(f)))
                }
                for (name, f) in OpTable.binary {
                    let other = Array(sample.reversed())
                    let y = try Tensor.from(other).converted(to: dtype)
                    note(
                        "\(name) of \(sample.prefix(5))", try call(name, x, [.object(y)]),
                        try given([sample.count], zip(sample, other).map(f)))
                    note(
                        "\(name) of \(sample.prefix(5)) and 0.5", try call(name, x, [.number(0.5)]),
                        try given([sample.count], sample.map { f($0, 0.5) }))
                }
                for (name, f) in OpTable.reductions {
                    guard let expected = f(sample) else {
                        noteRefusal("\(name) of nothing", try call(name, x))
                        continue
                    }
                    note("\(name) of \(sample.prefix(5))", try call(name, x), try given([], [expected]))
                    // Along an axis of a turned matrix: columns of three copies.
                    let rows = try x.unsqueezed(1).expanded([sample.count, 3])
                    let result = try call(name, rows, [.table(Table(fields: [("axis", .int(1))]))])
                    note(
                        "\(name) along axis 1 of \(sample.prefix(5))", result,
                        try given([3], [expected, expected, expected]))
                }
                try sorting(x, sample, call)
            }
        }
        try products()
    }

    /// NaN is greatest; equal ones keep their order.
    private mutating func sorting(
        _ x: Tensor, _ sample: [Double], _ call: (String, Tensor, [Value]) throws -> Outcome
    ) throws {
        for descending in [false, true] {
            func isBefore(_ i: Int, _ j: Int) -> Bool {
                let (a, b) = (sample[i], sample[j])
                if a.isNaN && b.isNaN || a == b { return i < j }
                if a.isNaN || b.isNaN { return a.isNaN == descending }
                return descending ? a > b : a < b
            }
            let order = sample.indices.sorted(by: isBefore)
            let options = Value.table(Table(fields: [("descending", .bool(descending))]))
            let expected = try Outcome {
                [
                    .object(try Tensor.from(order.map { sample[$0] })),
                    .object(try Tensor.from(order.map { $0 + 1 })),
                ]
            }
            note("sort of \(sample.prefix(5))", try call("sort", x, [options]), expected)
            guard sample.count > 1 else { continue }
            let best = try Outcome {
                [
                    .object(try Tensor.from(order.prefix(2).map { sample[$0] })),
                    .object(try Tensor.from(order.prefix(2).map { $0 + 1 })),
                ]
            }
            let two = Value.table(Table(fields: [("k", .int(2)), ("largest", .bool(descending))]))
            note("topk of \(sample.prefix(5))", try call("topk", x, [two]), best)
        }
    }

    /// [m, k] × [k, n], each size also 0, and both sides turned in memory.
    private mutating func products() throws {
        for (m, k, n) in [(2, 0, 3), (0, 2, 3), (2, 3, 0), (0, 0, 0), (1, 1, 1), (3, 4, 5), (1, 300, 1), (65, 33, 70)] {
            let a = try Input.numbers([m, k], .float64)
            let b = try Input.numbers([k, n], .float64, seed: 1)
            let (x, y) = (try a.values(Double.self), try b.values(Double.self))
            var sums = [Double](repeating: 0, count: m * n)
            for i in 0..<m { for j in 0..<n { for l in 0..<k { sums[i * n + j] += x[i * k + l] * y[l * n + j] } } }
            let expected = try Outcome { [.object(try Tensor.from(sums, [m, n]))] }
            for dtype in DType.allCases where dtype != .bool {
                let left = try a.converted(to: dtype)
                let right = try b.converted(to: dtype)
                let turned = try left.transposed(0, 1).contiguous().transposed(0, 1)
                let other = try right.transposed(0, 1).contiguous().transposed(0, 1)
                for (p, q) in [(left, right), (turned, right), (left, other), (turned, other)] {
                    note("matmul \(m) \(k) \(n) \(dtype.name)", try Outcome { [.object(try p.matmul(q))] }, expected)
                }
            }
        }
    }
}
