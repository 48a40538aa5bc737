import BSSArtifact
import BSSCore
import BSSLua
import BSSRuns
import Glibc

/// `bss-lua pack DIR -o paper.bss`: a folder of results as one file that others can verify.
public enum PackCommand {
    private static let output = Argument<String>("output", "the file to write: paper.bss"),
        title = Argument<String?>("title", default: nil, "of the artifact; by default those of its tables"),
        authors = Argument<[String]>("authors", default: [], "their names, between commas"),
        anonymous = Argument(
            "anonymous", default: false, "no authors, hosts, users, folders; refused where one is left"),
        license = Argument<String?>("license", default: nil, "the licence's file; by default LICENSE in DIR or here"),
        data = Argument<OneOf<Packer.Data>>(
            "with_data", default: OneOf(.none), "data that came from files: none, small (sets up to 64 MiB) or all"),
        engine = Argument(
            "with_engine", default: false, "this program and its libraries: LD_LIBRARY_PATH=engine/lib engine/bss-lua"),
        smoke = Argument<String?>(
            "smoke_results", default: nil, "results of the small form; by default DIR/smoke, where it is")

    public static var command: ProgramCommand {
        ProgramCommand(
            "pack", "make one file of a folder of results, for others to verify", operand: .init("DIR", .word),
            options: [
                CommandOption(output, short: "-o", value: "FILE"), CommandOption(title), CommandOption(authors),
                CommandOption(anonymous), CommandOption(license, value: "FILE"), CommandOption(data),
                CommandOption(engine), CommandOption(smoke, value: "DIR"),
            ], shared: [ProgramOption.quiet, ProgramOption.json], body: pack)
    }

    private static func pack(_ call: ProgramCommand.Call) throws -> Int32 {
        let root = call.operand
        guard Files.isFolder(root) else { throw BSSError("pack", "there is no folder '\(root)'", kind: .usage) }
        var options = Packer.Options()
        (options.title, options.authors, options.isAnonymous) = (call[title], call[authors], call[anonymous])
        options.data = call[data].value
        options.license = try call[license].map(existing) ?? found(["LICENSE", "LICENSE.md", "LICENSE.txt"], root)
        options.citation = found(["CITATION.cff"], root)
        options.smoke = call[smoke] ?? (Files.isFolder(root + "/smoke/results/experiments") ? root + "/smoke" : nil)
        options.engine = call[engine] ? try EngineBundle.files() : []
        options.time = try sourceDate()
        var packer = Packer(root, options)
        let tree = try packer.pack()
        try tree.writeArchive(call[output], time: packer.time)
        let content = try ArtifactContent(tree)
        let manifest = try Manifest(of: tree)
        let judged = try content.judged()
        let supported = judged.filter(\.verdict.isSupported).count
        if call.options.json {
            print(
                JSON.text(
                    .fields([
                        ("file", .string(call[output])), ("seal", .string(manifest.seal)),
                        ("content", .string(manifest.content)), ("files", .int(tree.names.count)),
                        ("runs", .int(content.runIDs.count)), ("claims", .int(judged.count)),
                        ("supported", .int(supported)), ("notes", .list(packer.notes)),
                    ])))
            return 0
        }
        for note in packer.notes where !call.options.quiet { Terminal.error("pack: \(note)\n") }
        print(
            "\(call[output]): \(content.runIDs.count) runs, \(supported) of \(judged.count) claims supported, "
                + "seal \(manifest.seal.prefix(16))")
        return 0
    }

    private static func existing(_ file: String) throws -> String {
        guard Files.isFile(file) else { throw BSSError("--license", "there is no file '\(file)'", kind: .usage) }
        return file
    }

    private static func found(_ names: [String], _ root: String) -> String? {
        names.flatMap { ["\(root)/\($0)", $0] }.first(where: Files.isFile)
    }

    /// SOURCE_DATE_EPOCH, as reproducible builds define it.
    private static func sourceDate() throws -> Int? {
        guard let text = getenv("SOURCE_DATE_EPOCH").map({ String(cString: $0) }) else { return nil }
        guard let seconds = Int(text), (0..<1 << 33).contains(seconds) else {
            throw BSSError("pack", "SOURCE_DATE_EPOCH = '\(text)' is no time in seconds", kind: .usage)
        }
        return seconds
    }
}

/// This program and the libraries that it opens, as files of an artifact.
enum EngineBundle {
    /// Those of the system's C library are everywhere; the rest is named by the kernel's list of what is mapped.
    static func files() throws -> [(name: String, path: String)] {
        let maps = try Files.readText("/proc/self/maps").split(separator: "\n")
        let paths = Set(maps.compactMap { line in line.firstIndex(of: "/").map { String(line[$0...]) } })
        let system = ["libc.so", "libm.so", "ld-linux", "libpthread", "libdl", "librt", "libresolv"]
        let libraries = paths.filter { path in
            path.split(separator: "/").last?.hasPrefix("lib") == true
                && !system.contains { path.split(separator: "/").last?.hasPrefix($0) == true } && Files.isFile(path)
        }
        return [("bss-lua", SpawnedProcess.ownPath)]
            + libraries.sorted().map { ("lib/\(loaded($0.split(separator: "/").last ?? ""))", $0) }
    }

    /// The name that programs ask the loader for: `liblua5.4.so.0` of `liblua5.4.so.0.0.0`.
    private static func loaded(_ file: Substring) -> String {
        var words = file.split(separator: ".", omittingEmptySubsequences: false)
        guard let so = words.firstIndex(of: "so") else { return String(file) }
        words.removeSubrange(min(so + 2, words.count)...)
        return words.joined(separator: ".")
    }
}
