import Glibc

/// Where files that a script names by a relative path are looked up: beside the script, in the working folder, then in
/// the data folders (`--data`, `BSS_DATA`).
public enum SearchPath {
    /// The folder of the running script; `nil` at the prompt.
    nonisolated(unsafe) public static var scriptFolder: String?
    /// Folders given on the command line, searched before those of `BSS_DATA` (separated by colons).
    nonisolated(unsafe) public static var dataFolders: [String] = []

    public static var allDataFolders: [String] {
        let named = getenv("BSS_DATA").map { String(cString: $0) } ?? ""
        return dataFolders + named.split(separator: ":").map(String.init)
    }

    /// The existing file or folder that `path` means.
    /// - Throws: kind `.data`, with every place that was looked at.
    public static func find(_ path: String, operation: String) throws -> String {
        if path.hasPrefix("/") {
            guard Files.exists(path) else { throw BSSError(operation, "no file or folder \(path)", kind: .data) }
            return path
        }
        let places = [scriptFolder, ""].compactMap { $0 } + allDataFolders
        for place in places {
            let full = place.isEmpty ? path : "\(place)/\(path)"
            if Files.exists(full) { return full }
        }
        let looked = places.map { $0.isEmpty ? "the working folder" : $0 }.joined(separator: ", ")
        throw BSSError(
            operation, "no file or folder \(path): looked in \(looked)",
            hint: "name a data folder with --data DIR or BSS_DATA", kind: .data)
    }
}
