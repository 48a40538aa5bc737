import BSSCore
import BSSRuns

/// Level 1: everything that follows from the recorded measurements, computed again. Nothing is trained.
struct Derivation {
    private let content: ArtifactContent
    private var findings: [Finding] = []

    private init(_ content: ArtifactContent) { self.content = content }

    static func findings(_ content: ArtifactContent, _ manifest: Manifest) throws -> [Finding] {
        var derivation = Derivation(content)
        try derivation.checkForms()
        for id in content.runIDs { try derivation.checkRun(id) }
        for experiment in content.experiments { try derivation.checkExperiment(experiment) }
        if content.place.isEmpty {
            try derivation.checkData()
            try derivation.checkDerived(manifest)
        }
        return derivation.findings
    }

    private mutating func note(_ kind: String, _ text: String, experiment: String? = nil, run: String? = nil) {
        findings.append(Finding(level: 1, kind: kind, text: text, experiment: experiment, run: run))
    }

    /// Records are as this program writes them: a digit that changes no number is seen, too.
    private mutating func checkForms() throws {
        for name in content.tree.names where name.hasPrefix(content.place) && name.hasSuffix(".json") {
            guard name.hasPrefix(content.place + "runs/") || name.hasPrefix(content.place + "results/experiments/")
            else { continue }
            let run = name.split(separator: "/").dropLast().last.map(String.init)
            let text = JSON.text(.table(try content.tree.table(name)), indent: 2) + "\n"
            if try content.tree.text(name) != text { note("record", "\(name) is not as it was written", run: run) }
        }
        for id in content.runIDs {
            for name in ["metrics.jsonl", "trace.jsonl"] {
                let path = "\(content.place)runs/\(id)/\(name)"
                let lines = try content.tree.lines(path).map { JSON.text(.table($0)) + "\n" }
                if try content.tree.text(path) != lines.joined() {
                    note("record", "\(path) is not as it was written", run: id)
                }
            }
        }
    }

    // MARK: A run

    /// `run.json` against its metrics and its trace.
    private mutating func checkRun(_ id: String) throws {
        let record = try content.run(id)
        let name = "run \(id) (\(record["name"]?.string ?? "?"), seed \(record["seed"]?.int ?? 0))"
        guard record["id"]?.string == id else {
            return note("record", "\(name): run.json is of \(record["id"]?.string ?? "?")", run: id)
        }
        let history = record["history"]?.table?.items.compactMap(\.table) ?? []
        var measured: [String: String] = [:]
        for line in try content.tree.lines("\(content.place)runs/\(id)/metrics.jsonl") {
            guard let step = line["step"]?.int, let metric = line["name"]?.string,
                let value = line["value"]?.recordedNumber, let bits = line["bits"]?.string
            else { return note("record", "\(name): metrics.jsonl has a line that is no measurement", run: id) }
            guard RunFolder.bits(value) == bits else {
                return note("record", "\(name): epoch \(step): \(metric) = \(value) has other bits", run: id)
            }
            measured["\(step) \(metric)"] = bits
        }
        var expected = 0
        for epoch in history {
            let step = epoch["epoch"]?.int ?? 0
            var wrong: String?
            var numbers = Derivation.numbers(epoch, of: ["train", "val", "test"])
            if let rate = epoch["learning_rate"]?.recordedNumber { numbers.append(("learning_rate", rate)) }
            for (path, value) in numbers {
                expected += 1
                if measured["\(step) \(path)"] != RunFolder.bits(value), wrong == nil { wrong = path }
            }
            if let wrong {
                return note(
                    "record", "\(name): epoch \(step): \(wrong) of run.json is not that of metrics.jsonl", run: id)
            }
        }
        if expected != measured.count {
            return note("record", "\(name): \(measured.count) measurements, run.json tells \(expected)", run: id)
        }
        try checkSelections(id, name, record, history)
        try checkTrace(id, name, record, history)
        let hash = record.value(atPath: "data.hash")?.string
        let samples = record.value(atPath: "data.samples")?.table?.fields.compactMap(\.value.int).reduce(0, +)
        let note = try content.data().first { $0["hash"]?.string == hash }
        if let count = note?["samples"]?.int, let samples, samples != count {
            self.note("data", "\(name): \(samples) samples of \(count)", run: id)
        }
    }

    /// Numbers of some parts by dotted path.
    static func numbers(_ table: Table, of keys: [String]) -> [(String, Double)] {
        func visit(_ value: Value, _ path: String) -> [(String, Double)] {
            if let inner = value.table { return inner.fields.flatMap { visit($0.value, "\(path).\($0.key)") } }
            return value.recordedNumber.map { [(path, $0)] } ?? []
        }
        return keys.flatMap { key in table[key].map { visit($0, key) } ?? [] }
    }

    private mutating func checkSelections(_ id: String, _ name: String, _ record: Table, _ history: [Table]) throws {
        for (selection, value) in (record["result"]?.table ?? Table()).fields {
            guard let chosen = value.table, let epoch = chosen["epoch"]?.int,
                let source = history.first(where: { $0["epoch"]?.int == epoch })
            else { continue }
            for split in ["train", "val", "test"] {
                guard let own = chosen[split]?.table else { continue }
                let first = own.differences(from: source[split]?.table ?? Table()).first
                if let first {
                    return note(
                        "record",
                        "\(name): result.\(selection).\(split).\(first.path) is \(JSON.lua(first.own)), epoch "
                            + "\(epoch) had \(JSON.lua(first.other))", run: id)
                }
            }
        }
    }

