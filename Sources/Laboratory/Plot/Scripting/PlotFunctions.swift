import BSSCore

/// `bss.plot`
public enum PlotFunctions {
    private static let xs = Argument("x", default: SeriesList(), "positions; alone, the values themselves over 1, 2, …")
    private static let ys = Argument(
        "y", default: SeriesList(),
        "values; a series also as { name =, x =, y =, low =, high = }, or { name =, runs = {…} } for "
            + "mean and band over seeds"
    )
    private static let values = Argument<SeriesList>(
        "values", aliases: ["y"], "the values; several lists are several series")
    private static let names = Argument("names", default: [String](), "names of the series, for the legend")
    private static let categories = Argument("categories", default: [String](), "names of the positions 1, 2, …")
    private static let groups = Argument<[Value]?>(
        "groups", default: nil, "one label (text or number) a point: points of one label are one series")
    private static let bins = Argument<Int?>(
        "bins", default: nil, "number of bins; round ones near the width of Freedman and Diaconis by default",
        check: Check("from 1 to 10000") { $0.map { (1...10_000).contains($0) } ?? true })
    private static let range = Argument<[Double]?>(
        "range", default: nil, "{low, high}: the values to count", check: pair)
    private static let rows = Argument("rows", default: [String](), "names of the rows")
    private static let columns = Argument("columns", default: [String](), "names of the columns")
    private static let valueRange = Argument<[Double]?>("range", default: nil, "{low, high} of the shades", check: pair)

    private static let title = Argument("title", default: "", "above the chart")
    private static let xLabel = Argument("x_label", aliases: ["xlabel"], default: "", "below the x axis")
    private static let yLabel = Argument("y_label", aliases: ["ylabel"], default: "", "beside the y axis")
    private static let xRange = Argument<[Double]?>(
        "x_range", aliases: ["xlim"], default: nil, "{low, high} of the x axis", check: pair)
    private static let yRange = Argument<[Double]?>(
        "y_range", aliases: ["ylim"], default: nil, "{low, high} of the y axis", check: pair)
    private static let xLog = Argument("x_log", default: false, "logarithmic x axis")
    private static let yLog = Argument("y_log", default: false, "logarithmic y axis")
    private static let pair = Check<[Double]?>("of two finite numbers, the lower one first") {
        $0.map { $0.count == 2 && $0[0] < $0[1] && $0.allSatisfy(\.isFinite) } ?? true
    }

    public static let functions: [Function] = [
        Function(
            "line", "Lines over positions; several lists are several lines.",
            [xs, ys, names, title, xLabel, yLabel, categories, xRange, yRange, xLog, yLog], returns: "figure",
            example:
                "print(bss.plot.line{ y = { train = {0.9, 0.5, 0.3}, val = {1.0, 0.7, 0.65} }, title = "
                + "\"loss\", x_label = \"epoch\" })"
        ) { a in try object(curves(a, .line), a) },
        Function(
            "scatter", "Points; `groups` gives each its series.",
            [xs, ys, groups, names, title, xLabel, yLabel, xRange, yRange, xLog, yLog], returns: "figure",
            example: "print(bss.plot.scatter({1, 2, 3, 4}, {2, 1, 4, 3}))"
        ) { a in try object(scatter(a), a) },
        Function(
            "bar", "Bars over named positions; several lists are groups of bars.",
            [ys, categories, names, title, xLabel, yLabel, yRange, yLog], returns: "figure",
            example:
                "print(bss.plot.bar{ 0.61, 0.55, 0.72, categories = {\"audio\", \"image\", \"both\"}, "
                + "y_label = \"accuracy\" })"
        ) { a in try object(bars(a), a) },
        Function(
            "hist", "How often values occur, in bins.", [values, bins, range, names, title, xLabel, yLabel, yLog],
            returns: "figure",
            example: "print(bss.plot.hist{ values = bss.randn{1000}, bins = 20 })",
            source: "bin width: Freedman and Diaconis 1981"
        ) { a in try object(histogram(a), a) },
        Function(
            "forest", "Values with their intervals, a row each, against zero: differences of paired runs.",
            [ys, categories, names, title, xLabel, yLabel, yRange], returns: "figure",
            example:
                "print(bss.plot.forest{ y = { { y = {0.02, -0.01}, low = {0.005, -0.03}, high = {0.035, 0.01} } }, "
                + "categories = {\"BSS-L\", \"BSS-H\"}, y_label = \"difference in accuracy\" })",
            source: "Lewis and Clarke, BMJ 2001"
        ) { a in try object(bars(a, .forest), a) },
        Function(
            "heatmap", "A matrix as shades, with its numbers where they fit: confusion matrices, correlations.",
            [values, rows, columns, title, xLabel, yLabel, valueRange, yLog], returns: "figure",
            example:
                "print(bss.plot.heatmap{ {5, 1}, {2, 7}, rows = {\"cat\", \"dog\"}, columns = {\"cat\", \"dog\"} })"
        ) { a in try object(heatmap(a), a) },
        Function(
            "box", "Quartiles, whiskers and the values as dots: results over seeds.",
            [values, names, title, xLabel, yLabel, yRange, yLog], returns: "figure",
            example:
                "print(bss.plot.box{ values = { vanilla = {0.70, 0.72, 0.71}, BSS = {0.74, 0.75, 0.73} "
                + "}, y_label = \"accuracy\" })",
            source: "Tukey 1977; quartiles: Hyndman and Fan 1996, definition 7"
        ) { a in try object(boxes(a), a) },
    ]

