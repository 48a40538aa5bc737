import BSSCodecs
import BSSCore
import Glibc

/// The folder of reference numbers: `BSS_FIXTURES`, else `../shared/fixtures` beside the package.
public struct FixtureFolder {
    public let path: String
    public let cases: [FixtureCase]

    /// Where the folder is looked for.
    public static var location: String {
        if let named = getenv("BSS_FIXTURES"), named.pointee != 0 { return String(cString: named) }
        return Repository.shared + "/fixtures"
    }

    /// True if the folder is there. Where it is not, say so with `reportAbsence`: nothing is skipped in silence.
    public static var isPresent: Bool { Files.exists(location + "/index.json") }

    public static func reportAbsence(_ group: String) {
        print("\(group): 0 of 0 ran (no reference numbers at \(location); set BSS_FIXTURES)")
    }

    /// Reads `index.json` once per process.
    public static func open() throws -> FixtureFolder { try opened.get() }
    nonisolated(unsafe) private static let opened: Result<FixtureFolder, any Error> = Result {
        try FixtureFolder(location)
    }

    public init(_ path: String) throws {
        self.path = path
        let index = try JSON.parse(try Files.readText(path + "/index.json"), source: path + "/index.json")
        guard let list = index.table?["cases"]?.table?.items else {
            throw BSSError("fixtures", "\(path)/index.json has no 'cases'", kind: .data)
        }
        cases = try list.map { try FixtureCase($0.table, folder: path) }
    }

    public func cases(group: String) -> [FixtureCase] { cases.filter { $0.group == group } }
}

/// One array of a case, as `index.json` describes it.
public struct FixtureArray {
    public let name: String
    public let role: String
    public let shape: [Int]
    public let dtype: String
    /// Tolerances as the index gives them; `nil` where absent.
    public let rtol, atol, relL2, maxAbs, meanAbs, sigmas: Double?
    public let isExact: Bool
    public let toleranceArray: String?

    /// True for what an implementation must reproduce.
    public var isResult: Bool { role == "output" || role.hasPrefix("grad_of_") }
}

/// One case: an operation with attributes, inputs and expected results.
public struct FixtureCase {
    public let id, group, op, note: String
    public let attrs: Table
    public let arrays: [FixtureArray]
    public let folder: String
    private let file: String
    private let archive: Npz

    init(_ table: Table?, folder: String) throws {
        guard let table, let id = table["id"]?.string, let group = table["group"]?.string, let op = table["op"]?.string,
            let file = table["file"]?.string, let arrays = table["arrays"]?.table
        else {
            throw BSSError(
                "fixtures", "\(folder)/index.json: a case without id, group, op, file or arrays", kind: .data)
        }
        self.id = id
        self.group = group
        self.op = op
        self.file = file
        self.folder = folder
        note = table["note"]?.string ?? ""
        attrs = table["attrs"]?.table ?? Table()
        archive = try Npz(folder + "/" + file)
        self.arrays = try arrays.items.map { item in
            guard let a = item.table, let name = a["name"]?.string, let role = a["role"]?.string,
                let dtype = a["dtype"]?.string
            else {
                throw BSSError("fixtures", "\(id): an array without name, role or dtype", kind: .data)
            }
            return FixtureArray(
                name: name, role: role, shape: (a["shape"]?.table?.items ?? []).compactMap(\.int), dtype: dtype,
                rtol: a["rtol"]?.double,
                atol: a["atol"]?.double, relL2: a["rel_l2"]?.double, maxAbs: a["max_abs"]?.double,
                meanAbs: a["mean_abs"]?.double,
                sigmas: a["sigmas"]?.double, isExact: a["exact"]?.bool ?? false,
                toleranceArray: a["tolerance_array"]?.string)
        }
    }

    public func has(_ name: String) -> Bool { arrays.contains { $0.name == name } }
    public func description(of name: String) -> FixtureArray? { arrays.first { $0.name == name } }
    public func arrays(role: String) -> [FixtureArray] { arrays.filter { $0.role == role } }

    /// The numbers of an array, by name.
    public func array(_ name: String) throws -> NpyArray { try archive.array(name) }

    public func floats(_ name: String) throws -> [Float] {
        guard let floats = try array(name).floats else { throw BSSError(id, "array '\(name)' is text") }
        return floats
    }

    public func integers(_ name: String) throws -> [Int] {
        guard let integers = try array(name).integers else {
            throw BSSError(id, "array '\(name)' does not hold integers")
        }
        return integers
    }

    /// A further file of the case (`attrs.file = "signal/a.wav"`), as a path.
    public func path(_ relative: String) -> String { folder + "/" + relative }

    // MARK: Attributes

    public func int(_ name: String, default value: Int? = nil) throws -> Int {
        try attribute(name, attrs[name]?.int ?? value, "an integer")
    }
    public func double(_ name: String, default value: Double? = nil) throws -> Double {
        try attribute(name, attrs[name]?.double ?? value, "a number")
    }
    public func bool(_ name: String, default value: Bool? = nil) throws -> Bool {
        try attribute(name, attrs[name]?.bool ?? value, "true or false")
    }
    public func string(_ name: String, default value: String? = nil) throws -> String {
        try attribute(name, attrs[name]?.string ?? value, "text")
    }
    /// A list of integers; a single integer counts as a list of one.
    public func ints(_ name: String, default value: [Int]? = nil) throws -> [Int] {
        if let one = attrs[name]?.int { return [one] }
        return try attribute(name, attrs[name]?.table?.items.compactMap(\.int) ?? value, "a list of integers")
    }
    public func doubles(_ name: String, default value: [Double]? = nil) throws -> [Double] {
        if let one = attrs[name]?.double { return [one] }
        return try attribute(name, attrs[name]?.table?.items.compactMap(\.double) ?? value, "a list of numbers")
    }

    private func attribute<T>(_ name: String, _ value: T?, _ expected: String) throws -> T {
        guard let value else {
            throw BSSError(id, "attribute '\(name)' should be \(expected), is \(attrs[name]?.described ?? "absent")")
        }
        return value
    }
}
