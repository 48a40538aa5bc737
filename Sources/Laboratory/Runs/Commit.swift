import BSSCore

/// The git commit that a folder stands at, read from its files; no program is run.
public enum Commit {
    /// nil: the folder is in no repository, or the commit is not written down where one would look.
    public static func of(folder: String) -> String? {
        var folder = folder.hasPrefix("/") ? folder : "\(Files.workingFolder)/\(folder)"
        while true {
            if Files.exists(folder + "/.git") { return head(folder + "/.git") }
            guard let slash = folder.lastIndex(of: "/"), slash != folder.startIndex else { return nil }
            folder = String(folder[..<slash])
        }
    }

    /// What the build scripts noted beside a program: the commit that this build of it was made from, `+` behind it if
    /// files had changed.
    public static func of(program: String, build: String) -> String? {
        guard let slash = program.lastIndex(of: "/") else { return nil }
        let words = line("\(program[..<slash])/.bss-lua.commit")?.split(separator: " ").map(String.init)
        return words?.count == 2 && words?[0] == build ? words?[1] : nil
    }

    private static func head(_ git: String) -> String? {
        var git = git
        // A worktree's .git is a file that names the folder.
        if Files.isFile(git), let named = word(after: "gitdir: ", in: git) { git = named }
        guard let text = line(git + "/HEAD") else { return nil }
        guard text.hasPrefix("ref: ") else { return isHash(text) ? text : nil }
        let name = String(text.dropFirst(5))
        let common = line(git + "/commondir").map { $0.hasPrefix("/") ? $0 : "\(git)/\($0)" } ?? git
        for folder in [git, common] {
            if let hash = line("\(folder)/\(name)"), isHash(hash) { return hash }
        }
        // A reference that is packed with others, or one without a commit yet.
        let packed = Files.exists(common + "/packed-refs") ? (try? Files.readText(common + "/packed-refs")) ?? "" : ""
        return packed.split(separator: "\n").first { $0.hasSuffix(" " + name) }.map { String($0.prefix(40)) }
    }

    private static func isHash(_ text: String) -> Bool {
        text.utf8.count >= 40 && text.allSatisfy { $0.isHexDigit }
    }

    private static func word(after prefix: String, in file: String) -> String? {
        line(file).flatMap { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : nil }
    }

    /// The first line of a file; nil where there is none.
    private static func line(_ file: String) -> String? {
        guard Files.isFile(file) else { return nil }
        // What cannot be read names no commit.
        return (try? Files.readText(file))?.split(separator: "\n").first.map(String.init)
    }
}