    private mutating func checkTrace(_ id: String, _ name: String, _ record: Table, _ history: [Table]) throws {
        let trace = try content.tree.lines("\(content.place)runs/\(id)/trace.jsonl")
        let orders = record["order_hashes"]?.table?.items.compactMap(\.string) ?? []
        if trace.compactMap({ $0["order"]?.string }) != orders {
            return note("record", "\(name): the sample orders of trace.jsonl are not those of run.json", run: id)
        }
        for (line, epoch) in zip(trace, history) {
            let loss = epoch.value(atPath: "train.loss")?.recordedNumber.map(RunFolder.bits)
            if line["loss_bits"]?.string != loss || line["loss"]?.recordedNumber.map(RunFolder.bits) != loss {
                return note(
                    "record", "\(name): epoch \(epoch["epoch"]?.int ?? 0): the loss of trace.jsonl is another", run: id)
            }
        }
        if let last = trace.last?["parameters"]?.string, let hash = record["parameters_hash"]?.string,
            !hash.hasPrefix(last)
        {
            note("record", "\(name): the parameters of trace.jsonl are not those of run.json", run: id)
        }
        let code = record["code"]?.table ?? Table()
        for (file, value) in code.fields where content.tree.has("src/\(file)") {
            guard try content.tree.sha256("src/\(file)") != value.string else { continue }
            note("source", "\(name) ran another src/\(file)", run: id)
        }
    }

    // MARK: An experiment

    private mutating func checkExperiment(_ experiment: ExperimentRecord) throws {
        let name = experiment.name
        let planned = experiment.plan.isEmpty ? [] : try content.tree.lines(experiment.plan)
        for row in experiment.rows {
            for answer in row.answers {
                let place = "'\(name)': \(row.name), seed \(answer.seed)"
                for (number, id) in answer.runs.enumerated() {
                    let record = try content.run(id)
                    // The first training of a planned run has its id.
                    guard number == 0, let line = planned.first(where: { $0["id"]?.string == id }) else { continue }
                    if line["name"]?.string != row.name || line["seed"]?.int != answer.seed {
                        note("plan", "\(place): the plan has \(id) for another run", experiment: name, run: id)
                    }
                    if record["seed"]?.int != answer.seed, answer.isRun {
                        note(
                            "plan", "\(place): \(id) ran with seed \(record["seed"]?.int ?? 0)", experiment: name,
                            run: id)
                    }
                }
                guard answer.isRun, let id = answer.runs.first else { continue }
                let numbers = RecordedNumbers(try content.run(id))
                for (metric, value) in (answer.values.merging(answer.facts) { first, _ in first }).sorted(by: {
                    $0.key < $1.key
                }) {
                    let own = numbers[metric]
                    guard own.map(RunFolder.bits) != RunFolder.bits(value) else { continue }
                    note(
                        "table",
                        "\(place): \(metric) is \(Text.number(value)), its run \(id) has "
                            + (own.map(Text.number) ?? "none"), experiment: name, run: id)
                }
            }
        }
        let table = experiment.table
        for (ending, text) in [("csv", try table.csv()), ("md", try table.markdown()), ("tex", try table.latex())] {
            let path = "\(content.place)results/tables/\(name).\(ending)"
            guard try !content.tree.has(path) || content.tree.text(path) != text else { continue }
            note("table", "\(path) is not what the records give", experiment: name)
        }
    }

    // MARK: The rest

    private mutating func checkData() throws {
        for note in try content.data() where note["packed"]?.bool == true {
            let named = note["named"]?.string ?? ""
            for file in note["files"]?.table?.items.compactMap(\.table) ?? [] {
                let whole = ArtifactContent.packedFile(named, in: "")
                let inner = ArtifactContent.packedFile(file["path"]?.string ?? "", in: named)
                let path = content.tree.has(whole) ? whole : inner
                guard content.tree.has(path) else {
                    self.note("data", "\(path) is not there")
                    continue
                }
                let hash = file["sha256"]?.string ?? ""
                if !hash.isEmpty, try content.tree.sha256(path) != hash {
                    self.note("data", "\(path) is not the file that was trained on")
                }
            }
        }
    }

    private mutating func checkDerived(_ manifest: Manifest) throws {
        for (name, text) in try DerivedFiles(content: content, manifest: manifest).all() {
            let own = try content.tree.text(name)
            guard own != text else { continue }
            let lines = zip(own.split(separator: "\n"), text.split(separator: "\n"))
            let first = lines.first { $0 != $1 }?.0.drop { $0 == " " }.prefix(80) ?? ""
            note("claim", "\(name) is not what the records give: \(first)")
        }
        if try ContentHash.of(content.tree) != manifest.content {
            note("record", "the content hash of manifest.json is another")
        }
    }
}

/// The numbers of a run's record as experiments take them: of the selected epoch, of a selection by name, costs.
struct RecordedNumbers {
    private let record: Table
    init(_ record: Table) { self.record = record }

    subscript(path: String) -> Double? {
        let result = record["result"]?.table ?? Table()
        let selected = (result["selected"] ?? result["last"])?.table ?? Table()
        let time = record.value(atPath: "time.training_seconds")
        let found =
            selected.value(atPath: path) ?? result.value(atPath: path) ?? record["cost"]?.table?[path]
            ?? (path == "seconds" ? time : nil)
        return found?.recordedNumber
    }
}
