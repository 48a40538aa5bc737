import BSSCodecs
import BSSCore
import BSSLua
import BSSPlot

/// `bss-lua plot FILE.csv`: a chart of a table, as text on standard output or in a file.
///
/// Tables that `figure:save` writes (columns `series,x,y,low,high` and the like) come back as the chart they were; of
/// any other table numeric columns are drawn, each a series.
public enum PlotCommand {
    private static let kind = Argument<OneOf<Figure.Kind>?>("kind", default: nil, "the chart"),
        x = Argument<String?>("x", default: nil, "column of positions or names"),
        y = Argument<[String]?>("y", default: nil, "columns to draw; all numeric ones without it"),
        by = Argument<String?>("by", default: nil, "a series for each value of this column"),
        bins = Argument<Int?>(
            "bins", default: nil, "of a histogram",
            check: Check("from 1 to 10000") { $0.map { (1...10_000).contains($0) } ?? true }),
        title = Argument<String?>("title", default: nil, "headline"),
        xLog = Argument("x_log", default: false, "logarithmic positions"),
        yLog = Argument("y_log", default: false, "logarithmic values"),
        output = Argument<String?>("output", default: nil, "a file: .svg .pdf .png .gp .csv .txt")

    public static var command: ProgramCommand {
        ProgramCommand(
            "plot", "draw a table", operand: .init("FILE.csv", .file),
            options: [
                CommandOption(kind, value: "KIND"), CommandOption(x, value: "COLUMN"), CommandOption(y, value: "A,B"),
                CommandOption(by, value: "COLUMN"), CommandOption(bins), CommandOption(title), CommandOption(xLog),
                CommandOption(yLog), CommandOption(output, short: "-o", value: "FILE"),
            ], shared: [ProgramOption.color, ProgramOption.quiet]
        ) { call in
            let table: CSVTable
            do { table = try CSVTable(call.operand) } catch var error as BSSError {
                error.operation = "plot"
                throw error
            }
            let chart = try figure(table, call)
            guard let path = call[output] else {
                print(try chart.text(on: Display.output))
                return 0
            }
            for written in try chart.save(path) where !call.options.quiet { Terminal.error("\(written)\n") }
            return 0
        }
    }

    private static func figure(_ table: CSVTable, _ call: ProgramCommand.Call) throws -> Figure {
        guard table.count > 0 else { throw BSSError("plot", "\(table.source) has no rows", kind: .data) }
        let reader = TableFigure(table: table, x: call[x], y: call[y], by: call[by])
        let asked = call[kind]?.value
        var figure = try reader.saved(asked) ?? reader.figure(asked ?? .line, bins: call[bins])
        let name = table.source.split(separator: "/").last.map(String.init) ?? table.source
        figure.title = call[title] ?? (figure.title.isEmpty ? name : figure.title)
        if call[xLog] { figure.xScale.isLog = true }
        if call[yLog] { figure.yScale.isLog = true }
        try figure.check("plot")
        return figure
    }
}
