import BSSBackend
import BSSCore
import BSSTensor
import Foundation
import Testing
import _BSSTestSupport

/// Numbers of 16 bits: rounding, what operations on them give, gradients, files.
@Suite(.oneAtATime) struct HalfTests {
    private func rounded(_ values: [Float], _ dtype: DType) throws -> [Float] {
        try Tensor.from(values).converted(to: dtype).values()
    }

    @Test func everyHalfComesBack() throws {
        let all = (0...UInt16.max).map { Float(Float16(bitPattern: $0)) }
        for (a, b) in zip(try rounded(all, .float16), all) { #expect(a == b || a.isNaN && b.isNaN) }
        let upper = (0...UInt16.max).map { Float(bitPattern: UInt32($0) << 16) }
        for (a, b) in zip(try rounded(upper, .bfloat16), upper) { #expect(a == b || a.isNaN && b.isNaN) }
    }

    @Test func roundingIsToTheNearestAndTiesToEven() throws {
        var stream = RandomStream(seed: 5, name: "half")
        let some = (0..<4096).map { _ in Float(bitPattern: stream.nextWord()) }
        let edges: [Float] = [
            65519.9, 65520, -65520, 6e-8, 2.9e-8, 3e-8, 6.1e-5, 1 + 0x1p-11, 1 + 0x3p-11, -0.0, 1e-45,
        ]
        let values = some + edges
        for (x, y) in zip(values, try rounded(values, .float16)) {
            let expected = Float(Float16(x))
            #expect(y.bitPattern == expected.bitPattern || y.isNaN && x.isNaN, "\(x)")
        }
        #expect(
            try rounded([1 + 0x1p-8, 1 + 0x3p-8, .greatestFiniteMagnitude], .bfloat16) == [1, 1 + 0x4p-8, .infinity])
    }

    @Test(arguments: [DType.float16, .bfloat16])
    func operationsGiveSingles(dtype: DType) throws {
        let x = try Tensor.from([1, 2, 3, 4] as [Float], [2, 2]).converted(to: dtype)
        #expect(try x.adding(x).dtype == .float32 && x.sum().dtype == .float32 && x.matmul(x).dtype == .float32)
        #expect(try x.matmul(x).values(Float.self) == [7, 10, 15, 22])
        #expect(DType.promoted(.float16, .bfloat16) == .float32 && DType.promoted(dtype, .float64) == .float64)
        #expect(try x.transposed(0, 1).contiguous().dtype == dtype && x.sorted().values.dtype == dtype)
        #expect(try Tensor.concatenated([x, x], axis: 0).values(Float.self) == [1, 2, 3, 4, 1, 2, 3, 4])
        #expect(try x.gather(1, Tensor.from([1, 0], [2, 1])).values(Float.self) == [2, 3])
    }

    /// 0.1 is not rounded to the dtype of what it multiplies.
    @Test func numbersBesideHalves() throws {
        let x = try Tensor.ones([1]).converted(to: .bfloat16)
        let multiply = try #require(Tensor.scriptType.operators["__mul"])
        let product = try #require(try multiply([.object(x), .number(0.1)]).tensor)
        #expect(try product.item() == Double(Float(0.1)))
    }

    @Test(arguments: [DType.float16, .bfloat16])
    func gradients(dtype: DType) throws {
        let w = try Tensor.from([1, 2, 3] as [Float]).converted(to: dtype).requiringGradient()
        let gradient = try #require(try (w * w).sum().adding(w.sliced(0, from: 1, to: 2).sum()).backward()[w])
        #expect(try gradient.values(Float.self) == [2, 5, 6])
    }

    /// To and from every other dtype, filled, padded, chosen, gathered: the numbers of the CPU.
    @Test(arguments: [DType.float16, .bfloat16])
    func conversions(dtype: DType) throws {
        let numbers: [Double] = [0, -1, 2.5, 1e-6, 3.14159, 70000, -.infinity, .nan]
        func results() throws -> [[Double]] {
            var results: [[Double]] = []
            func add(_ x: Tensor) throws { results.append(try x.converted(to: .float64).values(Double.self)) }
            for other in DType.allCases {
                let x = try Tensor.from(numbers).converted(to: other)
                try add(x.converted(to: dtype))
                try add(x.converted(to: dtype).converted(to: other))
            }
            let x = try Tensor.from(numbers, [2, 4]).converted(to: dtype)
            try add(Tensor.full([3], 0.1, dtype))
            try add(x.padded([(1, 2)], value: 0.1))
            let isPositive = try Tensor.compare(.greater, x, Tensor.zeros([2, 4], dtype))
            try add(Tensor.select(isPositive, x, Tensor.full([2, 4], 0.1, dtype)))
            try add(x.indexSelect(1, Tensor.from([3, 0])))
            try add(Tensor.concatenated([x.transposed(0, 1), x.transposed(0, 1)], axis: 1))
            return results
        }
        let here = try results()
        let device = Devices.current
        defer { Devices.current = device }
        Devices.current = try Devices.backend(for: .cpu)
        for (a, b) in zip(here.joined(), try results().joined()) { #expect(a == b || a.isNaN && b.isNaN) }
    }

    @Test func files() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("half-\(getpid()).safetensors").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let x = try Tensor.from([0.1, -2, 1e-6, .infinity] as [Float], [2, 2])
        try TensorFile.write(
            [("a", x.converted(to: .float16)), ("b", x.converted(to: .bfloat16))], to: path)
        let read = try TensorFile.read(path).tensors
        for (name, dtype) in [("a", DType.float16), ("b", .bfloat16)] {
            let tensor = try #require(read[name])
            #expect(tensor.dtype == dtype)
            #expect(try tensor.values(Float.self) == rounded(x.values(), dtype))
        }
    }
}

extension Value {
    fileprivate var tensor: Tensor? {
        if case .object(let object) = self { return object as? Tensor }
        return nil
    }
}
