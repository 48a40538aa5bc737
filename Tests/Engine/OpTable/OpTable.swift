import BSSBackend
import BSSCore
import BSSTensor

/// Every operator that scripts can call × every dtype × every layout, generated from the declarations: the right value
/// or one clear error. What is right: the same call on f64 numbers in plain rows, which naive formulas check in turn.
public struct OpTable {
    public private(set) var calls = 0, refusals = 0, gradients = 0
    public private(set) var failures: [String] = []

    private let onFunction: (String) -> Void

    /// `onFunction` hears of every operator before it is tried.
    public init(onFunction: @escaping (String) -> Void = { _ in }) { self.onFunction = onFunction }

    /// Names whose results tell of dtype or memory, or are drawn.
    private static let ownResults: Set<String> = ["dtype", "to", "requires_grad", "__eq"]

    public mutating func run(big: Bool = true) throws {
        for function in Tensor.scriptType.methods {
            onFunction(function.name)
            for input in Input.layouts { try methods(function, input) }
            if big, function.arguments.count < 2 || function.name.hasPrefix("arg") || function.name == "logsumexp" {
                for input in Input.big { try methods(function, input, most: 4) }
            }
        }
        for (name, operation) in Tensor.scriptType.operators.sorted(by: { $0.key < $1.key }) {
            for input in Input.layouts { try operators(name, operation, input) }
        }
        for function in TensorFunctions.all {
            onFunction("bss." + function.name)
            try functions(function)
        }
        try structured()
        try references()
    }

    // MARK: Methods

    private mutating func methods(_ function: Function, _ input: Input, most: Int = .max) throws {
        for dtype in DType.allCases {
            let shown = try input.make(dtype)
            for call in try Candidates.calls(function, receiver: shown, dtype: dtype).prefix(most) {
                let label = "\(input.name) \(dtype.name):\(function.name)(\(OpTable.text(call)))"
                try check(label, function.name, dtype) { wide in
                    let x = try input.make(dtype)
                    // The reference: the same numbers in plain rows, as f64.
                    let receiver = try wide ? OpTable.plain(x) : x
                    let arguments = wide ? try call.map { ($0.name, try OpTable.plain($0.value)) } : call
                    return (receiver, Candidates.values(arguments, function))
                } body: { receiver, values in
                    try function.call(values, receiver: receiver)
                }
            }
        }
    }

    private mutating func operators(
        _ name: String, _ operation: @escaping ([Value]) throws -> Value, _ input: Input
    ) throws {
        let other = Function("other", "", [Argument<TensorArgument>("other", "")], style: .positional) { _ in [] }
        for dtype in DType.allCases {
            for call in try Candidates.calls(other, receiver: input.make(dtype), dtype: dtype) {
                let label = "\(input.name) \(dtype.name) \(name) \(OpTable.text(call))"
                try check(label, name, dtype) { wide in
                    let x = try input.make(dtype)
                    let value = try wide ? OpTable.plain(call[0].value) : call[0].value
                    return (try wide ? OpTable.plain(x) : x, [value])
                } body: { receiver, values in
                    let unary = name == "__unm" || name == "__len"
                    return [try operation(unary ? [.object(receiver)] : [.object(receiver)] + values)]
                }
            }
        }
    }

    /// The call against its reference, and where both are floats, gradients too.
    private mutating func check(
        _ label: String, _ name: String, _ dtype: DType,
        _ make: (_ isReference: Bool) throws -> (Tensor, [Value]),
        body: (Tensor, [Value]) throws -> [Value]
    ) throws {
        calls += 1
        let (receiver, values) = try make(false)
        let outcome: Outcome
        let expected: Outcome
        do {
            outcome = try Outcome { try body(receiver, values) }
            let (plain, others) = try make(true)
            expected = try Outcome { try body(plain, others) }
        } catch {
            failures.append("\(label): \(error)")
            return
        }
        if let refusal = outcome.refusal {
            refusals += 1
            if refusal.count < 8 { failures.append("\(label): refused with '\(refusal)'") }
            // A float may be refused only where the reference is.
            let isStretched = receiver.shape.indices.contains {
                receiver.view.strides[$0] == 0 && receiver.shape[$0] > 1
            }
            if name == "assign", isStretched { return }  // its elements share memory
            if dtype.isReal, expected.refusal == nil { failures.append("\(label): refused, \(refusal)") }
            return
        }
        if OpTable.ownResults.contains(name) { return }
        if expected.refusal != nil { return }  // integers have what floats have not, an exact power
        if dtype.isReal || !OpTable.dependsOnKind(name), let difference = outcome.difference(to: expected) {
            failures.append("\(label): \(difference)")
        }
        // Gradients of halves are halves.
        if dtype.isReal { try gradient(label, make, body, tolerance: dtype == .bfloat16 ? 8e-3 : 2e-3) }
    }

