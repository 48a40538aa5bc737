/// The decoded arguments of one call: every declared name has a value of its declared type.
public struct Arguments {
    public let operation: String
    private var values: [String: any ArgumentType]
    /// The object a method was called on.
    public var receiver: (any HostObject)?
    /// Fields beyond the declared ones, where the declaration allows them (`bss.model{ audio = … }`), in call order.
    public private(set) var rest: [(key: String, value: Value)] = []
    /// Positional values beyond the declared ones, where the declaration is variadic.
    public private(set) var extra: [Value] = []

    /// The value of a declared argument.
    public subscript<T>(argument: Argument<T>) -> T {
        guard let value = values[argument.name] as? T else {
            preconditionFailure("\(operation) reads '\(argument.name)', which it does not declare")
        }
        return value
    }

    /// The receiver as its Swift type.
    public func receiver<O: HostObject>(as type: O.Type) throws -> O {
        guard let typed = receiver as? O else {
            throw BSSError(
                operation, "expected \(type), got \(receiver?.objectType.name ?? "nothing")",
                hint: "call methods with a colon")
        }
        return typed
    }

    /// Every declared argument in its plain form, defaults filled in: what a manifest records.
    public func plain(_ declared: [any AnyArgument]) -> [(String, Value)] {
        declared.compactMap { argument in values[argument.name].map { (argument.name, $0.plain) } }
    }

    /// Decodes named and positional values against declarations.
    ///
    /// - Throws: usage errors that name the operation, the option, what was expected and what came; an unknown
    ///   option comes with the nearest known one.
    public init(
        operation: String, declared: [any AnyArgument], positional: [Value] = [], named: Table = Table(),
        allowsRest: Bool = false, isVariadic: Bool = false, receiver: (any HostObject)? = nil
    ) throws {
        self.operation = operation
        self.receiver = receiver
        values = Dictionary(minimumCapacity: declared.count)
        if positional.count > declared.count {
            guard isVariadic else {
                throw BSSError(
                    operation, "takes at most \(declared.count) values, got \(positional.count)", kind: .usage)
            }
            extra = Array(positional[declared.count...])
        }
        // Before what is missing: a misspelt option is both.
        for (key, value) in named.fields
        where !declared.contains(where: { $0.name == key || $0.aliases.contains(key) }) {
            guard allowsRest else {
                let known = declared.flatMap { [$0.name] + $0.aliases }
                let near =
                    Arguments.habit(key, known) ?? Text.nearest(to: key, in: known).map { "did you mean '\($0)'?" }
                let list = known.isEmpty ? "it takes no options" : "known: \(known.joined(separator: ", "))"
                throw BSSError(
                    operation, "unknown option '\(key)'", hint: near.map { "\($0) \(list)" } ?? list, kind: .usage)
            }
            rest.append((key, value))
        }
        for (index, argument) in declared.enumerated() {
            var value = named[argument.name]
            for alias in argument.aliases {
                guard let other = named[alias] else { continue }
                if value != nil {
                    throw BSSError(
                        operation, "option '\(argument.name)' is given twice: also as '\(alias)'", kind: .usage)
                }
                value = other
            }
            if index < positional.count {
                if value != nil {
                    throw BSSError(operation, "option '\(argument.name)' is given twice", kind: .usage)
                }
                value = positional[index]
            }
            values[argument.name] = try argument.decode(value, operation: operation)
        }
    }
}

extension Arguments {
    /// Names of options elsewhere, and what they are here.
    private static let habits = [
        "bs": "batch_size", "batch": "batch_size", "n_epochs": "epochs", "num_epochs": "epochs", "wd": "weight_decay",
        "optim": "optimizer", "criterion": "loss", "dataset": "data", "network": "model", "random_state": "seed",
        "momentum_factor": "momentum", "target": "label", "labels": "label", "label_column": "label", "y": "label",
        "features": "modalities", "columns": "modalities", "sep": "separator", "delimiter": "separator",
        "path": "root", "csv": "list", "index": "list",
    ]

    /// What an option of another library is called here.
    static func habit(_ key: String, _ known: [String]) -> String? {
        if ["lr", "weight_decay", "wd", "momentum"].contains(key), known.contains("optimizer") {
            let name = ["lr": "learning_rate", "wd": "weight_decay"][key] ?? key
            return "it is the optimizer's: optimizer = bss.optimizer.sgd{ \(name) = … }."
        }
        if key == "device" { return "the device is the run's: bss-lua --device cuda script.lua, or BSS_DEVICE." }
        if ["shuffle", "sampler"].contains(key), known.contains("scheduler") {
            return "scheduler = \"random\" shuffles; others order the samples."
        }
        if ["callbacks", "verbose"].contains(key), known.contains("on_epoch") {
            return "on_epoch = function(e) … end is called after each epoch."
        }
        if key == "lr", known.contains("learning_rate") { return "did you mean 'learning_rate'?" }
        return habits[key].flatMap { known.contains($0) ? "did you mean '\($0)'?" : nil }
    }
}
