import BSSBackend
import BSSCore

extension TensorMethods {
    private static let axis = Argument<Axis>("axis", "axis to work along")
    private static let first = Argument<Axis>("axis1", "first axis"), second = Argument<Axis>("axis2", "second axis")
    private static let sizes = Argument<[Int]>("shape", "sizes; one may be -1 and is inferred")
    private static let order = Argument<[Axis]>("order", "axis i of the result is axis order[i] of this")
    private static let from = Argument("from", default: 1, "first position"),
        to = Argument<Int?>("to", default: nil, "last position (included); the end if left out")
    private static let step = Argument("step", default: 1, "every step-th", check: .atLeast(1))

    /// The positions of the axis that are asked for, from 0.
    private static func chosen(_ a: Arguments, along x: Tensor) throws -> Tensor {
        let name = a.operation.split(separator: ":").last.map(String.init) ?? a.operation
        let given = try a[positions].integers(name, "positions")
        let size = x.shape[try x.shape.axis(a[axis].index, operation: name)]
        let list: [Int] = try given.values()
        if let at = list.firstIndex(where: { $0 < 1 || $0 > size }) {
            throw BSSError(
                name, "position \(list[at]), number \(at + 1) of them, does not lie in an axis of size \(size)",
                hint: "positions count from 1", kind: .usage)
        }
        return try given.unary(.addScalar, -1)
    }

    static let shaping: [Function] = [
        Function(
            "reshape", "The same elements in row-major order under another shape.", [sizes], returns: "tensor",
            example: "bss.arange(6):reshape{2, 3}"
        ) { a in
            result(try tensor(a).reshaped(inferring: a[sizes]))
        },
        Function(
            "permute", "Axes in another order.", [order], returns: "tensor",
            example: "bss.ones{2, 3, 4}:permute{3, 1, 2}"
        ) { a in result(try tensor(a).permuted(a[order].map(\.index))) },
        Function(
            "transpose", "Two axes exchanged.", [first, second], returns: "tensor",
            example: "bss.ones{2, 3, 4}:transpose(1, 3)"
        ) { a in result(try tensor(a).transposed(a[first].index, a[second].index)) },
        Function("t", "A matrix turned.", returns: "tensor", example: "bss.tensor{{1, 2}, {3, 4}}:t()") { a in
            result(try tensor(a).transposed(0, 1))
        },
        Function(
            "squeeze", "Without an axis of size 1.", [axis], returns: "tensor", example: "bss.ones{1, 3}:squeeze(1)"
        ) { a in result(try tensor(a).squeezed(a[axis].index)) },
        Function(
            "unsqueeze", "With a new axis of size 1.", [axis], returns: "tensor", example: "bss.ones{3}:unsqueeze(1)"
        ) { a in result(try tensor(a).unsqueezed(a[axis].index)) },
        Function(
            "expand", "Broadcast to a larger shape without copying.", [sizes], returns: "tensor",
            example: "bss.tensor{{1, 2}}:expand{3, 2}"
        ) { a in
            result(try tensor(a).expanded(Shape(a[sizes], operation: "expand")))
        },
        Function("flatten", "As one axis.", returns: "tensor", example: "bss.ones{2, 3}:flatten()") { a in
            let x = try tensor(a)
            return result(try x.reshaped([x.elementCount]))
        },
    ]

    static let indexing: [Function] = [
        Function(
            "narrow", "Positions from … to (1-based, both included) of an axis, every step-th.",
            [axis, from, to, step], returns: "tensor", example: "bss.arange(6):narrow{ axis = 1, from = 2, to = 4 }"
        ) { a in
            let x = try tensor(a)
            let size = x.shape[try x.shape.axis(a[axis].index, operation: "narrow")]
            let start = a[from] > 0 ? a[from] - 1 : size + a[from]
            let end = a[to].map { $0 > 0 ? $0 : size + $0 + 1 } ?? size
            guard start >= 0, end <= size, start <= end else {
                throw BSSError(
                    "narrow", "positions \(a[from]) to \(a[to] ?? size) do not lie in an axis of size \(size)")
            }
            return result(try x.sliced(a[axis].index, from: start, to: end, step: a[step]))
        },
        Function(
            "index_select", "The given positions (from 1) of an axis.", [axis, positions], returns: "tensor",
            example: "bss.arange(5):index_select{ axis = 1, positions = {5, 1} }"
        ) { a in
            let x = try tensor(a)
            return result(try x.indexSelect(a[axis].index, chosen(a, along: x)))
        },
        Function(
            "gather", "y[…, i, …] = x[…, index[…, i, …], …]; positions from 1.", [axis, positions], returns: "tensor",
            example: "bss.tensor{{1, 2}, {3, 4}}:gather{ axis = 2, positions = {{2}, {1}} }"
        ) { a in
            let x = try tensor(a)
            return result(try x.gather(a[axis].index, chosen(a, along: x)))
        },
        Function(
            "sort", "Sorted values and their positions (from 1) along an axis; stable.", [lastAxis, descending],
            returns: "tensor, positions", example: "bss.tensor{3, 1, 2}:sort{ descending = true }"
        ) { a in
            let sorted = try tensor(a).sorted(a[lastAxis].index, descending: a[descending])
            return [.object(sorted.values), .object(try sorted.indices.unary(.addScalar, 1))]
        },
        Function(
            "topk", "The k largest (or smallest) values and their positions along an axis.",
            [count, lastAxis, largest], returns: "tensor, positions", example: "bss.tensor{3, 1, 2}:topk{ k = 2 }"
        ) { a in
            let top = try tensor(a).topK(a[count], axis: a[lastAxis].index, largest: a[largest])
            return [.object(top.values), .object(try top.indices.unary(.addScalar, 1))]
        },
        Function(
            "cumsum", "Running sum along an axis.", [lastAxis], returns: "tensor", example: "bss.arange(4):cumsum()"
        ) { a in result(try tensor(a).cumulativeSum(a[lastAxis].index)) },
        Function(
            "masked_fill", "`value` where the mask is true.", [mask, value], returns: "tensor",
            example: "bss.tensor{1, 2}:masked_fill(bss.tensor({0, 1}, \"bool\"), -1)", style: .positional
        ) { a in
            let x = try tensor(a)
            return result(try Tensor.select(a[mask].tensor, a[value].matching(x), x))
        },
    ]

