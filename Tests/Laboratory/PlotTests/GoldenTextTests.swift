import BSSCore
import Testing
import _BSSTestSupport

@testable import BSSPlot

/// The characters of small plots, by eye and then fixed.
@Suite(.oneAtATime) struct GoldenTextTests {
    static let unicode = Display(columns: 40, isUnicode: true)
    static let ascii = Display(columns: 40, isUnicode: false)

    @Test func linesInASCII() throws {
        var figure = Figure(title: "t")
        (figure.xLabel, figure.yLabel) = ("x", "y")
        figure.series = [.init(name: "a", y: [1, 4, 2]), .init(name: "b", y: [3, 1, 2])]
        #expect(
            try figure.text(on: Self.ascii, rows: 5) == """
                                   t
                y
                4 +               ********
                  |ooooo    ******        ********
                2 +   **ooooooooo             oooooooo*
                  |***           ooooooooooooo
                0 +
                  ++-----------------+----------------+
                   1                 2                3
                                    x
                   * a   o b
                """)
    }

    @Test func line() throws {
        let figure = figures.line([1, 4, 2])
        #expect(
            try figure.text(on: Self.unicode, rows: 5) == """
                4 ┤             ⢀⣀⠤⠔⠊⠉⠒⠒⠤⢄⣀⡀
                  │        ⢀⣀⠤⠒⠊⠁          ⠈⠉⠒⠒⠤⢄⣀⡀
                2 ┤   ⢀⡠⠤⠒⠊⠁                      ⠈⠉⠒⠒⠤
                  │⠤⠒⠉⠁
                0 ┤
                  └┬─────────────────┬────────────────┬
                   1                 2                3
                """)
    }

    @Test func points() throws {
        var figure = figures.line([1, 3, 2])
        figure.kind = .scatter
        #expect(
            try figure.text(on: Self.unicode, rows: 5) == """
                3 ┤                  ●
                  │
                2 ┤                                  ●
                  │
                1 ┤ ●
                  └─┬────────────────┬───────────────┬─
                    1                2               3
                """)
    }

    @Test func bars() throws {
        let figure = figures.bars
        #expect(
            try figure.text(on: Self.unicode) == """
                 a │       ███████▎ 1.000
                bb │       ██████████████████▏ 2.500
                 c │███████ -1.000
                """)
    }

    @Test func barsInASCII() throws {
        let figure = figures.bars
        #expect(
            try figure.text(on: Self.ascii) == """
                 a |       ======= 1.000
                bb |       ================== 2.500
                 c |======= -1.000
                """)
    }

    @Test func histogram() throws {
        let figure = figures.histogram
        #expect(
            try figure.text(on: Self.unicode, rows: 5) == """
                count
                4 ┤
                  │▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆
                2 ┤██████████████████
                  │██████████████████         ▂▂▂▂▂▂▂▂▂
                0 ┤██████████████████         █████████
                  └────┬────────┬────────┬────────┬────
                       2        4        6        8
                """)
    }

    @Test func histogramInASCII() throws {
        let figure = figures.histogram
        #expect(
            try figure.text(on: Self.ascii, rows: 5) == """
                count
                4 +
                  |##################
                2 +##################
                  |##################         .........
                0 +##################         #########
                  +----+--------+--------+--------+----
                       2        4        6        8
                """)
    }

    @Test func heatMap() throws {
        let figure = figures.heatMap
        #expect(
            try figure.text(on: Self.unicode) == """
                cat       5 ▓       1
                dog       2         7 █
                          cat       dog
                    1  ░▒▓█ 7
                """)
    }

    @Test func heatMapInASCII() throws {
        let figure = figures.heatMap
        #expect(
            try figure.text(on: Self.ascii) == """
                cat       5 *       1
                dog       2 .       7 @
                          cat       dog
                    1  .:-=+*#%@ 7
                """)
    }

    @Test func boxes() throws {
        let figure = figures.boxes
        #expect(
            try figure.text(on: Self.unicode) == """
                    bss │             ├─▒┃▒▒┤
                        │             •  •  •
                vanilla │ ├──▒▒▒┃▒▒▒
                        │ •  •  •  •                 •
                        └────┬─────┬─────┬─────┬─────┬─
                             2     4     6     8    10
                box: quartiles and median; whiskers:
                  last value within 1.5 box lengths;
                  dots: all values
                """)
    }

    @Test func forest() throws {
        #expect(
            try figures.forest.text(on: Self.unicode) == """
                     bss │           ┊  ├──●──┤  0.0200
                 vanilla │ ├─────●───────┤       -0.0100
                one seed │           ┊        ●  0.0300
                         └────┬──────┬─────┬────
                            -0.02  0.00  0.02
                                difference
                """)
    }

    @Test func forestInASCII() throws {
        #expect(
            try figures.forest.text(on: Self.ascii) == """
                     bss |           :  [--*--]  0.0200
                 vanilla | [-----*-------]       -0.0100
                one seed |           :        *  0.0300
                         +----+------+-----+----
                            -0.02  0.00  0.02
                                difference
                """)
    }

    @Test func boxesInASCII() throws {
        let figure = figures.boxes
        #expect(
            try figure.text(on: Self.ascii) == """
                    bss |             |-=#==|
                        |             o  o  o
                vanilla | |--===#===
                        | o  o  o  o                 o
                        +----+-----+-----+-----+-----+-
                             2     4     6     8    10
                box: quartiles and median; whiskers:
                  last value within 1.5 box lengths;
                  dots: all values
                """)
    }
}

