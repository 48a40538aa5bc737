import BSSCore
import BSSRuns

/// Makes an artifact of a folder of results.
public struct Packer {
    public enum Data: String, CaseIterable {
        case none
        /// Files of up to 1 MiB of sets of up to 64 MiB.
        case small
        case all
    }

    public struct Options {
        public var title: String?
        public var authors: [String] = []
        public var isAnonymous = false
        public var license: String?
        public var citation: String?
        public var data = Data.none
        /// A folder of results of the small form.
        public var smoke: String?
        /// The program and what it needs, by name.
        public var engine: [(name: String, path: String)] = []
        /// Seconds since 1970 for every file; nil: of the last run.
        public var time: Int?
        public init() {}
    }

    let root: String
    let options: Options
    private let scrubber: Scrubber
    private var draft = DraftTree()

    /// What the packer wants to be known: what was left out, and why.
    public private(set) var notes: [String] = []
    /// Seconds since 1970 of the files in the archive.
    public private(set) var time = 0

    public init(_ root: String, _ options: Options) {
        (self.root, self.options) = (root, options)
        let home = Environment.home.map { [$0] } ?? []
        scrubber = Scrubber(folders: [root, Files.workingFolder] + home + (options.smoke.map { [$0] } ?? []))
    }

    /// - Throws: kind `.usage`: the folder holds no finished experiment; what anonymous authors would give away.
    public mutating func pack() throws -> DraftTree {
        let experiments = try ExperimentRecord.all(in: root)
        guard !experiments.isEmpty else {
            throw BSSError(
                "pack", "\(root) holds no finished experiment",
                hint: "run a script with bss.experiment and --out \(root) first", kind: .usage)
        }
        try addSources(experiments)
        try addResults(experiments, from: root, to: "")
        if let smoke = options.smoke { try addResults(ExperimentRecord.all(in: smoke), from: smoke, to: "smoke/") }
        try addFolder("results/figures")
        try addData()
        if let license = options.license { draft["LICENSE"] = try Files.read(license) }
        if let citation = options.citation, !options.isAnonymous { draft["CITATION.cff"] = try Files.read(citation) }
        for (name, path) in options.engine { draft["engine/\(name)"] = try Files.read(path) }
        let content = try ArtifactContent(draft)
        let manifest = try manifest(content)
        for (name, text) in try DerivedFiles(content: content, manifest: manifest).all() { draft.write(text, to: name) }
        if options.isAnonymous { try checkAnonymity() }
        try Seal.close(&draft, manifest)
        notes += try Derivation.findings(ArtifactContent(draft), Manifest(of: draft)).map {
            "verify will differ: \($0.text)"
        }
        return draft
    }

    private mutating func manifest(_ content: ArtifactContent) throws -> Manifest {
        let ends = try content.runIDs.compactMap { try content.run($0).value(atPath: "time.end")?.string }
        let last = ends.max() ?? "1970-01-01T00:00:00Z"
        time = options.time ?? Machine.seconds(last) ?? 0
        let title = options.title ?? content.experiments.map(\.title).joined(separator: "; ")
        return Manifest(
            title: title, authors: options.isAnonymous ? ["Anonymous"] : options.authors,
            published: options.time.map { Machine.timestamp($0) } ?? last, isAnonymous: options.isAnonymous,
            engine: content.experiments[0].engine)
    }

    // MARK: Sources

    /// All of one tree where they agree; a set that does not agree stands in a folder of its own.
    private mutating func addSources(_ experiments: [ExperimentRecord]) throws {
        for experiment in experiments {
            guard let folder = experiment.sources else {
                throw BSSError("pack", "'\(experiment.name)' has no copy of its sources: run it again", kind: .usage)
            }
            let tree = try DiskTree(folder: "\(root)/\(folder)")
            for name in tree.names {
                let bytes = try tree.read(name)
                guard draft["src/\(name)"].map({ $0 == bytes }) ?? true else {
                    throw BSSError(
                        "pack", "'\(name)' of '\(experiment.name)' is not that of the other experiments in \(root)",
                        hint: "run all of them again, or pack a folder of one state of the scripts", kind: .usage)
                }
                draft["src/\(name)"] = bytes
            }
        }
    }