    private static let positions = Argument<TensorArgument>("positions", "positions, from 1")
    private static let lastAxis = Argument("axis", default: Axis.last, "axis to work along")
    private static let descending = Argument("descending", default: false, "largest first")
    private static let count = Argument<Int>("k", "how many", check: .atLeast(1)),
        largest = Argument("largest", default: true, "the largest rather than the smallest")
    private static let mask = Argument<TensorArgument>("mask", "bool tensor"),
        value = Argument<TensorArgument>("value", "what masked elements become")

    // MARK: Reading, converting, differentiating

    private static let dtype = Argument<DTypeName>("dtype", "element type")
    private static let source = Argument<TensorArgument>("values", "new values of the same shape")

    static let reading: [Function] = [
        Function("shape", "Sizes of the axes.", returns: "list", example: "bss.ones{2, 3}:shape()") { a in
            [.list(try tensor(a).shape.array.map(Value.int))]
        },
        Function("size", "Size of one axis.", [axis], returns: "integer", example: "bss.ones{2, 3}:size(2)") { a in
            let x = try tensor(a)
            return [.int(x.shape[try x.shape.axis(a[axis].index, operation: "size")])]
        },
        Function("dim", "Number of axes.", returns: "integer", example: "bss.ones{2, 3}:dim()") { a in
            [.int(try tensor(a).rank)]
        },
        Function("numel", "Number of elements.", returns: "integer", example: "bss.ones{2, 3}:numel()") { a in
            [.int(try tensor(a).elementCount)]
        },
        Function("dtype", "Element type.", returns: "string", example: "bss.ones{2}:dtype()") { a in
            [.string(try tensor(a).dtype.name)]
        },
        Function("item", "The only element, as a number.", returns: "number", example: "bss.ones{2, 3}:sum():item()") {
            a in
            let x = try tensor(a)
            let number = try x.item()  // also the check that there is one element
            return [
                x.dtype == .int64
                    ? .int(try x.values(Int.self)[0]) : x.dtype == .bool ? .bool(number != 0) : .number(number)
            ]
        },
        Function("totable", "Nested lists of numbers.", returns: "table", example: "bss.ones{2, 2}:totable()") { a in
            [try nested(tensor(a))]
        },
        Function(
            "stats", "Of the finite elements: { mean, std, min, max }, and how many are not: { nan, inf }.",
            returns: "table", example: "bss.randn{100}:stats().mean"
        ) { a in
            let s = try tensor(a).finiteStatistics()
            return [
                .fields([
                    ("mean", .number(s.mean)), ("std", .number(s.deviation)), ("min", .number(s.low)),
                    ("max", .number(s.high)), ("nan", .int(s.nan)), ("inf", .int(s.infinite)),
                ])
            ]
        },
        Function("to", "The values as another dtype.", [dtype], returns: "tensor", example: "bss.ones{2}:to(\"f64\")") {
            a in result(try tensor(a).converted(to: a[dtype].dtype))
        },
        Function("contiguous", "Row-major without gaps.", returns: "tensor", example: "bss.ones{2, 3}:t():contiguous()")
        { a in result(try tensor(a).contiguous()) },
        Function(
            "detach", "The same values outside the graph of derivatives.", returns: "tensor",
            example: "bss.ones{2}:requires_grad():detach()"
        ) { a in result(try tensor(a).detached) },
        Function(
            "requires_grad", "A leaf with these values, for :backward().", returns: "tensor",
            example: "bss.ones{2}:requires_grad()"
        ) { a in result(try tensor(a).requiringGradient()) },
        Function(
            "assign", "Overwrites the values in place (for parameters in hand-written training steps).", [source],
            returns: "tensor", example: "bss.zeros{2}:assign(bss.tensor{1, 2})", style: .positional
        ) { a in
            let x = try tensor(a)
            try x.assign(a[source].exact)
            return result(x)
        },
    ]

    private static func nested(_ x: Tensor) throws -> Value {
        // 64-bit integers as they are: a double holds 53 bits of them.
        let integers = x.dtype == .int64 ? try x.values(Int.self) : []
        let numbers = x.dtype == .int64 ? [] : try x.values(Double.self)
        func leaf(_ at: Int) -> Value {
            x.dtype == .int64 ? .int(integers[at]) : x.dtype == .bool ? .bool(numbers[at] != 0) : .number(numbers[at])
        }
        func level(_ axis: Int, _ start: Int, _ span: Int) -> Value {
            if axis == x.rank { return leaf(start) }
            let step = x.shape[axis] == 0 ? 0 : span / x.shape[axis]
            return .list((0..<x.shape[axis]).map { level(axis + 1, start + $0 * step, step) })
        }
        return level(0, 0, x.elementCount)
    }
}