/// Small figures of each kind.
enum figures {
    static func line(_ y: [Double]) -> Figure {
        var figure = Figure(title: "")
        figure.series = [.init(name: "", y: y)]
        return figure
    }

    static var bars: Figure {
        var figure = Figure(title: "", kind: .bar)
        figure.categories = ["a", "bb", "c"]
        figure.series = [.init(name: "", y: [1, 2.5, -1])]
        return figure
    }

    static var histogram: Figure { .histogram([(name: "", values: [1, 1, 2, 3, 3, 3, 9])], bins: 4) }

    static var heatMap: Figure {
        var figure = Figure(title: "", kind: .heatmap)
        figure.categories = ["cat", "dog"]
        figure.series = [.init(name: "cat", y: [5, 1]), .init(name: "dog", y: [2, 7])]
        return figure
    }

    static var boxes: Figure {
        var figure = Figure(title: "", kind: .box)
        figure.series = [.init(name: "bss", y: [5, 6, 7]), .init(name: "vanilla", y: [1, 2, 3, 4, 10])]
        return figure
    }

    static var forest: Figure {
        var figure = Figure(title: "", kind: .forest)
        figure.categories = ["bss", "vanilla", "one seed"]
        var one = Figure.Series(name: "", y: [0.02, -0.01, 0.03])
        (one.low, one.high) = ([0.01, -0.03, .nan], [0.03, 0.015, .nan])
        figure.series = [one]
        figure.yLabel = "difference"
        return figure
    }

    /// One of every kind, with titles, labels, several series and values that cannot be drawn.
    static var all: [Figure] {
        var lines = Figure(title: "Accuracy – a title that is rather long for a narrow terminal <&>")
        (lines.xLabel, lines.yLabel) = ("epoch", "accuracy")
        var band = Figure.Series(name: "BSS-L", x: [1, 2, 3, 4], y: [])
        band.setRuns([[0.1, 0.5, 0.6, 0.7], [0.2, 0.4, 0.7, 0.8]])
        lines.series = [band, .init(name: "vanilla", y: [0.1, .nan, 0.4, .infinity])]
        var points = lines
        points.kind = .scatter
        points.series[0].low = nil
        points.series[0].high = nil
        var logarithmic = line([1, 10, 0, 1000, -5, 1e-3])
        logarithmic.yScale.isLog = true
        var grouped = bars
        grouped.series.append(.init(name: "other", y: [2, .nan, 0.5]))
        grouped.series[0].name = "first"
        var outlines = Figure.histogram([(name: "a", values: [1, 2, 2, 3]), (name: "b", values: [2, 3, 3, .nan])])
        outlines.title = "two"
        var large = Figure(title: "large", kind: .heatmap)
        large.series = (0..<70).map { r in .init(name: "row \(r)", y: (0..<300).map { Double(r * $0 % 17) }) }
        return [lines, points, logarithmic, bars, grouped, histogram, outlines, heatMap, large, boxes, forest]
    }
}
