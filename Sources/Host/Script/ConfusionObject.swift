import BSSCore
import BSSPlot

/// A confusion matrix: it prints, and `:plot()` draws it.
final class ConfusionObject: HostObject {
    let classNames: [String]
    /// By class of the sample, then by class that was predicted.
    let counts: [[Int]]
    private let title: String
    /// Samples whose scores were no numbers.
    private let undecided: Int

    init(classNames: [String], labels: [Int], predicted: [Int], title: String) {
        var counts = classNames.map { _ in classNames.map { _ in 0 } }
        for (label, guess) in zip(labels, predicted) where guess >= 0 { counts[label][guess] += 1 }
        (self.classNames, self.counts, self.title) = (classNames, counts, title)
        undecided = predicted.count { $0 < 0 }
    }

    var objectType: ObjectType { ConfusionObject.type }

    private var accuracy: Double {
        let all = counts.joined().reduce(0, +) + undecided
        return undecided > 0 ? .nan : Double(counts.indices.reduce(0) { $0 + counts[$1][$1] }) / Double(all)
    }

    /// Rows are the samples' classes; the last column is the share that was right.
    var summary: String {
        let cells = counts.map { row in row.map(String.init) }
        let names = classNames.map { Text.shown($0) }
        let width = 2 + max(names.map(\.count).max() ?? 0, cells.joined().map(\.count).max() ?? 0)
        let head = max(5, names.map(\.count).max() ?? 0)
        func line(_ name: String, _ columns: [String], _ last: String) -> String {
            Text.padded(name, to: head) + columns.map { Text.padded($0, to: width, right: true) }.joined()
                + Text.padded(last, to: 9, right: true)
        }
        var lines = ["confusion (\(title)): \(Text.fixed(accuracy, 4)) of \(counts.joined().reduce(0, +)) are right"]
        lines.append(line("class", names, "recall"))
        for (index, row) in counts.enumerated() {
            let all = row.reduce(0, +)
            let recall = all == 0 ? "" : Text.fixed(Double(row[index]) / Double(all), 4)
            lines.append(line(names[index], cells[index], recall))
        }
        if undecided > 0 { lines.append("\(undecided) samples have no largest score (NaN)") }
        return lines.joined(separator: "\n")
    }

    private var markdown: String {
        let names = classNames.map { Text.shown($0) }
        let rows = zip(names, counts).enumerated().map { place, line -> String in
            let all = line.1.reduce(0, +)
            let recall = all == 0 ? "" : Text.fixed(Double(line.1[place]) / Double(all), 4)
            return "| \(line.0) | \(line.1.map(String.init).joined(separator: " | ")) | \(recall) |"
        }
        return
            ([
                "confusion (\(title)): \(Text.fixed(accuracy, 4)) are right", "",
                "| class | \(names.joined(separator: " | ")) | recall |",
                "|" + String(repeating: "---|", count: names.count + 2),
            ]
            + rows).joined(separator: "\n")
    }

    private func figure() -> Figure {
        var figure = Figure(title: "confusion (\(title))", kind: .heatmap)
        figure.categories = classNames
        figure.series = zip(classNames, counts).map { Figure.Series(name: $0, y: $1.map(Double.init)) }
        (figure.xLabel, figure.yLabel) = ("predicted", "class")
        return figure
    }

    static let type = ObjectType(
        "confusion", help: "How often samples of each class (rows) were taken for each (columns).",
        methods: [
            Function(
                "plot", "The matrix as a heat map.", returns: "figure",
                example: "print(bss.train{ data = bss.data.synthetic{ samples = 300 }, epochs = 2 }"
                    + ":confusion(\"test\"):plot())"
            ) { a in
                let matrix = try a.receiver(as: ConfusionObject.self)
                return [.object(try FigureObject(matrix.figure(), a.operation))]
            },
            Function(
                "markdown", "The matrix as a Markdown table.", returns: "string",
                example: "print(bss.train{ data = bss.data.synthetic{ samples = 300 }, epochs = 2 }"
                    + ":confusion(\"test\"):markdown())"
            ) { a in [.string(try a.receiver(as: ConfusionObject.self).markdown)] },
        ],
        properties: [
            Property("counts", "By class of the sample, then by class that was predicted.") { (c: ConfusionObject) in
                .list(c.counts.map { .list($0.map(Value.int)) })
            },
            Property("class_names", "Names of the classes, in the order of rows and columns.") {
                (c: ConfusionObject) in .list(c.classNames.map(Value.string))
            },
            Property("accuracy", "The share of samples on the diagonal.") { (c: ConfusionObject) in
                .number(c.accuracy)
            },
        ])
}
