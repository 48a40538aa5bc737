import BSSCore
import Glibc

/// A figure as scripts hold it; `print` shows it as text.
public final class FigureObject: Displayable {
    public let figure: Figure

    /// - Throws: what `Figure.check` throws, in the name of `operation`.
    public init(_ figure: Figure, _ operation: String = "figure") throws {
        try figure.check(operation)
        self.figure = figure
    }

    public var objectType: ObjectType { FigureObject.type }
    public var byteCount: Int { figure.series.reduce(0) { $0 + ($1.x.count + $1.y.count) * 8 } }
    /// Never coloured: colours must not reach files and captured output.
    public var summary: String { drawn(on: Display.output.withoutColours) }
    // Printing must not fail: what cannot be drawn says what it is.
    public func drawn(on display: Display) -> String { (try? figure.text(on: display)) ?? "figure" }
    public func resultData() throws -> Value? { .string(try figure.csv()) }

    private static let path = Argument<String>(
        "path",
        "file name: .csv, .svg, .gp, .txt, .pdf or .png; without an ending csv, svg and gp, and pdf if gnuplot is there"
    )
    private static let size = Argument(
        "size", default: Figure.Size.text.rawValue,
        "for paper: one column (8.5 cm), the text width (12 cm) or the page (17.5 cm)",
        check: .oneOf(Figure.Size.allCases.map(\.rawValue)))
    private static let width = Argument<Int?>(
        "width", default: nil, "columns; those of the terminal, or 80, by default",
        check: Check("at least 24") { $0.map { (24...10_000).contains($0) } ?? true })
    private static let height = Argument<Int?>(
        "height", default: nil, "lines of the drawing area",
        check: Check("from 3 to 1000") { $0.map { (3...1000).contains($0) } ?? true })
    private static let ascii = Argument<Bool?>(
        "ascii", default: nil, "plain ASCII; by default where the terminal or the locale has nothing else")
    private static let colour = Argument("color", default: false, "with the escape codes of a terminal's colours")
    private static func figure(_ a: Arguments) throws -> Figure { try a.receiver(as: FigureObject.self).figure }

    public static let type = ObjectType(
        "figure", help: "A chart with its data: print shows it as text, :save writes files.",
        methods: [
            Function(
                "show",
                "Draws on the terminal: as a picture where it can show one (kitty, sixel; "
                    + "BSS_PLOT=text|kitty|sixel|none decides), else as text with colours.",
                example: "bss.plot.line{1, 4, 9}:show()"
            ) { a in
                print(try TerminalPicture.output(try figure(a), on: Display.output), terminator: "")
                return []
            },
            Function(
                "text", "The chart as text.", [width, height, ascii, colour], returns: "string",
                example: "print(bss.plot.line{1, 4, 9}:text{ width = 60, height = 8 })"
            ) { a in
                var display = Display.output.withoutColours
                if let columns = a[width] { display.columns = columns }
                if let plain = a[ascii] { display.isUnicode = !plain }
                if a[colour] { display.colours = 256 }
                return [.string(try figure(a).text(on: display, rows: a[height]))]
            },
            Function(
                "save",
                "Writes the data, the drawing and a gnuplot script; a PDF or PNG needs gnuplot "
                    + "(apt-get install gnuplot-nox).",
                [path, size], returns: "list of the files written",
                example: "bss.plot.line{1, 4, 9}:save(\"experiments/runs/results/figures/example.svg\")"
            ) { a in
                [.list(try figure(a).save(a[path], size: Figure.Size(rawValue: a[size]) ?? .text))]
            },
            Function("svg", "The drawing as SVG.", returns: "string", example: "bss.plot.line{1, 4, 9}:svg()") {
                [.string(try figure($0).svg())]
            },
            Function("csv", "The data as CSV.", returns: "string", example: "print(bss.plot.line{1, 4, 9}:csv())") {
                [.string(try figure($0).csv())]
            },
            Function(
                "gnuplot", "A gnuplot script with the data in it, which draws figure.pdf.", [size], returns: "string",
                example: "bss.plot.line{1, 4, 9}:gnuplot()"
            ) { a in
                [.string(try figure(a).gnuplot(output: "figure.pdf", size: Figure.Size(rawValue: a[size]) ?? .text))]
            },
        ],
        properties: [
            Property("title", "The headline.") { (f: FigureObject) in .string(f.figure.title) },
            Property("kind", "line, scatter, bar, hist, heatmap, box or forest.") { (f: FigureObject) in
                .string(f.figure.kind.rawValue)
            },
            Property("series", "Per series: name, x, y.") { (f: FigureObject) in
                .list(
                    f.figure.series.map {
                        Value.fields([("name", .string($0.name)), ("x", .list($0.x)), ("y", .list($0.y))])
                    })
            },
            Property("notes", "What the caption must say: bands, boxes, values left out.") { (f: FigureObject) in
                .list(f.figure.notes)
            },
        ])
}