    private static func object(_ figure: Figure, _ a: Arguments) throws -> [Value] {
        [.object(try FigureObject(figure, a.operation))]
    }

    private static func figure(
        _ a: Arguments, _ kind: Figure.Kind, log: (x: Bool, y: Bool) = (false, false),
        ranges: (x: [Double]?, y: [Double]?) = (nil, nil)
    ) -> Figure {
        var figure = Figure(title: a[title], kind: kind)
        (figure.xLabel, figure.yLabel) = (a[xLabel], a[yLabel])
        (figure.xScale.isLog, figure.yScale.isLog) = log
        (figure.xScale.range, figure.yScale.range) = (ranges.x.map { $0[0]...$0[1] }, ranges.y.map { $0[0]...$0[1] })
        return figure
    }

    private static func curves(_ a: Arguments, _ kind: Figure.Kind) throws -> Figure {
        var figure = figure(a, kind, log: (a[xLog], a[yLog]), ranges: (a[xRange], a[yRange]))
        var (x, y) = (a[xs], a[ys])
        // Points need both coordinates: two bare lists are x and y.
        if kind == .scatter, y.isEmpty, x.series.count == 2, x.series.allSatisfy({ $0.x.isEmpty && $0.name.isEmpty }) {
            y.series = [x.series[1]]
            x.series.removeLast()
        }
        if y.isEmpty { (x, y) = (SeriesList(), x) }
        guard !y.isEmpty else {
            throw BSSError(a.operation, "option 'y' is missing: \(SeriesList.expected)", kind: .usage)
        }
        if !x.isEmpty {
            guard x.series.count == 1 || x.series.count == y.series.count else {
                throw BSSError(
                    a.operation, "x has \(x.series.count) lists, y has \(y.series.count)",
                    hint: "give one list of positions, or one for each series", kind: .usage)
            }
            for k in y.series.indices where y.series[k].x.isEmpty {
                y.series[k].x = x.series[x.series.count == 1 ? 0 : k].y
            }
        }
        figure.series = try y.named(a[names], a.operation)
        figure.categories = kind == .line ? (a[categories].isEmpty ? y.labels : a[categories]) : []
        return figure
    }

    private static func scatter(_ a: Arguments) throws -> Figure {
        var figure = try curves(a, .scatter)
        guard let labels = a[groups] else { return figure }
        guard figure.series.count == 1, labels.count == figure.series[0].y.count,
            labels.count == figure.series[0].x.count
        else {
            throw BSSError(
                a.operation, "there are \(labels.count) groups for \(figure.series[0].y.count) points", kind: .usage)
        }
        var order: [String] = []
        var members: [String: [Int]] = [:]
        for (i, label) in labels.enumerated() {
            guard let name = label.string ?? label.double.map(Text.number) else {
                throw BSSError(
                    a.operation, "option 'groups': entry \(i + 1) is \(label.described), expected text or a number",
                    kind: .usage)
            }
            if members[name] == nil { order.append(name) }
            members[name, default: []].append(i)
        }
        let all = figure.series[0]
        let numbers = order.compactMap { name in Double(name).map { (name: name, value: $0) } }
        if numbers.count == order.count { order = numbers.sorted { $0.value < $1.value }.map(\.name) }
        figure.series = order.map { name in
            let own = members[name] ?? []
            return Figure.Series(name: name, x: own.map { all.x[$0] }, y: own.map { all.y[$0] })
        }
        return figure
    }

    private static func bars(_ a: Arguments, _ kind: Figure.Kind = .bar) throws -> Figure {
        var figure = figure(a, kind, log: (false, kind == .bar && a[yLog]), ranges: (nil, a[yRange]))
        let given = a[ys]
        guard !given.isEmpty else {
            throw BSSError(a.operation, "option 'y' is missing: \(SeriesList.expected)", kind: .usage)
        }
        figure.series = try given.named(a[names], a.operation)
        figure.categories = a[categories].isEmpty ? given.labels : a[categories]
        return figure
    }

    private static func histogram(_ a: Arguments) throws -> Figure {
        let lists = try a[values].named(a[names], a.operation)
        var made = Figure.histogram(
            lists.map { ($0.name, $0.y) }, bins: a[bins], range: a[range].map { $0[0]...$0[1] }, title: a[title])
        made.xLabel = a[xLabel]
        if !a[yLabel].isEmpty { made.yLabel = a[yLabel] }
        made.yScale.isLog = a[yLog]
        return made
    }

    private static func heatmap(_ a: Arguments) throws -> Figure {
        var figure = figure(a, .heatmap, log: (false, a[yLog]), ranges: (nil, a[valueRange]))
        figure.series = try a[values].named(a[rows], a.operation)
        for k in figure.series.indices where a[rows].count <= k && a[values].series[k].name.isEmpty {
            figure.series[k].name = "\(k + 1)"
        }
        let width = figure.series[0].y.count
        figure.categories = a[columns].isEmpty ? a[values].labels : a[columns]
        guard figure.categories.isEmpty || figure.categories.count == width else {
            throw BSSError(
                a.operation, "there are \(figure.categories.count) column names for \(width) columns", kind: .usage)
        }
        return figure
    }

    private static func boxes(_ a: Arguments) throws -> Figure {
        var figure = figure(a, .box, log: (false, a[yLog]), ranges: (nil, a[yRange]))
        figure.series = try a[values].named(a[names], a.operation)
        return figure
    }
}
