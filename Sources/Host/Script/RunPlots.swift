import BSSCore
import BSSPlot

/// Figures of runs and experiments.
enum RunPlots {
    private static let metric = Argument<[String]>(
        "metric", default: ["accuracy"],
        "paths in the history such as \"test.total.accuracy\", where * stands for any name; "
            + "\"loss\" alone is *.loss, another metric is *.total.<metric>"
    )
    private static let others = Argument("with", default: [Value](), "runs to compare with")
    private static let names = Argument("names", default: [String](), "names of the runs that are compared")
    private static let title = Argument("title", default: "", "above the chart")
    private static let yLog = Argument("y_log", default: false, "logarithmic y axis")
    private static let bins = Argument<Int?>(
        "bins", default: nil, "number of bins",
        check: Check("from 1 to 10000") { $0.map { (1...10_000).contains($0) } ?? true })
    private static let count = Argument("count", default: 5, "samples at each end", check: .range(1...1000))

    static let methods: [Function] = [
        Function(
            "plot", "Curves over epochs: of splits, outputs and runs.", [metric, others, names, title, yLog],
            returns: "figure",
            example:
                "print(bss.train{ data = bss.data.synthetic{ samples = 300 }, epochs = 3 }"
                + ":plot{ \"test.*.accuracy\", \"loss\" })"
        ) { a in [.object(try FigureObject(try curves(a), a.operation))] },
        Function(
            "plot_scores", "Histogram of the balance scores of the training samples, with the samples at both ends.",
            [bins, count, title], returns: "figure",
            example:
                "print(bss.train{ data = bss.data.synthetic{ samples = 300 }, epochs = 2, scheduler = \"heuristic\" }"
                + ":plot_scores())",
            source: "Guan, Jiang, Yang, IJCAI 2025, Figure 4"
        ) { a in
            let run = try a.receiver(as: RunObject.self).whole()
            let ends = try run.ends(a[count], a.operation)
            var figure = Figure.histogram(
                [(name: "", values: run.scores)], bins: a[bins],
                title: a[title].isEmpty ? "balance scores of \(run.scores.count) training samples" : a[title])
            figure.xLabel = "score"
            for (name, list) in [("lowest", ends.lowest), ("highest", ends.highest)] {
                figure.remarks.append(
                    "\(name): "
                        + list.map {
                            "\(run.samples[$0].id) (\(run.samples[$0].label)) \(Text.format("%.4g", run.scores[$0]))"
                        }.joined(separator: ", "))
            }
            return [.object(try FigureObject(figure, a.operation))]
        },
        Function(
            "extremes",
            "The training samples with the lowest and highest balance scores: { lowest, highest }, each a list of "
                + "{ position, id, class, score, files = { modality = path } }; notebooks show their pictures.",
            [count], returns: "extremes",
            example:
                "bss.train{ data = bss.data.synthetic{ samples = 300 }, epochs = 2, scheduler = \"heuristic\" }"
                + ":extremes{ count = 3 }.lowest[1].id",
            source: "Guan, Jiang, Yang, IJCAI 2025, Figure 4"
        ) { a in [.object(try a.receiver(as: RunObject.self).whole().extremes(a[count], a.operation))] },
    ]

