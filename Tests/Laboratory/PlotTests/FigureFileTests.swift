import BSSCore
import Foundation
import Testing
import _BSSTestSupport

@testable import BSSPlot

#if canImport(FoundationXML)
import FoundationXML
#endif

@Suite(.oneAtATime) struct FigureFileTests {
    private func folder() -> String {
        let path = NSTemporaryDirectory() + "bss-plot-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    @Test("every SVG is XML, has finite coordinates, and is the same each time")
    func svg() throws {
        for var figure in figures.all {
            figure.xLabel = "a < b & \"c\" > 'd' \u{0} \u{1B}"
            let svg = try figure.svg()
            let parser = XMLParser(data: Data(svg.utf8))
            #expect(parser.parse(), "\(figure.kind): \(String(describing: parser.parserError))")
            for attribute in svg.matches(of: #/(?:x|y|x1|x2|y1|y2|cx|cy|r|width|height|points)="([^"]*)"/#) {
                #expect(!attribute.1.contains("nan") && !attribute.1.contains("inf"), "\(attribute.0)")
            }
            #expect(try figure.svg() == svg && !svg.contains("href") && !svg.contains("<script"))
        }
    }

    @Test func bandInTheDrawing() throws {
        let svg = try figures.all[0].svg()
        #expect(
            svg.contains("<polygon") && svg.contains("± standard deviation, 2 seeds")
                && svg.contains("2 of 4 values of 'vanilla' not finite") && svg.contains("&lt;&amp;&gt;"))
    }

