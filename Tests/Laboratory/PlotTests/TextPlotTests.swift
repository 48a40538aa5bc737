import BSSCore
import Testing
import _BSSTestSupport

@testable import BSSPlot

@Suite(.oneAtATime) struct TextPlotTests {
    @Test("no line is wider than the display, for every kind", arguments: [40, 80, 120])
    func widths(_ columns: Int) throws {
        for figure in figures.all {
            for isUnicode in [true, false] {
                let text = try figure.text(on: Display(columns: columns, isUnicode: isUnicode))
                for line in text.split(separator: "\n") {
                    #expect(Text.columns(String(line)) <= columns, "\(figure.kind): \(line)")
                }
                // All but small heat maps use the room they get; the longest value may stand at a short bar.
                #expect(
                    figure.kind == .heatmap
                        || text.split(separator: "\n").map { Text.columns(String($0)) }.max()! > columns / 2)
            }
        }
    }

    @Test("plain displays get ASCII alone; equal figures give equal characters; colours add nothing but escape codes")
    func forms() throws {
        for figure in figures.all {
            let plain = try figure.text(on: Display(columns: 60, isUnicode: false))
            #expect(plain.utf8.allSatisfy { $0 == 0x0A || (0x20...0x7E).contains($0) }, "\(plain)")
            let text = try figure.text(on: Display(columns: 60))
            #expect(try figure.text(on: Display(columns: 60)) == text && !text.contains("\u{1B}"))
            // The heat map draws its shades as colours instead of characters.
            guard figure.kind != .heatmap else { continue }
            for colours in [8, 256] {
                let coloured = try figure.text(on: Display(columns: 60, colours: colours))
                #expect(coloured.contains("\u{1B}[") && coloured.contains("\u{1B}[0m"))
                #expect(coloured.replacing(#/\u{1B}\[[0-9;]*m/#, with: "") == text)
            }
        }
    }

    @Test("gaps, lone points, constant and empty series")
    func edges() throws {
        let display = Display(columns: 40)
        let gap = try figures.line([1, 2, .nan, 4, 5]).text(on: display, rows: 5)
        #expect(gap.contains("1 of 5 values not finite: left out"))
        // The columns between positions 2 and 4 stay empty.
        let middle = gap.split(separator: "\n").prefix(5).map { Array($0.padding(40))[18...22] }
        #expect(middle.allSatisfy { $0.allSatisfy { $0 == " " } })
        #expect(try figures.line([5]).text(on: display).contains("●"))
        let constant = try figures.line([3, 3, 3]).text(on: display)
        #expect(
            constant.split(separator: "\n").count {
                $0.unicodeScalars.count { (0x2801...0x28FF).contains($0.value) } >= 30
            } == 1)
        #expect(try figures.line([.nan, .nan]).text(on: display).contains("2 of 2 values not finite"))
        #expect { try Figure(title: "").text(on: display) } throws: { "\($0)".contains("there is no series") }
        var empty = figures.line([])
        #expect { try empty.text(on: display) } throws: { "\($0)".contains("the series has no values") }
        empty.series[0].name = "loss"
        #expect { try empty.text(on: display) } throws: { "\($0)".contains("series 'loss' has no values") }
        let extremes: [[Double]] = [
            [1e300, -1e300], [Double.greatestFiniteMagnitude, -.greatestFiniteMagnitude],
            [Double.leastNonzeroMagnitude, 0], [1e15, 1e15 + 1],
        ]
        for extreme in extremes {
            for isLog in [false, true] {
                var figure = figures.line(extreme)
                figure.yScale.isLog = isLog
                #expect(try !figure.text(on: display).isEmpty && !figure.svg().isEmpty)
            }
            #expect(try !Figure.histogram([(name: "", values: extreme)]).text(on: display).isEmpty)
        }
    }

    @Test("a title or a name with other line ends, escape codes or wide characters does no harm")
    func foreignText() throws {
        var figure = figures.bars
        figure.title = "line\none\u{1B}[31m"
        figure.categories = ["日本語", "é", "tab\there"]
        let lines = try figure.text(on: Display(columns: 50)).split(separator: "\n")
        #expect(lines.count == 4 && !lines[0].contains("\u{1B}"))
        let walls = lines.dropFirst().map { Text.columns(String($0.prefix { $0 != "│" })) }
        #expect(Set(walls).count == 1)
        #expect(try figure.text(on: Display(columns: 50, isUnicode: false)).utf8.allSatisfy { $0 < 0x80 })
    }

    @Test("a million points are drawn in about a second, and in a drawing of limited size")
    func many() throws {
        let n = 1_000_000
        var state: UInt64 = 1
        let y = (0..<n).map { _ -> Double in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 11) * 0x1p-53
        }
        let figure = figures.line(y)
        let clock = ContinuousClock()
        var bytes = 0
        let took = try clock.measure {
            #expect(try figure.text(on: Display(columns: 80)).contains("⣿"))
            bytes = try figure.svg().utf8.count
        }
        #expect(bytes < 200_000)
        #expect(took < .seconds(30), "\(took)")
    }

    @Test("thinning keeps first, lowest, highest and last of each column")
    func thinning() {
        let figure = figures.line([0, 5, -5, 1, 2])
        let x = Axis(bounds(0, 1000), .init(), count: 5, fit: .tight)
        let y = Axis(bounds(-5, 5), .init(), count: 5, fit: .tight)
        let paths = figure.paths([1, 2, 3, 4, 900], [0, 5, -5, 1, 2], x, y, resolution: 10)
        #expect(paths.count == 1 && paths[0].map { $0.y } == [0.5, 1, 0, 0.6, 0.7])
        #expect(figure.paths([1, 2, 3], [0, .nan, 1], x, y, resolution: 10).map(\.count) == [1, 1])
    }

    private func bounds(_ low: Double, _ high: Double) -> Axis.Bounds {
        var bounds = Axis.Bounds(isLog: false)
        bounds.add(low)
        bounds.add(high)
        return bounds
    }

    @Test("epochs have no ticks between them") func wholeTicks() {
        var bounds = Axis.Bounds(isLog: false)
        for epoch in [1.0, 2, 3] { bounds.add(epoch) }
        #expect(Axis(bounds, Figure.Scale(), count: 8, fit: .tight).ticks.map(\.label) == ["1", "2", "3"])
        bounds.add(1.5)
        #expect(Axis(bounds, Figure.Scale(), count: 8, fit: .tight).ticks.count > 3)
    }

    @Test("ticks are round numbers inside the axis")
    func ticks() {
        func labels(_ low: Double, _ high: Double, log: Bool = false, fit: Axis.Fit = .tight) -> [String] {
            var scale = Figure.Scale()
            var b = Axis.Bounds(isLog: log)
            scale.isLog = log
            b.add(low)
            b.add(high)
            return Axis(b, scale, count: 5, fit: fit).ticks.map(\.label)
        }
        #expect(labels(0, 1) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
        #expect(labels(0.03, 0.97, fit: .round) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
        #expect(labels(1, 30) == ["10", "20", "30"])
        #expect(labels(-0.3, 0.3) == ["-0.2", "0.0", "0.2"])
        #expect(labels(0, 4e6) == ["0", "1e6", "2e6", "3e6", "4e6"])
        #expect(
            labels(1, 1e4, log: true) == ["1", "10", "100", "1000", "1e+04"]
                || labels(1, 1e4, log: true) == ["1", "10", "100", "1000", "1e4"])
        #expect(labels(2, 2).count >= 2)
    }

    @Test func sparklines() {
        #expect(Sparkline.text([0, 1, 2, 3, 4, 5, 6, 7], on: Display()) == "▁▂▃▄▅▆▇█")
        #expect(
            Sparkline.text([1, .nan, 0], on: Display(isUnicode: false)) == "^ _"
                && Sparkline.text([2, 2], on: Display()) == "▁▁")
        #expect(
            Sparkline.text((0..<1000).map(Double.init), columns: 4, on: Display()) == "▁▃▆█"
                && Sparkline.text([], on: Display()) == "")
    }

    @Test("boxes: quartiles of definition 7, whiskers, dots")
    func spread() throws {
        let spread = try #require(Spread([1, 2, 3, 4, 10, .nan], isLog: false))
        #expect(spread.lowerQuartile == 2 && spread.median == 3 && spread.upperQuartile == 4)
        #expect(spread.lowerWhisker == 1 && spread.upperWhisker == 4 && spread.dots == [1, 2, 3, 4, 10])
        #expect(Spread([.nan], isLog: false) == nil && Spread([-1, 0], isLog: true) == nil)
        let many = try #require(Spread((0..<100).map(Double.init) + [1000], isLog: false))
        #expect(many.dots == [1000])
    }

    @Test("bins: counts add up, borders belong to the bin above, the last bin holds its end")
    func bins() {
        let bins = Bins([[0, 1, 1, 2, 3, 4, .nan]], count: 4, range: nil)
        #expect(bins.edges == [0, 1, 2, 3, 4] && bins.counts == [[1, 2, 1, 2]] && bins.outside == 0)
        #expect(Bins([[0, 5, 10]], count: 2, range: 0...5).outside == 1)
        let automatic = Bins([(0..<1000).map { Double($0) / 1000 }], count: nil, range: nil)
        #expect(automatic.counts[0].reduce(0, +) == 1000 && automatic.edges.count == 11)
        #expect(Bins([[7, 7, 7]], count: nil, range: nil).counts[0].reduce(0, +) == 3)
        for huge in [9.2e18, -9.2e18, 1e300] {
            #expect(Bins([[huge]], count: nil, range: nil).counts[0].reduce(0, +) == 1)
        }
        #expect(Bins([[.nan]], count: nil, range: nil).counts[0].reduce(0, +) == 0)
        let tenths = Bins([[0.1, 0.2, 0.30000000000000004, 0.7]], count: 10, range: 0...1)
        #expect(tenths.counts[0] == [0, 1, 1, 1, 0, 0, 0, 1, 0, 0])
    }
}

