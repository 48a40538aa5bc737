/// Options that belong together: a struct whose properties are `@Option`s, `@Required`s, or other groups.
///
/// An option is one property. Its declaration carries name, default, help and check; call checks, help, completion and
/// run records derive from it.
///
///     struct Options: OptionGroup {
///         @Option("alpha", "strength of the modulation", .atLeast(0)) var alpha = 0.3
///         var window = EpochWindow(to: 50)
///     }
public protocol OptionGroup {
    init()
    /// - Throws: options that do not fit each other; `operation` is the call that messages name. Groups within this one
    ///   are checked before it.
    func check(_ operation: String) throws
}

extension OptionGroup {
    public func check(_ operation: String) throws {}

    /// The declarations, in the order of the properties.
    public static var arguments: [any AnyArgument] {
        let reader = OptionReader(nil)
        _ = OptionReader.$current.withValue(reader) { Self() }
        return reader.declared
    }

    /// The options of a call.
    public init(_ arguments: Arguments) throws {
        self = OptionReader.$current.withValue(OptionReader(arguments)) { Self() }
        try checkAll(arguments.operation)
    }

    private func checkAll(_ operation: String) throws {
        for property in Mirror(reflecting: self).children {
            if let group = property.value as? any OptionGroup { try group.checkAll(operation) }
        }
        try check(operation)
    }
}

/// An option with a default.
@propertyWrapper public struct Option<T: ArgumentType> {
    public var wrappedValue: T

    public init(
        wrappedValue: T, _ name: String, aliases: [String] = [], _ help: String, _ check: Check<T>? = nil,
        called: Signature? = nil
    ) {
        let argument = Argument(name, aliases: aliases, default: wrappedValue, help, check: check, called: called)
        self.wrappedValue = OptionReader.current?.value(argument) ?? wrappedValue
    }
}

/// An option that must be given.
@propertyWrapper public struct Required<T: ArgumentType> {
    private let name: String
    private var value: T?

    public init(
        _ name: String, aliases: [String] = [], _ help: String, _ check: Check<T>? = nil, called: Signature? = nil
    ) {
        self.name = name
        value = OptionReader.current?.value(Argument(name, aliases: aliases, help, check: check, called: called))
    }

    public var wrappedValue: T {
        get {
            guard let value else { preconditionFailure("option '\(name)' is read where no call has given it") }
            return value
        }
        set { value = newValue }
    }
}

/// What the declarations of a group are asked while it is made: who they are, or what a call gave them.
final class OptionReader: @unchecked Sendable {
    @TaskLocal static var current: OptionReader?

    private(set) var declared: [any AnyArgument] = []
    private let given: Arguments?

    init(_ given: Arguments?) { self.given = given }

    func value<T>(_ argument: Argument<T>) -> T? {
        if let given { return given[argument] }
        declared.append(argument)
        return nil
    }
}