    @Test("the CSV holds every value, and names with commas, quotes and line ends come back")
    func csv() throws {
        var figure = figures.line([1, .nan, 0.1])
        figure.series[0].name = "a,\"b\"\nc"
        #expect(
            try figure.csv()
                == """
                series,x,y,low,high
                "a,""b""
                c",1,1,,
                "a,""b""
                c",2,nan,,
                "a,""b""
                c",3,0.1,,

                """
        )
        #expect(try figures.bars.csv() == "series,category,x,y,low,high\n,a,1,1,,\n,bb,2,2.5,,\n,c,3,-1,,\n")
        #expect(try figures.histogram.csv() == "series,from,to,count\n,1,3,3\n,3,5,3\n,5,7,0\n,7,9,1\n")
        #expect(try figures.heatMap.csv() == "row,column,value\ncat,cat,5\ncat,dog,1\ndog,cat,2\ndog,dog,7\n")
        #expect(try figures.boxes.csv().split(separator: "\n").count == 9)
        var band = figures.all[0]
        band.series.removeLast()
        let lines = try band.csv().split(separator: "\n")
        #expect(lines.count == 5 && lines[1].hasPrefix("BSS-L,1,0.15"))
    }

    @Test("quoted text of a gnuplot script cannot end its quotes")
    func gnuplotScript() throws {
        var figure = figures.bars
        figure.title = "it's `rm -rf /` \"x\"\nnext"
        let script = try figure.gnuplot(output: "a'b.pdf")
        #expect(
            script.contains("set title 'it''s `rm -rf /` \"x\" next' noenhanced")
                && script.contains("set output 'a''b.pdf'"))
        #expect(!script.replacing(#/'(?:[^']|'')*'/#, with: "").contains("`"))
        for figure in figures.all { #expect(try figure.gnuplot(output: "x.pdf") == figure.gnuplot(output: "x.pdf")) }
    }

    @Test func saving() throws {
        let folder = folder()
        Gnuplot.program = "/nonexistent/gnuplot"
        defer { Gnuplot.program = "gnuplot" }
        let figure = figures.bars
        #expect(
            try figure.save(folder + "/deep/er/alpha_0.2")
                == ["csv", "svg", "gp"].map { folder + "/deep/er/alpha_0.2." + $0 })
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder + "/deep/er").sorted() == [
                "alpha_0.2.csv", "alpha_0.2.gp", "alpha_0.2.svg",
            ])
        #expect(
            try String(contentsOfFile: folder + "/deep/er/alpha_0.2.gp", encoding: .utf8).contains(
                "set output 'alpha_0.2.pdf'"))
        #expect(try figure.save(folder + "/one.svg") == [folder + "/one.svg"])
        #expect(try String(contentsOfFile: folder + "/one.svg", encoding: .utf8) == figure.svg())
        try figure.save(folder + "/one.txt")
        #expect { try figure.save(folder + "/one.jpg") } throws: { "\($0)".contains("cannot write .jpg") }
        #expect { try figure.save(folder + "/") } throws: { "\($0)".contains("names no file") }
        #expect { try figure.save(folder + "/one.pdf") } throws: {
            "\($0)".contains("is not installed") && "\($0)".contains("apt-get install gnuplot-nox")
        }
    }

    // MARK: The child process

    private func fake(_ body: String) throws -> (folder: String, restore: () -> Void) {
        let folder = folder()
        let path = folder + "/gnuplot"
        try ("#!/bin/sh\n" + body).write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        Gnuplot.program = path
        return (
            folder,
            {
                Gnuplot.program = "gnuplot"
                Gnuplot.secondsAllowed = 20
            }
        )
    }

    private let writesPicture = "out=$(sed -n \"s/^set output '\\(.*\\)'$/\\1/p\" \"$2\"); echo picture > \"$out\"\n"

    @Test("a program that draws: the picture is there, nothing else is left")
    func draws() throws {
        let (folder, restore) = try fake(
            "[ \"$1\" = --default-settings ] || exit 9\n" + writesPicture + "echo 'bss-plot: drawn' >&2\n")
        defer { restore() }
        try figures.bars.save(folder + "/a.pdf")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["a.pdf", "gnuplot"])
    }

    @Test("errors of the program are shown, and no half picture stays")
    func fails() throws {
        let (folder, restore) = try fake(writesPicture + "echo 'line 7: undefined variable: foo' >&2; exit 1\n")
        defer { restore() }
        #expect { try figures.bars.save(folder + "/a.pdf") } throws: {
            "\($0)".contains("failed with status 1: line 7: undefined variable: foo")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["gnuplot"])
    }

    @Test("an end without the last line of the script is a failure, even with status 0")
    func endsEarly() throws {
        let (folder, restore) = try fake(writesPicture + "exit 0\n")
        defer { restore() }
        #expect { try figures.bars.save(folder + "/a.pdf") } throws: { "\($0)".contains("failed with status 0") }
    }

    @Test("a program that hangs is stopped with all its children and reaped")
    func hangs() throws {
        let (folder, restore) = try fake(
            "echo waiting >&2\nsleep 321.5 &\necho $! > \"$(dirname \"$0\")/child\"\nwait\n")
        defer { restore() }
        Gnuplot.secondsAllowed = 1
        let clock = ContinuousClock()
        let start = clock.now
        #expect { try figures.bars.save(folder + "/a.pdf") } throws: {
            "\($0)".contains("took longer than 1 s and was stopped: waiting")
        }
        #expect(clock.now - start < .seconds(8))
        let child = try #require(
            Int32(
                try String(contentsOfFile: folder + "/child", encoding: .utf8).trimmingCharacters(
                    in: .whitespacesAndNewlines)))
        usleep(200_000)
        // Gone, or a zombie of init: it no longer runs.
        let state = (try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)).map {
            $0.split(separator: ")").last?.split(separator: " ").first ?? ""
        }
        #expect(state == nil || state == "Z")
        var status: Int32 = 0
        #expect(waitpid(-1, &status, WNOHANG) <= 0)
    }

    @Test("a flood of messages neither blocks nor grows without bound; a program that cannot start is named")
    func floods() throws {
        let (folder, restore) = try fake(
            """
            i=0; while [ $i -lt 3000 ]; do echo 'warning: a line of some length to fill the pipe with' >&2; \
            i=$((i+1)); done
            exit 3

            """
        )
        defer { restore() }
        #expect { try figures.bars.save(folder + "/a.pdf") } throws: {
            "\($0)".contains("failed with status 3") && "\($0)".utf8.count < 1000
        }
        try "no program".write(toFile: folder + "/gnuplot", atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder + "/gnuplot")
        #expect { try figures.bars.save(folder + "/a.pdf") } throws: { "\($0)".contains("gnuplot") }
    }

    @Test func datesOfPDFs() {
        let pdf = Array("%PDF << /CreationDate (D:20261123202114Z) >> x".utf8)
        #expect(
            String(decoding: Gnuplot.undated(pdf), as: UTF8.self) == "%PDF << /CreationDate (D:19700101000000Z) >> x")
        #expect(Gnuplot.undated([1, 2]) == [1, 2])
    }

    @Test("gnuplot itself draws every kind, where it is installed; elsewhere the error names the package")
    func real() throws {
        let folder = folder()
        for (k, figure) in figures.all.enumerated() {
            if Gnuplot.find() != nil {
                try figure.save("\(folder)/\(k).pdf")
                #expect(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(k).pdf")).prefix(4) == Data("%PDF".utf8))
                try figure.save("\(folder)/again.pdf")
                #expect(FileManager.default.contentsEqual(atPath: "\(folder)/\(k).pdf", andPath: "\(folder)/again.pdf"))
                try figure.save("\(folder)/\(k).png")
                #expect(
                    try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(k).png")).dropFirst().prefix(3)
                        == Data("PNG".utf8))
            } else {
                #expect { try figure.save("\(folder)/\(k).pdf") } throws: { "\($0)".contains("gnuplot-nox") }
            }
        }
    }

    // MARK: Terminals

    @Test func terminalAnswers() {
        #expect(TerminalPicture.parse("\u{1B}_Gi=31;OK\u{1B}\\\u{1B}[?62;c") == .kitty)
        #expect(TerminalPicture.parse("\u{1B}[?62;4;22c") == .sixel)
        #expect(TerminalPicture.parse("\u{1B}[?64;1c") == .text)
        #expect(TerminalPicture.parse("") == .text && TerminalPicture.parse("\u{1B}[?4c") == .text)
        for length in [0, 1, 2, 3, 4, 5000] {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            #expect(Text.base64(bytes) == Data(bytes).base64EncodedString())
        }
        let pieces = TerminalPicture.kitty([UInt8](repeating: 7, count: 7000)).components(separatedBy: "\u{1B}\\")
            .dropLast()
        #expect(
            pieces.count == 3 && pieces[0].hasPrefix("\u{1B}_Ga=T,f=100,m=1;") && pieces[2].hasPrefix("\u{1B}_Gm=0;"))
    }
}
