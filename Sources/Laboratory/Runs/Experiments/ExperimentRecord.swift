import BSSCore

/// `results/experiments/<name>.json`: what a table was made of. Rows name their runs; claims stand beside what they are
/// claims about.
public struct ExperimentRecord {
    /// What the function of an arm gave for a seed.
    public struct Answer {
        public var seed: Int
        /// Ids of the runs that it trained or took from their records.
        public var runs: [String]
        /// It gave a run: its numbers are those of the run's record. Otherwise the script made them.
        public var isRun: Bool
        public var values: [String: Double]
        /// Measured facts: costs.
        public var facts: [String: Double]

        public init(seed: Int, runs: [String], isRun: Bool, values: [String: Double], facts: [String: Double]) {
            (self.seed, self.runs, self.isRun, self.values, self.facts) = (seed, runs, isRun, values, facts)
        }
    }

    public struct Row {
        public var name: String
        /// Its fields, plain.
        public var arm: Table
        public var answers: [Answer]
        public init(name: String, arm: Table, answers: [Answer]) {
            (self.name, self.arm, self.answers) = (name, arm, answers)
        }
    }

    /// Words of a command line that give this result again: options, script (from its sources' folder), arguments.
    public struct Command {
        public var options: [String] = []
        public var script = ""
        public var arguments: [String] = []
        public init(options: [String] = [], script: String = "", arguments: [String] = []) {
            (self.options, self.script, self.arguments) = (options, script, arguments)
        }
        /// `bss-lua --set epochs=3 ablation.lua`
        public func text(in folder: String = "") -> String {
            let script = folder.isEmpty ? script : "\(folder)/\(script)"
            return (["bss-lua"] + options + [script] + (arguments.isEmpty ? [] : ["--"] + arguments))
                .map(Command.quoted).joined(separator: " ")
        }
        /// As a shell takes it.
        static func quoted(_ word: String) -> String {
            let plain = word.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || "-_./=,:+@%".utf8.contains(byte)
            }
            let inside = word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
            return plain && !word.isEmpty ? word : "'\(inside)'"
        }
    }

    public var name: String
    public var title: String
    /// Frozen: `plans/<name>-<hash>.jsonl`; empty where nothing is recorded.
    public var plan = ""
    public var command = Command()
    /// Folder of the sources' copies.
    public var sources: String?
    public var engine = Table()
    public var parameters = Table()
    public var seed = 1
    public var metrics: [String]
    public var facts: [String]
    public var control: String?
    public var lowerIsBetter: [String]
    public var notes: [String]
    public var rows: [Row]
    public var claims: [StatedClaim] = []
    let tests = KnownTests()

    public init(
        name: String, title: String, metrics: [String], facts: [String] = [], control: String? = nil,
        lowerIsBetter: [String] = [], notes: [String] = [], rows: [Row]
    ) {
        (self.name, self.title, self.metrics, self.facts) = (name, title, metrics, facts)
        (self.control, self.lowerIsBetter, self.notes, self.rows) = (control, lowerIsBetter, notes, rows)
    }

    /// Whether runs are behind its numbers.
    public var hasRuns: Bool { rows.contains { $0.answers.contains { !$0.runs.isEmpty } } }

    public func row(_ name: String) -> Row? { rows.first { $0.name == name } }

    /// The values of an arm by seed.
    public func values(_ arm: String, _ metric: String) -> [Double] {
        row(arm)?.answers.compactMap { $0.values[metric] ?? $0.facts[metric] } ?? []
    }

    public func seeds(_ arm: String) -> [Int] { row(arm)?.answers.map(\.seed) ?? [] }

    // MARK: Its table

    public var table: ReportTable {
        let rows = self.rows.map { row in
            var values: [String: [Double]] = [:]
            for answer in row.answers {
                for metric in Set(metrics) {
                    if let value = answer.values[metric] { values[metric, default: []].append(value) }
                }
            }
            return ReportTable.Row(
                name: row.name, seeds: row.answers.map(\.seed), values: values, facts: texts(of: row),
                runs: row.answers.flatMap(\.runs))
        }
        var table = ReportTable(title: title, rows: rows, metrics: metrics, control: control)
        table.lowerIsBetter = Set(lowerIsBetter)
        table.tests = tests
        (table.notes, table.facts) = (notes, facts)
        return table
    }

    /// Plain columns: the mean over seeds of what was measured, else the arm's own field.
    private func texts(of row: Row) -> [String: String] {
        var texts: [String: String] = [:]
        for fact in facts {
            let values = row.answers.compactMap { $0.facts[fact] }
            if !values.isEmpty {
                let mean = values.reduce(0, +) / Double(values.count)
                texts[fact] = values.allSatisfy { $0 == $0.rounded() } ? Text.fixed(mean, 0) : Text.format("%.3g", mean)
            } else if let own = row.arm[fact] {
                texts[fact] = own.string ?? JSON.lua(own)
            }
        }
        return texts
    }
}
