import BSSCore
import BSSRuns

/// `verify --mutate`: faults planted in copies of an artifact, each of which must be found where it belongs. Without a
/// new seal the seal finds them; with one, the level named here does.
public struct Mutation {
    public let name: String
    /// The level that must find it.
    public let level: Int
    let isSealed: Bool
    let plant: (inout DraftTree) throws -> Bool

    init(_ name: String, level: Int, isSealed: Bool = true, _ plant: @escaping (inout DraftTree) throws -> Bool) {
        (self.name, self.level, self.isSealed, self.plant) = (name, level, isSealed, plant)
    }

    public struct Outcome {
        public let mutation: Mutation
        /// nil: this artifact has nothing of the kind, or nothing is run here.
        public let isFound: Bool?
        public let words: String
    }

    /// Plants every fault, one at a time.
    /// - Parameter verify: verifies a tree up to a level; nil: the level is not asked for.
    public static func all(
        in tree: any FileTree, verify: (any FileTree, _ level: Int) throws -> Verification?,
        told: (Outcome) -> Void
    ) throws -> [Outcome] {
        let manifest = try Manifest(of: tree)
        let id = try firstRun(tree)
        return try (sealFaults(id) + recordFaults(id) + rerunFaults(id)).map { mutation in
            var draft = DraftTree(over: tree)
            guard try mutation.plant(&draft) else {
                let outcome = Outcome(mutation: mutation, isFound: nil, words: "nothing of the kind is in it")
                told(outcome)
                return outcome
            }
            if mutation.isSealed { try seal(&draft, manifest, derives: mutation.level > 1) }
            guard let result = try verify(draft, mutation.level) else {
                let outcome = Outcome(mutation: mutation, isFound: nil, words: "its level was not asked for")
                told(outcome)
                return outcome
            }
            let first = result.findings.first { $0.level == mutation.level }?.text
            let claim = result.claims.first { $0.verdict == .differs }
            // What is forged throughout, no comparison of records may find; the small form may, before the runs.
            let isEarly = result.findings.contains { $0.level < min(mutation.level, 2) }
            let isFound = !isEarly && (first != nil || mutation.level >= 2 && result.differs)
            let unchecked = result.claims.compactMap { outcome -> String? in
                if case .notChecked(let why) = outcome.verdict { return why } else { return nil }
            }
            let words = claim.map { "\($0.claim.id): \($0.why.first ?? "")" } ?? first ?? unchecked.first ?? "it passed"
            let outcome = Outcome(
                mutation: mutation, isFound: !isFound && !unchecked.isEmpty && claim == nil ? nil : isFound,
                words: words)
            told(outcome)
            return outcome
        }
    }

    /// The first run that an answer of a supported claim names.
    private static func firstRun(_ tree: any FileTree) throws -> String {
        let content = try ArtifactContent(tree)
        let supported = try content.supported().first
        guard let (experiment, claim, _) = supported,
            let id = content.runs(of: experiment, arms: claim.arms).first
        else { throw BSSError("verify", "the artifact supports no claim", kind: .usage) }
        return id
    }

    /// Closes it anew, as a forger would: with what follows from the records made to fit.
    private static func seal(_ draft: inout DraftTree, _ manifest: Manifest, derives: Bool) throws {
        if derives {
            let content = try ArtifactContent(draft)
            for experiment in content.experiments {
                let path = "results/tables/\(experiment.name)"
                draft.write(try experiment.table.csv(), to: path + ".csv")
                draft.write(try experiment.table.markdown(), to: path + ".md")
                draft.write(try experiment.table.latex(), to: path + ".tex")
            }
            for (name, text) in try DerivedFiles(content: ArtifactContent(draft), manifest: manifest).all() {
                draft.write(text, to: name)
            }
        }
        try Seal.close(&draft, manifest)
    }

    // MARK: Helpers

    private static func edit(_ draft: inout DraftTree, _ name: String, _ change: (inout Table) -> Bool) throws -> Bool {
        guard draft.has(name) else { return false }
        var table = try draft.table(name)
        guard change(&table) else { return false }
        draft.write(JSON.text(.table(table), indent: 2) + "\n", to: name)
        return true
    }

    /// Another last digit.
    private static func edited(_ text: String, _ what: String) -> String? {
        let bytes = Array(text.utf8)
        guard let start = find(Array(what.utf8), in: bytes) else { return nil }
        var at = start + what.utf8.count
        while at < bytes.count, !(48...57).contains(bytes[at]) { at += 1 }
        guard at < bytes.count else { return nil }
        while at + 1 < bytes.count, (48...57).contains(bytes[at + 1]) || bytes[at + 1] == UInt8(ascii: ".") { at += 1 }
        var changed = bytes
        changed[at] = bytes[at] == 57 ? 56 : bytes[at] + 1
        return String(decoding: changed, as: UTF8.self)
    }

    private static func find(_ what: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= what.count else { return nil }
        return (0...bytes.count - what.count).first { bytes[$0..<$0 + what.count].elementsEqual(what) }
    }