    /// A commit leads to a repository and its authors.
    private func withoutCommit(_ engine: Table) -> Table {
        var engine = engine
        engine["commit"] = nil
        return engine
    }

    // MARK: Results

    private mutating func addResults(_ experiments: [ExperimentRecord], from root: String, to place: String) throws {
        for experiment in experiments {
            var record = experiment
            record.sources = "src"
            if options.isAnonymous { record.engine = withoutCommit(record.engine) }
            if !record.plan.isEmpty, Files.exists("\(root)/\(record.plan)") {
                let name = record.plan.split(separator: "/").last.map(String.init) ?? record.plan
                let lines = try Files.readText("\(root)/\(record.plan)").split(separator: "\n")
                let plan = try lines.map { JSON.text(scrubber.value(try JSON.parse(String($0)))) + "\n" }.joined()
                draft.write(plan, to: "\(place)config/\(name)")
                record.plan = "\(place)config/\(name)"
            }
            record.command = ExperimentRecord.Command(
                options: record.command.options.map(scrubber.text), script: record.command.script,
                arguments: record.command.arguments.map(scrubber.text))
            for answer in experiment.rows.flatMap(\.answers) {
                for id in answer.runs { try addRun(id, of: record, from: root, to: place) }
            }
            let table = scrubber.table(record.record)
            draft.write(
                JSON.text(.table(table), indent: 2) + "\n", to: "\(place)results/experiments/\(record.name).json")
            let made = try ExperimentRecord(table, source: record.name).table
            draft.write(try made.csv(), to: "\(place)results/tables/\(record.name).csv")
            draft.write(try made.markdown(), to: "\(place)results/tables/\(record.name).md")
            draft.write(try made.latex(), to: "\(place)results/tables/\(record.name).tex")
        }
    }

    private mutating func addRun(
        _ id: String, of experiment: ExperimentRecord, from root: String, to place: String
    ) throws {
        let (from, target) = ("\(root)/runs/\(id)", "\(place)runs/\(id)")
        guard draft["\(target)/run.json"] == nil else { return }
        guard Files.exists(from + "/run.json") else {
            throw BSSError("pack", "the run \(id) of '\(experiment.name)' is not in \(root)", kind: .usage)
        }
        guard var record = try JSON.parse(Files.readText(from + "/run.json"), source: from).table else {
            throw BSSError("pack", "\(from)/run.json holds no record", kind: .data)
        }
        let command = experiment.command
        record["argv"] = .list(["bss-lua"] + command.options + ["src/\(command.script)"] + command.arguments)
        record["sources"] = .string("src")
        if var data = record["data"]?.table {
            data["index"] = .string("data/index.json")
            record["data"] = .table(data)
        }
        if options.isAnonymous {
            record["commit"] = nil
            record["engine"] = record["engine"]?.table.map { .table(withoutCommit($0)) }
            var machine = record["machine"]?.table ?? Table()
            (machine["host"], machine["kernel"]) = (nil, nil)
            record["machine"] = .table(machine)
        }
        draft.write(JSON.text(.table(scrubber.table(record)), indent: 2) + "\n", to: "\(target)/run.json")
        for name in ["metrics.jsonl", "trace.jsonl"] { draft["\(target)/\(name)"] = try Files.read("\(from)/\(name)") }
        draft.write(scrubber.text(Text.decoded(try Files.read("\(from)/output.txt"))), to: "\(target)/output.txt")
    }

