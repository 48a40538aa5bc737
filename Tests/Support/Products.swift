import Foundation

/// Where the programs of this build lie: beside the test bundle, which is a product of the same build.
public enum Products {
    private static let folders: [String] = {
        let bundle =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        let root = Repository.root
        // An `.xctest` that another process loads lies beside the programs as well.
        return ([bundle] + CommandLine.arguments.filter { $0.hasSuffix(".xctest") }).map {
            ($0 as NSString).deletingLastPathComponent
        } + ["\(root)/.build-test/release", "\(root)/.build/release", "\(root)/.build/debug"]
    }()

    public static func path(of name: String) -> String {
        let candidates = folders.map { "\($0)/\(name)" }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? candidates[0]
    }
}
