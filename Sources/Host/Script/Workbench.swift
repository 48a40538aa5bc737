import BSSCPU
import BSSCore
import BSSLua
import BSSRuns
import BSSTensor
import BSSTraining
import Glibc

/// What one process shares between its trainings: options, the results folder, the script's text and its parameters.
final class Workbench {
    let options: RunOptions
    unowned let state: LuaState
    /// `--set` pairs that a script's declarations have taken.
    private var taken: Set<String> = []
    /// Parameters declared so far, for the message about unknown keys.
    private var declared: [String] = []
    /// Parameters as the script got them, by name.
    private(set) var effective = Table()
    /// `script.lua --help` has printed the script's first comment.
    var hasDescribed = false
    /// The planned run of an experiment that is under way.
    var job: PlannedJob?
    /// Of the experiment that is under way.
    var progress: ExperimentProgress?
    /// Told of every finished training.
    var onTrained: ((RunObject) -> Void)?
    var tally = RunTally()
    /// Arms of a sweep whose function trains nothing, as far as that is known.
    var untrainedArms: Set<String> = []
    private(set) var openedStore: RunStore?
    /// This process's part in a sweep, if there is one.
    private(set) var worker: SweepWorker?
    private(set) var coordinator: SweepCoordinator?
    /// The runs that `bss-lua verify` asks for.
    let replay: Replay?
    private var hasSmokeForm = false
    private(set) lazy var commit = options.script.flatMap { script in
        Commit.of(folder: script.lastIndex(of: "/").map { String(script[..<$0]) } ?? ".")
    }
    /// Where the sources were copied to, and how many there were then.
    private var kept: (count: Int, folder: String?)?
    /// What this script's experiments were made of, by their names, which are those of files.
    private var experiments: [String: [String]] = [:]
    /// Ids used in this process: a second training of the same configuration is numbered.
    private var used: [String: Int] = [:]

    init(_ options: RunOptions, _ state: LuaState) throws {
        (self.options, self.state) = (options, state)
        replay = try options.replay.map { try Replay(file: $0) }
        if options.script != nil { ScriptOutput(self).begin() }
        guard let sweep = options.sweep else { return }
        switch sweep.role {
        case .coordinator(let workers):
            coordinator = SweepCoordinator(self, sweep, workers: workers)
            state.atExit.append { [weak self] in self?.coordinator?.end() }
        case .worker(let number, let count, let name):
            worker = try SweepWorker(self, sweep, number: number, of: count, sweep: name)
        }
    }

    /// - Throws: workers share the runs of experiments; a training of the script itself would be every worker's.
    func checkPlace(of function: String) throws {
        guard options.sweep != nil, job == nil else { return }
        throw BSSError(
            function, "outside bss.experiment: in a sweep only experiments train",
            hint: "without -j the script runs as it is", kind: .usage)
    }

    /// The script and its modules as they were run, by the names that records give them.
    var sourceFiles: [SourceFile] {
        let entries = state.sources.entries.filter { Files.isFile($0.path) }
        let names = SourceNames(script: options.script, files: entries.map(\.path))
        return entries.map { entry in
            let name = names.name(of: entry.path, own: entry.name)
            return SourceFile(path: name, bytes: entry.bytes, sha256: entry.sha256)
        }
    }

    /// What gives the same results again: options that decide them, the script from its sources' folder, arguments.
    var command: ExperimentRecord.Command {
        var words = options.deciding
        if let seed = options.seed, !words.contains(where: { $0.hasPrefix("--seed") }) {
            words += ["--seed", "\(seed)"]
        }
        return ExperimentRecord.Command(
            options: words, script: sourceFiles.first?.path ?? "", arguments: options.scriptArguments)
    }

    /// Copies the sources beside the runs; the copy's folder.
    func keepSources(_ store: RunStore) throws -> String? {
        let count = state.sources.entries.count
        if let kept, kept.count == count { return kept.folder }
        let folder = try store.keep(sources: sourceFiles)
        kept = (count, folder)
        return folder
    }

