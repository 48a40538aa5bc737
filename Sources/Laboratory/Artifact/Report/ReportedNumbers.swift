import BSSCore
import BSSRuns

/// Every number that a paper may take from experiments, by name: `ablation.test.total.accuracy.BSS-L`, and `.sd`,
/// `.difference`, `.p`, `.seeds` of it.
public struct ReportedNumbers {
    public struct Number {
        /// Of `\bssnum{…}`.
        public let key: String
        public let value: Double
        /// As tables print it.
        public let text: String
    }

    public let numbers: [Number]
    /// Single results, which a text may quote too.
    private let others: [Double]
    private let comments: [String]

    public init(_ experiments: [ExperimentRecord]) throws {
        var numbers: [Number] = []
        var comments: [String] = []
        for experiment in experiments {
            let table = experiment.table
            let cells = try table.cells()
            for (column, metric) in table.metrics.enumerated() {
                for (row, line) in zip(table.rows, cells) {
                    guard let cell = line[column] else { continue }
                    let key = "\(experiment.name).\(metric).\(ReportedNumbers.slug(row.name))"
                    func add(_ part: String, _ value: Double?, _ text: String?) {
                        guard let value, let text else { return }
                        numbers.append(Number(key: key + part, value: value, text: text))
                    }
                    let digits = table.decimals(column, cells)
                    add("", cell.mean, Text.fixed(cell.mean, digits))
                    add(".sd", cell.sd, cell.sd.isNaN ? nil : Text.fixed(cell.sd, digits))
                    add(".difference", cell.difference, cell.difference.map { Text.fixed($0, digits) })
                    add(".p", cell.p, cell.p.map { Text.format("%.3g", $0) })
                    add(".p_holm", cell.adjustedP, cell.adjustedP.map { Text.format("%.3g", $0) })
                    add(".seeds", Double(cell.values.count), String(cell.values.count))
                }
            }
            comments += table.rows.map { row in
                "\(experiment.name), \(row.name): \(row.runs.joined(separator: " "))"
            }
        }
        (self.numbers, self.comments) = (numbers, comments)
        others = experiments.flatMap {
            $0.rows.flatMap { $0.answers.flatMap { Array($0.values.values) + $0.facts.values } }
        }
    }

    /// A name without what LaTeX or a reader would stumble over.
    static func slug(_ name: String) -> String {
        let parts = name.split { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".")) }
        return parts.isEmpty ? "row" : parts.joined(separator: "-")
    }

    /// Whether a number as a text gives it is one of these, rounded as it is; of shares also in percent.
    func hasSource(_ literal: PaperCheck.Literal) -> Bool {
        let half = 0.5 * Double.pow10(-literal.decimals) * (1 + 1e-9)
        return (numbers.map(\.value) + others).contains { value in
            [value, abs(value), value * 100, abs(value) * 100].contains { abs($0 - literal.value) <= half }
        }
    }

    /// A LaTeX file: `\bssnum{key}` gives the number; the runs behind the tables as comments.
    public var macros: String {
        let head = """
            % Numbers of experiments, made by bss-lua report:
            % \\bssnum{experiment.metric.arm}, and .sd, .difference, .p, .p_holm, .seeds of it.
            \\providecommand{\\bssnum}[1]{\\ifcsname bss@#1\\endcsname\\csname bss@#1\\endcsname\\else
              \\PackageError{bss}{no number '#1'}{bss-lua report writes the numbers that there are}\\fi}

            """
        let lines = numbers.map { "\\expandafter\\def\\csname bss@\($0.key)\\endcsname{\($0.text)}\n" }
        return head + lines.joined() + comments.map { "% runs of \($0)\n" }.joined()
    }
}

extension Double {
    fileprivate static func pow10(_ exponent: Int) -> Double {
        (0..<abs(exponent)).reduce(1.0) { power, _ in exponent < 0 ? power / 10 : power * 10 }
    }
}
