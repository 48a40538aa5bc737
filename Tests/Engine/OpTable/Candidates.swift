import BSSBackend
import BSSCore
import BSSTensor

/// Values for declared arguments, from what their declarations say they take.
enum Candidates {
    /// One call: values by argument name.
    typealias Call = [(name: String, value: Value)]

    /// Calls of a function: the first value of every required argument, then every other value of each argument in
    /// turn.
    static func calls(_ function: Function, receiver: Tensor?, dtype: DType) throws -> [Call] {
        var base: Call = []
        var others: [(String, [Value])] = []
        for argument in function.arguments {
            let values = try values(argument, receiver: receiver, dtype: dtype)
            if argument.isRequired, let first = values.first { base.append((argument.name, first)) }
            others.append((argument.name, argument.isRequired ? Array(values.dropFirst()) : values))
        }
        var calls = [base]
        for (name, values) in others {
            for value in values {
                var call = base.filter { $0.name != name }
                call.append((name, value))
                calls.append(call)
            }
        }
        return calls
    }

    /// As `Function.call` takes them.
    static func values(_ call: Call, _ function: Function) -> [Value] {
        if function.style == .options {
            return call.isEmpty ? [] : [.table(Table(fields: call.map { ($0.name, $0.value) }))]
        }
        return function.arguments.map { argument in call.first { $0.name == argument.name }?.value ?? .null }
    }

    private static func values(_ argument: any AnyArgument, receiver: Tensor?, dtype: DType) throws -> [Value] {
        let rank = receiver?.rank ?? 2
        let expected = argument.expected
        switch true {
        case expected.hasPrefix("axis"):
            return ([-1] + (rank > 0 ? Array(1...rank) : [1]) + [rank + 1]).map(Value.int)
        case expected.hasPrefix("list of axis"):
            return [.list((1...max(rank, 1)).reversed().map(Value.int)), .list([.int(1)])]
        case expected.hasPrefix("dtype"): return DType.allCases.map { .string($0.name) }
        case expected.hasPrefix("boolean"): return [.bool(true), .bool(false)]
        case expected.hasPrefix("integer"): return [.int(1), .int(2), .int(0), .int(-1)]
        case expected.hasPrefix("number"):
            return [0.5, 0, 1, 2, -1, 3, .infinity, -.infinity].map(Value.number) + [.int(2), .int(-2)]
        case expected.hasPrefix("list of integer"): return try sizes(receiver)
        case expected.hasPrefix("list of tensor"):
            let x = try receiver ?? Input.numbers([3, 4], dtype)
            return [[x, x], [x], [x, try x.converted(to: .float64)], [x, try Input.numbers([2], dtype)]].map {
                .list($0.map { Value.object($0) })
            }
        case expected.hasPrefix("tensor or number"): return try partners(argument.name, receiver, dtype)
        case expected.hasPrefix("string"): return argument.choices.map(Value.string)
        case expected.hasPrefix("value"):
            return [.list([.list([.int(1), .int(2)]), .list([.int(3), .number(0.5)])]), .int(3), .number(1.5)]
        default: return [.int(1)]
        }
    }

    private static func sizes(_ receiver: Tensor?) throws -> [Value] {
        guard let receiver else {
            return [[2, 3], [], [0], [3, 0], [1], [20_000, 1]].map { .list($0.map(Value.int)) }
        }
        let shape = receiver.shape.array
        return [shape, [-1], [receiver.elementCount], [2] + shape, shape + [1], [0], [-1, 3]].map {
            .list($0.map(Value.int))
        }
    }

    /// The other operand: the same shape, shapes that broadcast, matrices that fit, numbers; positions and masks by
    /// name.
    private static func partners(_ name: String, _ receiver: Tensor?, _ dtype: DType) throws -> [Value] {
        let shape = receiver?.shape ?? [3, 4]
        func object(_ tensor: Tensor) -> Value { .object(tensor) }
        switch name {
        case "positions", "labels":
            let ones = try Tensor.ones(name == "labels" ? [shape.rank > 0 ? shape[0] : 1] : shape, .int64)
            return [
                object(ones), .list([.int(1), .int(1)]), object(try Tensor.zeros([0], .int64)), .list([.int(9)]),
                .list([.number(1.9)]), .list([.number(.nan)]),
            ]
        case "mask", "condition":
            return [object(try Input.numbers(shape, .bool)), object(try Input.numbers([1], .bool)), .int(1)]
        default:
            var all = [object(try Input.numbers(shape, dtype, seed: 1)), .int(2), .number(0.5), .int(0)]
            for other in DType.allCases where other != dtype {
                all.append(object(try Input.numbers(shape, other, seed: 2)))
            }
            all.append(object(try Input.numbers([], dtype, seed: 1)))
            if shape.rank > 0 { all.append(object(try Input.numbers([shape.last], dtype, seed: 1))) }
            // Not where broadcasting would make hundreds of millions of elements.
            if shape.rank > 1, shape.elementCount <= 4096 {
                var turned = shape
                (turned[0], turned[shape.rank - 1]) = (shape[shape.rank - 1], shape[0])
                all.append(object(try Input.numbers(turned, dtype, seed: 1)))
                let laid = try Input.numbers(turned, dtype, seed: 1).transposed(0, -1)
                if laid.shape == shape { all.append(object(laid)) }
                all.append(object(try Input.numbers([shape.last, 2], dtype, seed: 1)))
            }
            all.append(object(try Input.numbers([7], dtype, seed: 1)))
            return all
        }
    }
}
