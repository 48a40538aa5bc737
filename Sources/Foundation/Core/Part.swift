/// A family of interchangeable parts: pace functions, schedulers, encoders, optimizers …
///
/// `bss.<familyName>.<part>{…}` constructs one; configuration files and other constructors may name it instead.
public protocol Family {
    /// The Lua name: `"pace"`.
    static var familyName: String { get }
    /// "pace function", as error messages say it.
    static var noun: String { get }
    static var help: String { get }
    /// Every part, in reading order. The one list; nothing registers itself.
    static var parts: [Part<Self>] { get }
    /// Methods of the constructed object (`:at(epoch)`).
    static var methods: [Function] { get }
    /// Names that can be given alone, as text, where one is expected: for completion.
    static var offered: [String] { get }
}

extension Family {
    /// What scripts hold: its methods and help.
    public static var productType: ObjectType {
        ObjectTypes.of(Self.self) { ObjectType(noun, help: help, methods: methods) }
    }
    public static var methods: [Function] { [] }
    public static var offered: [String] {
        parts.filter { part in part.arguments.allSatisfy { !$0.isRequired } }.map(\.name)
    }
    public static func part(named name: String) throws -> Part<Self> {
        if let part = parts.first(where: { $0.name == name }) { return part }
        let names = parts.map(\.name)
        let near = Text.nearest(to: name, in: names).map { "did you mean '\($0)'? " } ?? ""
        throw BSSError(
            "bss.\(familyName)", "unknown \(noun) '\(name)'", hint: near + "known: " + names.joined(separator: ", "),
            kind: .usage)
    }
}

/// One named part: name, help, arguments with defaults and checks, source and constructor in one declaration.
/// Sendable as every declaration is (see `Argument`).
public struct Part<Product>: @unchecked Sendable {
    public let name: String
    public let summary: String
    public let arguments: [any AnyArgument]
    /// Authors, venue, year, equation.
    public let source: String?
    public let example: String?
    public let restHelp: String?
    public let build: (Arguments) throws -> Product

    public init(
        _ name: String, _ summary: String, _ arguments: [any AnyArgument] = [], source: String? = nil,
        example: String? = nil,
        rest restHelp: String? = nil, build: @escaping (Arguments) throws -> Product
    ) {
        self.name = name
        self.summary = summary
        self.arguments = arguments
        self.source = source
        self.example = example
        self.restHelp = restHelp
        self.build = build
    }
}

extension Part {
    /// A part whose options are the properties of a group.
    public init<O: OptionGroup>(
        _ name: String, _ summary: String, options: O.Type, source: String? = nil, example: String? = nil,
        build: @escaping (O) throws -> Product
    ) {
        self.init(name, summary, O.arguments, source: source, example: example) { try build(O($0)) }
    }
}

/// A constructed part together with the plain configuration that made it, defaults filled in.
public struct Configured<F: Family>: ArgumentType {
    public let product: F
    /// `{name = "root", lambda_0 = 0.1, t_grow = 40}`
    public let configuration: Table

    public init(product: F, configuration: Table) {
        self.product = product
        self.configuration = configuration
    }

    /// Builds the part `name` with the given options.
    public init(_ name: String, _ options: Table = Table()) throws {
        self = try F.part(named: name).configured([.table(options)])
    }

    public static var expected: String { F.noun }
    public static var luaType: String { "\(LuaType.name(F.noun))|string|table" }
    public static var choices: [String] { F.offered }

    /// Accepts a constructed part, a part's name (defaults), or a table `{name = …, options …}`.
    public init(value: Value) throws {
        switch value {
        case .object(let object):
            if let own = object as? any SelfHosted, let product = object as? F {
                self = Configured(product: product, configuration: own.configuration)
            } else {
                guard let part = object as? PartObject<F> else { throw Mismatch() }
                self = part.configured
            }
        case .string(let name):
            self = try Configured(name)
        case .table(var table):
            guard case .string(let name)? = table["name"] else { throw Mismatch("a table needs name = \"…\"") }
            table["name"] = nil
            self = try Configured(name, table)
        default: throw Mismatch()
        }
    }

    public var plain: Value { .table(configuration) }
    public var name: String { configuration["name"]?.string ?? "" }

    /// What scripts hold: the product itself where it is an object of its own, else a `PartObject` around it.
    public var object: any HostObject {
        (product as? any SelfHosted) ?? PartObject(self)
    }
}

extension Part where Product: Family {
    /// The constructor as a function of scripts.
    public var function: Function {
        Function(
            name, summary, arguments, returns: Product.noun, example: example ?? plainExample, source: source,
            rest: restHelp,
            body: { [self] in [.object(try configured(decoded: $0).object)] })
    }

    /// A part that needs no options shows how it is made without any.
    private var plainExample: String? {
        arguments.allSatisfy { !$0.isRequired } && restHelp == nil ? "bss.\(Product.familyName).\(name){}" : nil
    }

    /// Decodes script values and builds.
    public func configured(_ values: [Value]) throws -> Configured<Product> {
        try configured(decoded: function.decode(values, path: "bss.\(Product.familyName).\(name)"))
    }

    private func configured(decoded: Arguments) throws -> Configured<Product> {
        let fields =
            [("name", Value.string(name))] + decoded.plain(arguments)
            + decoded.rest.map { ($0.key, Part.plainOf($0.value)) }
        let product = try build(decoded)
        let configuration = Table(fields: fields)
        if let own = product as? any SelfHosted { own.configuration = configuration }
        return Configured(product: product, configuration: configuration)
    }

    private static func plainOf(_ value: Value) -> Value {
        if case .object(let object) = value, let part = object as? any ConfiguredObject {
            return .table(part.configuration)
        }
        return value
    }
}

extension Configured {
    /// A part of our own catalogue for use as another declaration's default.
    public static func named(_ name: String, _ options: Table = Table()) -> Configured {
        do { return try Configured(name, options) } catch {
            preconditionFailure("\(F.familyName) has no part '\(name)' that works with \(options.keys): \(error)")
        }
    }
}

/// A part that a script holds, seen without its family.
public protocol ConfiguredObject: HostObject { var configuration: Table { get } }

/// A product with properties and methods of its own (a dataset): scripts hold it directly, not wrapped in a
/// `PartObject`.
public protocol SelfHosted: ConfiguredObject { var configuration: Table { get set } }

/// The userdata of a constructed part.
public final class PartObject<F: Family>: ConfiguredObject {
    public let configured: Configured<F>
    public var product: F { configured.product }
    public var configuration: Table { configured.configuration }
    public init(_ configured: Configured<F>) { self.configured = configured }

    public var objectType: ObjectType { F.productType }
    public var summary: String { "bss.\(F.familyName).\(configured.name)" + JSON.lua(.table(optionsOnly)) }
    public func member(_ name: String) -> Value? { configuration[name] }
    public var memberNames: [String] { configuration.keys }

    private var optionsOnly: Table {
        var table = configuration
        table["name"] = nil
        return table
    }
}

/// One `ObjectType` per generic family, made on first use.
enum ObjectTypes {
    nonisolated(unsafe) private static var made: [ObjectIdentifier: ObjectType] = [:]
    static func of(_ type: Any.Type, _ make: () -> ObjectType) -> ObjectType {
        let key = ObjectIdentifier(type)
        if let found = made[key] { return found }
        let new = make()
        made[key] = new
        return new
    }
}

extension Arguments {
    /// The part a method was called on.
    public func part<F: Family>(_ family: F.Type) throws -> F { try receiver(as: PartObject<F>.self).product }
}
