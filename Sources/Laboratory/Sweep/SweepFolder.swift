import BSSCore
import BSSRuns

/// What a worker needs beside the plan, in `sweeps/<script>-<hash>/`:
///
///     sweep.json            command line, working folder, script
///     worker-<k>.txt        what worker k of the last call wrote to standard error
///     cancelled             `sweep cancel`: workers begin nothing more
public struct SweepFolder {
    public let path: String
    public let root: String

    /// Words of the command line that make a worker do the same: options, script, `--`, arguments.
    public struct Content {
        public var script: String
        public var workingFolder: String
        public var options: [String]
        public var arguments: [String]
        public var plans: [String]

        public init(
            script: String, workingFolder: String, options: [String], arguments: [String], plans: [String] = []
        ) {
            (self.script, self.workingFolder, self.options) = (script, workingFolder, options)
            (self.arguments, self.plans) = (arguments, plans)
        }

        var table: Table {
            Table(fields: [
                ("schema", .int(1)), ("script", .string(script)), ("working_folder", .string(workingFolder)),
                ("options", .list(options)), ("arguments", .list(arguments)), ("plans", .list(plans)),
            ])
        }

        init(_ table: Table, _ path: String) throws {
            func texts(_ name: String) -> [String] { table[name]?.table?.items.compactMap(\.string) ?? [] }
            guard let script = table["script"]?.string, let folder = table["working_folder"]?.string else {
                throw BSSError("sweep", "\(path) names no script", kind: .data)
            }
            self.init(
                script: script, workingFolder: folder, options: texts("options"), arguments: texts("arguments"),
                plans: texts("plans"))
        }
    }

    /// The folder of a sweep of this script with these words; it is made.
    public init(of content: Content, in root: String) throws {
        let words = [content.script] + content.options + ["--"] + content.arguments
        let hash = SHA256.hex(words.map { "\($0.utf8.count):\($0)" }.joined()).prefix(8)
        let stem = content.script.split(separator: "/").last?.split(separator: ".").first.map(String.init)
        self.init("\(root)/sweeps/\(RunStore.fileName(stem ?? "sweep"))-\(hash)", root)
        try Files.makeFolder(path)
    }

    private init(_ path: String, _ root: String) { (self.path, self.root) = (path, root) }

    /// Every sweep whose runs lie in a folder, the latest first.
    public static func all(in root: String) throws -> [SweepFolder] {
        guard Files.isFolder(root + "/sweeps") else { return [] }
        return try Files.list(root + "/sweeps").map { SweepFolder("\(root)/sweeps/\($0)", root) }
            .filter { Files.exists($0.file) }
            .sorted { Files.modified($0.file) > Files.modified($1.file) }
    }

    /// - Throws: kind `.usage`: there is none, or none of this name.
    public static func latest(in root: String, named name: String? = nil) throws -> SweepFolder {
        let all = try all(in: root)
        guard let found = all.first(where: { name == nil || $0.name == name }) else {
            throw BSSError(
                "--", name.map { "\(root) holds no sweep '\($0)'" } ?? "\(root) holds no sweep",
                hint: all.isEmpty
                    ? "bss-lua sweep SCRIPT begins one"
                    : "it has: "
                        + all.map(\.name).joined(separator: ", "), kind: .usage)
        }
        return found
    }

    public var name: String { String(path.split(separator: "/").last ?? "") }
    private var file: String { path + "/sweep.json" }

    public func content() throws -> Content {
        try Content(JSON.parse(Files.readText(file), source: file).table ?? Table(), file)
    }

    public func write(_ content: Content) throws {
        try Files.write(JSON.text(.table(content.table), indent: 2) + "\n", to: file)
    }

    /// Adds a plan that the script has frozen.
    public func add(plan: String) throws {
        var content = try content()
        guard !content.plans.contains(plan) else { return }
        content.plans.append(plan)
        try write(content)
    }

    /// The planned runs of every experiment so far.
    public func runs() throws -> [RunStore.PlannedRun] {
        let store = try RunStore(root)
        return try content().plans.flatMap { try store.plan("\(root)/plans/\($0)") }
    }

    // MARK: Cancelling

    private var marker: String { path + "/cancelled" }
    public var isCancelled: Bool { Files.exists(marker) }
    public func cancel() throws { try Files.write("", to: marker) }
    public func allow() { Files.remove(marker) }

    public func log(of worker: Int) -> String { "\(path)/worker-\(worker).txt" }
}