    private static func curves(_ a: Arguments) throws -> Figure {
        var runs = [try a.receiver(as: RunObject.self)]
        for (k, value) in a[others].enumerated() {
            guard case .object(let object) = value, let run = object as? RunObject else {
                throw BSSError(
                    a.operation, "option 'with': entry \(k + 1) is \(value.described), expected a run", kind: .usage)
            }
            runs.append(run)
        }
        guard a[names].count <= runs.count else {
            throw BSSError(a.operation, "there are \(a[names].count) names for \(runs.count) runs", kind: .usage)
        }
        let patterns = a[metric].map { $0.contains(".") ? $0 : $0 == "loss" ? "*.loss" : "*.total.\($0)" }
        var figure = Figure(title: a[title])
        figure.xLabel = "epoch"
        figure.yScale.isLog = a[yLog]
        var found: [(run: Int, path: String)] = []
        for (k, run) in runs.enumerated() {
            for (index, pattern) in patterns.enumerated() {
                let paths = run.metricPaths.filter { matches($0, pattern) }
                guard !paths.isEmpty else {
                    let near = Text.nearest(to: pattern, in: run.metricPaths).map { "did you mean '\($0)'? " } ?? ""
                    throw BSSError(
                        a.operation, "no metric matches '\(a[metric][index])'", hint: near + run.recorded, kind: .usage)
                }
                found += paths.map { (k, $0) }
            }
        }
        // What all names end in is said once, at the axis.
        let tail = commonTail(found.map(\.path))
        figure.yLabel = tail.joined(separator: " ")
        for (k, path) in found {
            let steps = path.split(separator: ".")
            let name = steps.dropLast(tail.count).joined(separator: ".")
            let prefix = runs.count == 1 ? "" : k < a[names].count ? a[names][k] : "run \(k + 1)"
            figure.series.append(
                Figure.Series(
                    name: [prefix, name].filter { !$0.isEmpty }.joined(separator: ": "), y: runs[k].curve(path)))
        }
        return figure
    }

    /// The last steps that all paths share, at most all but the first.
    private static func commonTail(_ paths: [String]) -> [Substring] {
        let split = paths.map { $0.split(separator: ".") }
        guard let first = split.first else { return [] }
        var count = 0
        while split.allSatisfy({ $0.count > count + 1 && $0[$0.count - 1 - count] == first[first.count - 1 - count] }) {
            count += 1
        }
        return Array(first.suffix(count))
    }

    /// `*` stands for one name of the path.
    private static func matches(_ path: String, _ pattern: String) -> Bool {
        let a = path.split(separator: ".")
        let b = pattern.split(separator: ".")
        return a.count == b.count && zip(a, b).allSatisfy { $1 == "*" || $0 == $1 }
    }
}

extension RunObject {
    /// Paths of all numbers below train, val and test, in the order of the first epoch's record.
    var metricPaths: [String] {
        var paths: [String] = []
        func walk(_ prefix: String, _ table: Table) {
            for (key, value) in table.fields {
                if let inner = value.table {
                    walk("\(prefix)\(key).", inner)
                } else if value.double != nil {
                    paths.append(prefix + key)
                }
            }
        }
        for split in ["train", "val", "test"] {
            if let table = history.first?[split]?.table { walk(split + ".", table) }
        }
        return paths
    }

    /// The names that occur in the paths, by level.
    var recorded: String {
        let paths = metricPaths.map { $0.split(separator: ".").map(String.init) }
        func distinct(_ names: [String]) -> String {
            var seen: Set<String> = []
            return names.filter { seen.insert($0).inserted }.joined(separator: ", ")
        }
        let splits = distinct(paths.map { $0[0] })
        let outputs = distinct(paths.filter { $0.count == 3 }.map { $0[1] })
        let metrics = distinct(paths.map { $0[$0.count - 1] })
        return "splits: \(splits); outputs: \(outputs); metrics: \(metrics)"
    }

    /// A number over epochs; NaN where an epoch did not record it.
    func curve(_ path: String) -> [Double] { history.map { $0.value(atPath: path)?.double ?? .nan } }

    /// Positions of the samples at both ends of the scores, the outermost first.
    /// - Throws: the run has no scores.
    func ends(_ count: Int, _ operation: String) throws -> (lowest: [Int], highest: [Int]) {
        guard !scores.isEmpty else {
            throw BSSError(
                operation, "the run has no balance scores",
                hint:
                    "scheduler = \"heuristic\" or \"learned\" scores its samples; "
                    + "bss.measure{} scores them without training"
            )
        }
        let sorted = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
        return (Array(sorted.prefix(count)), Array(sorted.reversed().prefix(count)))
    }
}
