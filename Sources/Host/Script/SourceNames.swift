import BSSCore

/// How the script and its modules are called in records and artifacts: by their paths from the folder that holds them
/// all, which is the script's, or one of the two above it (`experiments/study/order.lua` beside `experiments/lib`), so
/// that `package.path = "../?.lua"` finds them again. Modules from elsewhere are called by their own names.
struct SourceNames {
    private static let mostClimbed = 2
    private let root: [Substring]

    /// - Parameter script: nil: there is none, and nothing is nested.
    init(script: String?, files: [String]) {
        guard let script else {
            root = []
            return
        }
        let folder = Array(SourceNames.components(script).dropLast())
        let climbs = files.compactMap { file -> Int? in
            let path = SourceNames.components(file)
            return (0...SourceNames.mostClimbed).first { climbed in
                climbed < folder.count && path.starts(with: folder.dropLast(climbed))
            }
        }
        root = folder.dropLast(climbs.max() ?? 0)
    }

    /// - Parameter own: the name of a file from elsewhere.
    func name(of file: String, own: String) -> String {
        let path = SourceNames.components(file)
        guard !root.isEmpty, path.count > root.count, path.starts(with: root) else { return own }
        return path.dropFirst(root.count).joined(separator: "/")
    }

    /// Of the path from the root of the file system, without `.` and `..`.
    private static func components(_ path: String) -> [Substring] {
        var parts: [Substring] = []
        let whole = path.hasPrefix("/") ? path[...] : "\(Files.workingFolder)/\(path)"[...]
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return parts
    }
}
