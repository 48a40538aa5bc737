/// Where the tests find files of the package and what lies beside it.
public enum Repository {
    /// …/Tests/Support/Repository.swift → the package root.
    public static let root = #filePath
        .split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    public static let shared = root + "/../shared"
}
