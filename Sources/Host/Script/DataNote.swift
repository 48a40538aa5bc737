import BSSCore
import BSSData

/// `data/<hash>.json`: which data runs were trained on, and what it takes to have it again.
enum DataNote {
    /// Of sets with more files than this only the hash of all of them is noted.
    private static let mostFiles = 20_000

    private static func absolute(_ root: String) -> String {
        // A folder that is not found again is noted as it was named.
        let found = (try? SearchPath.find(root, operation: "data")) ?? root
        return found.hasPrefix("/") ? found : "\(Files.workingFolder)/\(found)"
    }

    static func table(_ set: Dataset, hash: String) -> Table {
        var table = Table(fields: [
            ("name", .string(set.name)), ("hash", .string(hash)),
            ("options", Value.table(set.configuration).recorded), ("samples", .int(set.count)),
        ])
        guard !set.files.isEmpty else { return table }
        // As a script names it, and where that is; files beside the working folder have no folder of their own.
        let isRelative = set.root.map { !$0.hasPrefix("/") && !$0.hasPrefix("./") } ?? false
        table["named"] = .string(
            isRelative ? set.root ?? "" : set.root?.split(separator: "/").last.map(String.init) ?? "")
        table["root"] = .string(absolute(set.root ?? "."))
        table["bytes"] = .int(set.files.reduce(0) { $0 + $1.size })
        table["file_count"] = .int(set.files.count)
        guard set.files.count <= mostFiles else { return table }
        table["files"] = .list(
            set.files.sorted { $0.path < $1.path }.map { file in
                .fields([("path", .string(file.path)), ("bytes", .int(file.size)), ("sha256", .string(file.sha256))])
            })
        return table
    }
}
