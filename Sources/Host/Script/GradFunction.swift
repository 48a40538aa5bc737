import BSSCore
import BSSTensor

/// `bss.grad(f, parameters)`
enum GradFunction {
    private static let function_ = Argument<Callback>("f", "function() returning a scalar tensor")
    private static let parameters = Argument<Value>(
        "parameters", "a tensor, a list of tensors, or a table of tensors by name")

    static let function = Function(
        "grad",
        "Derivatives of f() with respect to parameters, in the form the parameters were given, and the value of f().",
        [function_, parameters],
        returns: "gradients, value",
        example: "local w = bss.tensor{1, 2}; print(bss.grad(function() return (w * w):sum() end, {w})[1])",
        style: .positional
    ) { a in
        var tensors: [Tensor] = []
        func take(_ value: Value, _ name: String) throws {
            guard case .object(let object) = value, let tensor = object as? Tensor else {
                throw BSSError("bss.grad", "parameter \(name) is \(value.described), expected a tensor", kind: .usage)
            }
            tensors.append(tensor)
        }
        if case .table(let table) = a[parameters] {
            for (index, item) in table.items.enumerated() { try take(item, "\(index + 1)") }
            for (key, value) in table.fields { try take(value, "'\(key)'") }
        } else {
            try take(a[parameters], "1")
        }
        let callback = a[function_]
        let (value, gradients) = try Autograd.gradients(
            of: {
                let results = try callback.function.call([])
                guard case .object(let object)? = results.first, let tensor = object as? Tensor else {
                    throw BSSError(
                        "bss.grad", "the function must return a tensor, got \(results.first?.described ?? "nothing")")
                }
                return tensor
            }, tensors)
        let found: [Value] = gradients.map { .object($0) }
        guard case .table(let table) = a[parameters] else { return [found[0], .object(value)] }
        let count = table.items.count
        let named = zip(table.keys, found[count...]).map { ($0, $1) }
        return [.table(Table(items: Array(found[..<count]), fields: named)), .object(value)]
    }
}