extension Substring {
    fileprivate func padding(_ count: Int) -> String {
        String(self) + String(repeating: " ", count: Swift.max(0, count - self.count))
    }
}

@Suite struct DisplayTests {
    private func display(
        _ environment: [String: String], terminal: (columns: Int, rows: Int)? = nil,
        choice: Display.ColourChoice = .auto
    ) -> Display {
        Display(environment: { environment[$0] }, terminal: terminal, choice: choice)
    }

    @Test func columns() {
        #expect(display([:]).columns == 80)
        #expect(display([:], terminal: (columns: 132, rows: 50)).columns == 132)
        #expect(display(["COLUMNS": "60"], terminal: (columns: 132, rows: 50)).columns == 60)
        #expect(display(["COLUMNS": "x"], terminal: (columns: 0, rows: 0)).columns == 80)
    }

    @Test func characters() {
        #expect(display(["LANG": "C.UTF-8", "TERM": "xterm"]).isUnicode)
        #expect(display(["LANG": "en_GB.utf8"]).isUnicode)
        #expect(!display(["LANG": "C.UTF-8", "LC_ALL": "C"]).isUnicode)
        #expect(!display([:]).isUnicode)
        #expect(!display(["LANG": "C.UTF-8", "TERM": "dumb"]).isUnicode)
        #expect(!display(["LANG": "C.UTF-8", "NO_COLOR": "1"]).isUnicode)
    }

    @Test func colours() {
        let terminal = (columns: 80, rows: 24)
        #expect(display(["TERM": "xterm"], terminal: terminal).colours == 8)
        #expect(display(["TERM": "xterm-256color"], terminal: terminal).colours == 256)
        #expect(display(["TERM": "xterm"]).colours == 0)
        #expect(display(["TERM": "dumb"], terminal: terminal).colours == 0)
        #expect(display(["TERM": "xterm", "NO_COLOR": "1"], terminal: terminal).colours == 0)
        #expect(display(["TERM": "xterm", "NO_COLOR": ""], terminal: terminal).colours == 8)
        #expect(display(["CLICOLOR_FORCE": "1"]).colours == 8)
        #expect(display(["CLICOLOR_FORCE": "0"]).colours == 0)
        #expect(display(["NO_COLOR": "1"], choice: .always).colours == 8)
        #expect(display(["TERM": "xterm"], terminal: terminal, choice: .never).colours == 0)
    }

    @Test func widthsOfCharacters() {
        #expect(
            Text.columns("abc") == 3 && Text.columns("日本") == 4 && Text.columns("é") == 1
                && Text.columns("e\u{301}") == 1 && Text.columns("😀") == 2)
    }
}