    private mutating func addFolder(_ folder: String) throws {
        guard Files.isFolder("\(root)/\(folder)") else { return }
        for name in try Files.list("\(root)/\(folder)") where Files.isFile("\(root)/\(folder)/\(name)") {
            let bytes = try Files.read("\(root)/\(folder)/\(name)")
            let isText = !bytes.contains(0)
            draft["\(folder)/\(name)"] = isText ? Array(scrubber.text(Text.decoded(bytes)).utf8) : bytes
        }
    }

    // MARK: Data

    private mutating func addData() throws {
        let used = Set(
            try draft.names.filter { $0.hasSuffix("/run.json") }.compactMap {
                try draft.table($0).value(atPath: "data.hash")?.string
            })
        var notes: [Table] = []
        for root in [root] + (options.smoke.map { [$0] } ?? []) where Files.isFolder(root + "/data") {
            for name in try Files.list(root + "/data") where name.hasSuffix(".json") {
                guard let note = try JSON.parse(Files.readText("\(root)/data/\(name)"), source: name).table,
                    used.contains(note["hash"]?.string ?? ""),
                    !notes.contains(where: { $0["hash"]?.string == note["hash"]?.string })
                else { continue }
                notes.append(note)
            }
        }
        notes.sort { ($0["hash"]?.string ?? "") < ($1["hash"]?.string ?? "") }
        var packed: [Table] = []
        for note in notes { packed.append(try self.packed(note)) }
        draft.write(
            JSON.text(.fields([("schema", .int(1)), ("data", .list(packed.map(Value.table)))]), indent: 2) + "\n",
            to: "data/index.json")
    }

    /// The note as it is packed, its files beside it where they may be.
    private mutating func packed(_ note: Table) throws -> Table {
        var table = scrubber.table(note)
        table["root"] = nil
        let files = note["files"]?.table?.items.compactMap(\.table) ?? []
        guard note["file_count"] != nil, let folder = note["root"]?.string, let named = note["named"]?.string else {
            return table
        }
        let name = note["name"]?.string ?? "data"
        func left(_ why: String) -> Table {
            notes.append("data '\(name)' is not packed: \(why)")
            table["packed"] = .bool(false)
            return table
        }
        let bytes = note["bytes"]?.int ?? Int.max
        switch options.data {
        case .none: return left("--with-data none")
        case .small where bytes > 64 << 20: return left("\(bytes >> 20) MiB (--with-data all)")
        case .small, .all: break
        }
        guard named.isEmpty || ArtifactPath.fault(named) == nil else { return left("scripts name it by '\(named)'") }
        guard !files.isEmpty else { return left("its files are not listed one by one") }
        guard files.allSatisfy({ $0["path"]?.string.map { ArtifactPath.fault($0) == nil } ?? false }) else {
            return left("its files lie outside one folder")
        }
        for file in files {
            let path = file["path"]?.string ?? ""
            let isOne = Files.isFile(folder)
            let content = try Files.read(isOne ? folder : "\(folder)/\(path)")
            let hash = file["sha256"]?.string ?? ""
            guard hash.isEmpty || SHA256.hex(content) == hash else {
                throw BSSError("pack", "\(folder)/\(path) has changed since it was trained on", kind: .data)
            }
            draft[ArtifactContent.packedFile(isOne ? named : path, in: isOne ? "" : named)] = content
        }
        table["packed"] = .bool(true)
        return table
    }

    // MARK: Anonymity

    private func checkAnonymity() throws {
        let words = Environment.identifying
        var found: [String] = []
        for name in draft.names where !name.hasPrefix("engine/") && !name.hasPrefix("data/files/") {
            found += Scrubber.lines(of: try draft.text(name), naming: words).map { "\(name):\($0)" }
        }
        guard found.isEmpty else {
            throw BSSError(
                "pack",
                "\(found.count) lines name a user, host or home folder: "
                    + found.prefix(3).joined(separator: "; "), hint: "change them and run again", kind: .usage)
        }
    }
}