    var seed: Int { Int(truncatingIfNeeded: options.seed ?? 1) }

    /// Where runs are recorded: `--out`, or `experiments/runs` for scripts; nil at the prompt and for `-e`, unless
    /// asked.
    func store() throws -> RunStore? {
        if let openedStore { return openedStore }
        guard let root = options.out ?? (options.script == nil ? nil : RunOptions.usualOut) else { return nil }
        // Small forms have tables of the same names.
        let isOwnFolder = options.smoke && options.out == nil
        openedStore = try RunStore(isOwnFolder ? root + "/smoke" : root, rules: .standard())
        return openedStore
    }

    /// - Throws: kind `.usage`: another experiment of a script would replace the tables of one. The same one may be
    ///   run again, and at a prompt any.
    func begin(_ record: ExperimentRecord, _ jobs: [[PlannedJob]]) throws {
        guard options.script != nil, !options.isInteractive else { return }
        let runs = jobs.joined().map { job in
            let parts = ["arm", "seed", "parameters", "code"].compactMap { job.content[$0] }
            return JSON.text(.list(parts))
        }
        let parts = record.metrics + record.facts + runs
        guard experiments.updateValue(parts, forKey: record.name) ?? parts == parts else {
            throw BSSError(
                "bss.experiment",
                "this script made another experiment '\(record.name)', whose tables this would replace",
                hint: "give each experiment a name of its own", kind: .usage)
        }
    }

    /// Numbers repeated runs of one configuration, so that none overwrites another.
    func occurrence(of id: String) -> Int {
        let count = (used[id] ?? 0) + 1
        used[id] = count
        return count
    }

    func trained(_ run: RunObject) -> RunObject {
        onTrained?(run)
        return run
    }

    // MARK: Parameters

    /// The declared parameters with `--set` applied: each keeps the type of its default.
    /// - Throws: a value that is not of the default's type.
    /// - Parameter smoke: values of the small form, for `--smoke`.
    func parameters(_ defaults: Table, smoke: Table? = nil, operation: String) throws -> Table {
        var result = defaults
        if let smoke {
            hasSmokeForm = true
            for (key, value) in smoke.fields {
                guard let own = defaults[key] else {
                    let near = Text.nearest(to: key, in: defaults.keys).map { "did you mean '\($0)'?" }
                    throw BSSError(operation, "smoke has '\(key)', which is no parameter", hint: near, kind: .usage)
                }
                guard own.isLike(value) else {
                    throw BSSError(
                        operation, "smoke: '\(key)' is \(value.described), its default \(own.described)", kind: .usage)
                }
                if options.smoke { result[key] = value }
            }
        }
        declared += defaults.keys
        try SweepGrid(self, defaults)?.run()
        // The last value of a key counts.
        for (key, text) in options.sets {
            guard let value = defaults[key] else { continue }
            result[key] = try Workbench.parse(text, like: value, key: key)
            taken.insert(key)
        }
        for (key, value) in result.fields { effective[key] = value.recorded }
        return result
    }

    private static func parse(_ text: String, like value: Value, key: String) throws -> Value {
        func wrong(_ expected: String) -> BSSError {
            BSSError("--set", "'\(key)' expects \(expected), got '\(text)'", kind: .usage)
        }
        switch value {
        case .bool:
            guard let flag = ["true": true, "false": false, "1": true, "0": false][text] else {
                throw wrong("true or false")
            }
            return .bool(flag)
        case .int:
            if let number = Int(text) { return .int(number) }
            throw wrong("an integer (its default is \(JSON.lua(value)))")
        case .number:
            guard let number = Double(text) else { throw wrong("a number (its default is \(JSON.lua(value)))") }
            return .number(number)
        case .string: return .string(text)
        case .table(let list) where list.keys.isEmpty && !list.items.isEmpty:
            return .list(try text.split(separator: ",").map { try parse(String($0), like: list.items[0], key: key) })
        default: throw wrong("a value that the command line can give")
        }
    }

