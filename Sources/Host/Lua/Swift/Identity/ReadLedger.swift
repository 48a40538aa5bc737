import BSSCore
import Glibc

/// What functions of a script read while runs are under way: files that they load or open, and variables of the
/// environment. The plan of a run cannot name them, its record does. What programs that they start print is not known.
public struct ReadLedger {
    /// Paths, and `$NAME`.
    var names: Set<String> = []
    private var hasBegun = false

    /// Before the first run: what was read until then decides sources, parameters and data, which plans name.
    public mutating func begin() {
        guard !hasBegun else { return }
        (hasBegun, names) = (true, [])
    }

    /// Each with a hash of what stands in it now.
    public var digests: Table { ReadLedger.digests(of: names.sorted()) }

    public static func digests(of names: [String]) -> Table {
        Table(fields: names.map { ($0, .string(digest($0))) })
    }

    private static func digest(_ name: String) -> String {
        if name.hasPrefix("$") {
            return getenv(String(name.dropFirst())).map { SHA256.hex(String(cString: $0)) } ?? "unset"
        }
        // A folder, or what is gone or closed: all the same to who reads it.
        return (try? Files.read(name)).map(SHA256.hex) ?? "unreadable"
    }
}
