import BSSCore
import BSSRuns

/// What a verification found, and of what it says so.
public struct Finding {
    /// Where it was found: 0 seal, 1 derived again, 2 small form, 3 run again, 4 new seeds.
    public var level: Int
    /// `seal`, `record`, `table`, `claim`, `plan`, `source`, `data`, `order`, `forward`, `gradient`, `update`,
    /// `evaluation`, `script`.
    public var kind: String
    public var text: String
    /// The experiment it concerns; nil: the artifact.
    public var experiment: String?
    /// The run; nil: all of them.
    public var run: String?

    var record: Value {
        .fields([
            ("level", .int(level)), ("kind", .string(kind)), ("text", .string(text)),
            ("experiment", experiment.map(Value.string) ?? .null), ("run", run.map(Value.string) ?? .null),
        ])
    }
}

/// Of one claim.
public struct ClaimOutcome {
    public enum Verdict: Equatable {
        case holds, differs
        case notChecked(String)

        public var word: String {
            switch self {
            case .holds: return "holds"
            case .differs: return "differs"
            case .notChecked: return "not checked"
            }
        }
    }

    public let experiment: String
    public let claim: StatedClaim
    public var verdict = Verdict.notChecked("no level asks for it")
    /// The numbers that the records give, and those from here.
    public var there = "", here = ""
    /// What differs first, or how it was compared.
    public var why: [String] = []
    public var seconds = 0.0

    var record: Value {
        var reason: Value = .null
        if case .notChecked(let text) = verdict { reason = .string(text) }
        return .fields([
            ("id", .string(claim.id)), ("experiment", .string(experiment)), ("text", .string(claim.text)),
            ("place", .string(claim.place)), ("class", .string(claim.kind.rawValue)),
            ("verdict", .string(verdict.word)), ("reason", reason), ("there", .string(there)), ("here", .string(here)),
            ("why", .list(why)), ("wall_seconds", .number(seconds)),
        ])
    }
}

/// The outcome of `bss-lua verify`.
public struct Verification {
    public var title = ""
    public var seal = ""
    public var level: Int
    public var isTrusted: Bool
    public var claims: [ClaimOutcome] = []
    public var findings: [Finding] = []
    /// Claims that the artifact itself does not call supported.
    public var unsupported: [String] = []
    /// A child met a limit of time, memory or output.
    public var limits: [String] = []
    /// What was not looked at, beside claims.
    public var unchecked: [String] = []
    public var seconds = 0.0

    public init(level: Int, isTrusted: Bool) { (self.level, self.isTrusted) = (level, isTrusted) }

    public var isDamaged: Bool { findings.contains { $0.level == 0 } }
    public var differs: Bool { findings.contains { $0.level > 0 } || claims.contains { $0.verdict == .differs } }
    public var isIncomplete: Bool {
        !unchecked.isEmpty || claims.contains { if case .notChecked = $0.verdict { return true } else { return false } }
    }

    /// 5 damaged, 3 differs, 7 a limit, 4 not checked, 0 holds: the first that applies.
    public var exitCode: Int32 {
        isDamaged ? 5 : differs ? 3 : !limits.isEmpty ? 7 : isIncomplete ? 4 : 0
    }

    public var word: String {
        isDamaged ? "damaged" : differs ? "differs" : !limits.isEmpty || isIncomplete ? "not checked" : "holds"
    }

    // MARK: As text

    public func text(why: Bool = false) -> String {
        var lines: [String] = []
        let width = claims.map(\.claim.id.count).max() ?? 0
        for outcome in claims {
            var line = "\(Text.padded(outcome.claim.id, to: width))  \(Text.padded(outcome.verdict.word, to: 11))  "
            line += outcome.claim.text + (outcome.claim.place.isEmpty ? "" : " (\(outcome.claim.place))")
            if case .notChecked(let reason) = outcome.verdict { line += ": \(reason)" }
            lines.append(line)
            if outcome.verdict == .differs || why { lines += outcome.why.map { "    \($0)" } }
            guard why else { continue }
            if !outcome.there.isEmpty { lines.append("    there: \(outcome.there)") }
            if !outcome.here.isEmpty { lines.append("    here:  \(outcome.here)") }
        }
        let told = Set(claims.flatMap(\.why))
        lines += findings.filter { !told.contains($0.text) }.map { "\($0.kind): \($0.text)" }
        lines += unsupported.map { "not asked: \($0)" }
        lines += unchecked.map { "not checked: \($0)" }
        lines += limits.map { "limit: \($0)" }
        lines.append("\(word): \(counts), level \(level), \(Text.fixed(seconds, 1)) s")
        return lines.joined(separator: "\n") + "\n"
    }

    private var counts: String {
        func count(_ word: String) -> Int { claims.filter { $0.verdict.word == word }.count }
        let words = ["holds", "differs", "not checked"].map { "\(count($0)) \($0)" }
        return "\(claims.count) claims, " + words.joined(separator: ", ")
    }

    public var markdown: String {
        let rows = claims.map { outcome in
            let cells = [
                outcome.claim.id, outcome.claim.text, outcome.verdict.word, outcome.there, outcome.here,
                outcome.why.first ?? "",
            ]
            return "| " + cells.map(ReadmeText.cell).joined(separator: " | ") + " |"
        }
        let more =
            findings.map { "- level \($0.level), \($0.kind): \($0.text)" } + unchecked.map { "- not checked: \($0)" }
        return """
            # Verification of \(title): \(word)

            | id | claim | verdict | there | here | why |
            | --- | --- | --- | --- | --- | --- |
            \(rows.joined(separator: "\n"))

            \(more.joined(separator: "\n"))

            """
    }

    public var record: Table {
        Table(fields: [
            ("schema", .int(1)), ("title", .string(title)), ("seal", .string(seal)), ("verdict", .string(word)),
            ("exit_code", .int(Int(exitCode))), ("level", .int(level)), ("trusted", .bool(isTrusted)),
            ("claims", .list(claims.map(\.record))), ("findings", .list(findings.map(\.record))),
            ("unsupported", .list(unsupported)), ("unchecked", .list(unchecked)), ("limits", .list(limits)),
            ("machine", .table(Machine.description)), ("wall_seconds", .number(seconds)),
        ])
    }
}