    private static func editText(_ draft: inout DraftTree, _ name: String, after what: String) throws -> Bool {
        guard draft.has(name), let text = edited(try draft.text(name), what) else { return false }
        draft.write(text, to: name)
        return true
    }

    // MARK: Faults

    private static func sealFaults(_ id: String) -> [Mutation] {
        [
            Mutation("one digit of a metric, not sealed again", level: 0, isSealed: false) {
                try editText(&$0, "runs/\(id)/metrics.jsonl", after: "\"value\":")
            },
            Mutation("one byte of a script, not sealed again", level: 0, isSealed: false) { draft in
                guard let name = draft.names(in: "src").first else { return false }
                var bytes = try draft.read("src/\(name)")
                bytes.append(0x20)
                draft["src/\(name)"] = bytes
                return true
            },
            Mutation("a file is gone, not sealed again", level: 0, isSealed: false) {
                $0["runs/\(id)/trace.jsonl"] = nil
                return true
            },
            Mutation("a file is there that was not sealed", level: 0, isSealed: false) {
                $0.write("x", to: "results/tables/more.csv")
                return true
            },
            Mutation("a run is gone, sealed again", level: 0) {
                for name in ["run.json", "metrics.jsonl", "trace.jsonl", "output.txt"] {
                    $0["runs/\(id)/\(name)"] = nil
                }
                return true
            },
        ]
    }

    private static func recordFaults(_ id: String) -> [Mutation] {
        let record = "runs/\(id)/run.json"
        return [
            Mutation("one digit of a metric in run.json", level: 1) {
                try editText(&$0, record, after: "\"accuracy\": 0.")
            },
            Mutation("the number of samples", level: 1) {
                try editText(&$0, record, after: "\"samples\": {")
            },
            Mutation("one digit of a measurement", level: 1) {
                try editText(&$0, "runs/\(id)/metrics.jsonl", after: "\"value\":")
            },
            Mutation("one digit of a table", level: 1) { draft in
                guard let table = draft.names(in: "results/tables").first(where: { $0.hasSuffix(".csv") }) else {
                    return false
                }
                return try editText(&draft, "results/tables/\(table)", after: "\n")
            },
            Mutation("one digit of an answer", level: 1) { draft in
                guard let name = draft.names(in: "results/experiments").first else { return false }
                return try editText(&draft, "results/experiments/\(name)", after: "\"values\"")
            },
            Mutation("a claim's margin or words", level: 1) { draft in
                var text = try draft.text("claims.json")
                text = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
                    line.hasPrefix("      \"text\": ") ? "      \"text\": \"something better\"," : String(line)
                }.joined(separator: "\n")
                draft.write(text, to: "claims.json")
                return true
            },
            Mutation("a seed", level: 1) { draft in
                try edit(&draft, record) { table in
                    guard let seed = table["seed"]?.int else { return false }
                    table["seed"] = .int(seed + 1)
                    return true
                }
            },
            Mutation("a token of a script", level: 1) { try plantToken(&$0) },
            Mutation("the order of an epoch in trace.jsonl", level: 1) {
                try editText(&$0, "runs/\(id)/trace.jsonl", after: "\"order\":\"")
            },
            Mutation("a byte of packed data", level: 1) { draft in
                guard let name = draft.names(in: "data/files").first else { return false }
                var bytes = try draft.read("data/files/\(name)")
                guard !bytes.isEmpty else { return false }
                bytes[bytes.count / 2] ^= 1
                draft["data/files/\(name)"] = bytes
                return true
            },
        ]
    }

    /// A number that the runs depend on: the first after `learning_rate`, else after `epochs`, of a script that has an
    /// experiment, of a module only where none has one (it may hold what other experiments use).
    private static func plantToken(_ draft: inout DraftTree) throws -> Bool {
        let texts = try draft.names(in: "src").map { ($0, try draft.text("src/\($0)")) }
        let ofExperiments = texts.filter { $0.1.contains("bss.experiment") }
        for (name, text) in ofExperiments + texts {
            guard let changed = edited(text, "learning_rate = ") ?? edited(text, "epochs = ") else { continue }
            draft.write(changed, to: "src/\(name)")
            return true
        }
        return false
    }

    /// Forged throughout: every record fits, only running it again tells.
    private static func rerunFaults(_ id: String) -> [Mutation] {
        [
            Mutation("a metric, in every record of it", level: 3) { try Forgery(id).metric(&$0) },
            Mutation("a token of a script, in every record of it", level: 3) { draft in
                guard try plantToken(&draft) else { return false }
                return try Forgery(id).sources(&draft)
            },
            Mutation("the order of an epoch, in every record of it", level: 3) { try Forgery(id).order(&$0) },
            Mutation("the first loss of an epoch", level: 3) { try Forgery(id).trace(&$0, "first_loss_bits") },
            Mutation("the gradient of an epoch", level: 3) { try Forgery(id).trace(&$0, "gradient_norm_bits") },
            Mutation("the parameters, in every record of them", level: 3) { try Forgery(id).parameters(&$0) },
            Mutation("the data, in every record of it", level: 3) { try Forgery(id).data(&$0) },
        ]
    }
}