    /// Results that follow the kind of number by rule: integers are cut, powers wrap, positions stay.
    private static func dependsOnKind(_ name: String) -> Bool {
        ["pow", "__pow", "assign", "masked_fill", "size", "neg", "__unm", "__len"].contains(name)
    }

    private mutating func gradient(
        _ label: String, _ make: (Bool) throws -> (Tensor, [Value]), _ body: (Tensor, [Value]) throws -> [Value],
        tolerance: Double
    ) throws {
        func slope(_ isReference: Bool) throws -> Outcome? {
            let (x, values) = try make(isReference)
            let leaf = try x.requiringGradient()
            var total: Tensor?
            for value in (try? body(leaf, values)) ?? [] {
                guard case .object(let object) = value, let y = object as? Tensor, y.requiresGradient else { continue }
                let part = try y.converted(to: .float64).sum()
                total = try total.map { try $0 + part } ?? part
            }
            guard let total else { return nil }
            return try Outcome { [.object(try total.backward()[leaf] ?? Tensor.zeros(leaf.shape, leaf.dtype))] }
        }
        do {
            guard let mine = try slope(false), let reference = try slope(true) else { return }
            gradients += 1
            if let difference = mine.difference(to: reference, tolerance: tolerance) {
                failures.append("\(label): gradient, \(difference)")
            }
        } catch { failures.append("\(label): gradient, \(error)") }
    }

    // MARK: Functions

    private mutating func functions(_ function: Function) throws {
        for dtype in DType.allCases {
            for call in try Candidates.calls(function, receiver: nil, dtype: dtype) {
                calls += 1
                let label = "bss.\(function.name)(\(OpTable.text(call)))"
                do {
                    let outcome = try Outcome { try function.call(Candidates.values(call, function)) }
                    if outcome.refusal != nil { refusals += 1 }
                } catch { failures.append("\(label): \(error)") }
            }
        }
    }

    // MARK: Parts

    mutating func note(_ label: String, _ outcome: Outcome, _ expected: Outcome, tolerance: Double = 2e-3) {
        calls += 1
        if outcome.refusal != nil { refusals += 1 }
        if outcome.refusal != nil, expected.refusal != nil { return }
        if let difference = outcome.difference(to: expected, tolerance: tolerance) {
            failures.append("\(label): \(difference)")
        }
    }

    /// A refusal that was expected; anything else is a failure.
    mutating func noteRefusal(_ label: String, _ outcome: Outcome) {
        calls += 1
        refusals += 1
        if outcome.refusal == nil { failures.append("\(label): not refused") }
    }

    mutating func noteGradient() { gradients += 1 }

    static func plain(_ x: Tensor) throws -> Tensor { try Tensor.from(x.values(Double.self), x.shape) }

    private static func plain(_ value: Value) throws -> Value {
        guard case .object(let object) = value, let tensor = object as? Tensor, tensor.dtype.isReal else {
            return value
        }
        return .object(try plain(tensor))
    }

    private static func text(_ call: Candidates.Call) -> String {
        call.map { name, value in
            if case .object(let object) = value, let tensor = object as? Tensor {
                return "\(name) = \(tensor.dtype.name) \(tensor.shape)"
            }
            return "\(name) = \(JSON.lua(value))"
        }
        .joined(separator: ", ")
    }
}
