import BSSCore

/// NumPy's `.npz`: a zip archive of npy files.
public struct Npz {
    private let archive: ZipArchive
    private let source: String
    /// Array names, without `.npy`, in file order.
    public let names: [String]

    public init(_ path: String) throws { try self.init(bytes: try Files.readData(path), source: path) }

    public init(bytes: [UInt8], source: String) throws {
        archive = try ZipArchive(bytes: bytes, source: source)
        self.source = source
        names = archive.names.filter { $0.hasSuffix(".npy") }.map { String($0.dropLast(4)) }
    }

    public func contains(_ name: String) -> Bool { archive.contains(name + ".npy") }

    /// - Throws: kind `.data`; for an unknown name, with the names that are there.
    public func array(_ name: String) throws -> NpyArray {
        guard contains(name) else {
            throw BSSError(
                "read npz", "\(source): no array '\(name)'", hint: "it holds \(names.joined(separator: ", "))",
                kind: .data)
        }
        return try Npy.parse(try archive.read(name + ".npy"), source: "\(source)/\(name).npy")
    }

    /// Writes atomically.
    public static func write(
        _ arrays: [(name: String, array: NpyArray)], to path: String, deflated: Bool = false
    ) throws {
        try Files.write(
            try ZipArchive.bytes(arrays.map { ($0.name + ".npy", Npy.bytes($0.array)) }, deflated: deflated), to: path)
    }
}