    /// At the end of the script: every `--set` key must have been declared by it.
    func finish() throws {
        try endDescription(arms: [], seeds: 0)
        if let coordinator, !coordinator.hasExperiment {
            throw BSSError("-j", "the script has no bss.experiment whose runs could be shared", kind: .usage)
        }
        if options.smoke, !hasSmokeForm { throw noSmokeForm }
        guard let unknown = options.sets.first(where: { !taken.contains($0.key) }) else { return }
        throw unknownParameter(unknown.key)
    }

    /// - Throws: exit code 2, with what was probably meant, for options and `--set` keys that nothing declares.
    func checkSets(allDeclared known: [String]) throws {
        for word in options.unclaimed {
            if let error = RunOptions.unknownOption(word) { throw error }
            // `epochs=3` where `--set epochs=3` is meant.
            let key = String(word.prefix { $0 != "=" })
            if key != word, known.contains(key) {
                throw BSSError("--set", "'\(word)' is no option", hint: "did you mean --set \(word)?", kind: .usage)
            }
        }
        for (key, _) in options.sets where !known.contains(key) && !taken.contains(key) {
            declared += known
            throw unknownParameter(key)
        }
    }

    /// - Throws: exit code 2: `--smoke` of a script that has no small form.
    func checkSmoke() throws { if options.smoke, !hasSmokeForm { throw noSmokeForm } }

    private var noSmokeForm: BSSError {
        BSSError(
            "--smoke", "the script declares no small form", hint: "bss.params{ …, smoke = { epochs = 1 } }",
            kind: .usage)
    }

    private func unknownParameter(_ key: String) -> BSSError {
        let near = Text.nearest(to: key, in: declared).map { "did you mean '\($0)'? " } ?? ""
        let known =
            declared.isEmpty ? "the script declares no parameters" : "declared: \(declared.joined(separator: ", "))"
        return BSSError("--set", "unknown parameter '\(key)'", hint: near + known, kind: .usage)
    }

    // MARK: Words

    /// What a user may want to know, on standard error.
    func note(_ text: String) { if !options.quiet { warn(text) } }
    func warn(_ text: String) {
        StatusLine.clear()
        Progress.write(text + "\n")
    }

    /// What is shown of a training.
    func progressObserver(_ name: String) -> (any TrainingObserver)? {
        progress.map { $0.observer(name: name) } ?? Progress.make(options, name: name)
    }

    // MARK: Facts for records

    /// What another version or build may compute differently.
    /// What a model file says of its making.
    var maker: Table {
        Table(fields: [
            ("program", .string("bss-lua \(API.version)")), ("engine", .table(engineIdentity)),
            ("script", options.script.map(Value.string) ?? .null), ("sources", .table(state.sources.identity)),
        ])
    }

    var engineIdentity: Table {
        Table(fields: [
            ("version", .string(API.version)), ("build", .string(LuaState.buildID)),
            ("device", .string("\(Devices.current.device)")),
        ])
    }

    var engine: Table {
        let commit = Commit.of(program: SpawnedProcess.ownPath, build: LuaState.buildID)
        let table = Table(fields: [
            ("version", .string(API.version)), ("build", .string(LuaState.buildID)),
            ("lua", .string(LuaState.luaRelease)),
            ("instruction_set", .string(CPUBackend.instructionSet)), ("backend", .string(Devices.current.summary)),
            ("device", .string("\(Devices.current.device)")),
        ])
        return Table(fields: table.fields + (commit.map { [("commit", .string($0))] } ?? []))
    }
}

extension Value {
    /// Of one type; whole numbers stand for numbers.
    fileprivate func isLike(_ other: Value) -> Bool {
        switch (self, other) {
        case (.bool, .bool), (.string, .string), (.table, .table), (.number, .number), (.int, .int), (.number, .int):
            return true
        default: return false
        }
    }
}

/// How the runs of this process came about.
struct RunTally {
    private(set) var reused = 0, continued = 0, trained = 0
    mutating func reused(_ name: String, _ id: String) { reused += 1 }
    mutating func trained(isContinued: Bool) { if isContinued { continued += 1 } else { trained += 1 } }
}
