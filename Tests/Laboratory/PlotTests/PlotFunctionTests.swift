import BSSCore
import Testing
import _BSSTestSupport

@testable import BSSPlot

/// Calls as Lua makes them.
@Suite(.oneAtATime) struct PlotFunctionTests {
    private func plot(_ name: String, _ values: Value...) throws -> Figure {
        let function = PlotFunctions.functions.first { $0.name == name }!
        guard case .object(let object) = try function.call(values, path: "bss.plot.\(name)")[0],
            let figure = object as? FigureObject
        else { throw BSSError("test", "no figure") }
        return figure.figure
    }
    private func list(_ values: Double...) -> Value { .list(values) }
    private func options(_ pairs: [(String, Value)], _ items: Value...) -> Value {
        .table(Table(items: items, fields: pairs))
    }

    private final class Block: MatrixConvertible {
        let shape: [Int]
        init(_ shape: [Int]) { self.shape = shape }
        func numbers() throws -> (shape: [Int], values: [Double]) { (shape, (0..<shape.reduce(1, *)).map(Double.init)) }
        static let type = ObjectType("block", help: "Numbers.")
        var objectType: ObjectType { Block.type }
    }

    @Test("one list, several, by name, x and y, tensors")
    func forms() throws {
        #expect(try plot("line", list(5, 6)).series.map(\.y) == [[5, 6]])
        #expect(try plot("line", list(5, 6)).series[0].x == [1, 2])
        #expect(try plot("line", .list([list(1, 2), list(3, 4)])).series.map(\.name) == ["series 1", "series 2"])
        let both = try plot("line", list(10, 20), list(1, 2))
        #expect(both.series[0].x == [10, 20] && both.series[0].y == [1, 2])
        let named = try plot(
            "line", options([("y", .fields([("train", list(1, 2)), ("val", list(3, 4))])), ("x", list(0, 5))]))
        #expect(named.series.map(\.name) == ["train", "val"] && named.series[1].x == [0, 5])
        #expect(try plot("line", .object(Block([2, 3]))).series.map(\.y) == [[0, 1, 2], [3, 4, 5]])
        #expect(
            try plot("line", options([("names", .list(["a", "b"]))], .object(Block([3])), .object(Block([3])))).series
                .map(\.name) == ["a", "b"])
        let seeds = try plot(
            "line", .list([.fields([("name", .string("BSS")), ("runs", .list([list(1, 2), list(3, 4)]))])]))
        #expect(seeds.series[0].y == [2, 3] && seeds.series[0].runCount == 2 && seeds.series[0].low != nil)
        #expect(try plot("scatter", .list([list(1, 2, 3), list(4, 5, 6)])).series[0].x == [1, 2, 3])
        let grouped = try plot(
            "scatter",
            options([("x", list(1, 2, 3)), ("y", list(4, 5, 6)), ("groups", .list([.int(10), .int(9), .int(10)]))]))
        #expect(grouped.series.map(\.name) == ["9", "10"] && grouped.series[1].x == [1, 3])
    }

    @Test func otherKinds() throws {
        let bars = try plot("bar", options([("y", .fields([("a", .int(3)), ("b", .int(5))]))]))
        #expect(bars.categories == ["a", "b"] && bars.series[0].y == [3, 5])
        let groups = try plot(
            "bar",
            options([
                (
                    "y",
                    .fields([
                        ("new", .fields([("a", .int(3)), ("b", .int(5))])),
                        ("old", .fields([("a", .int(1)), ("b", .int(2))])),
                    ])
                )
            ]))
        #expect(groups.categories == ["a", "b"] && groups.series.map(\.name) == ["new", "old"])
        #expect(
            try plot("hist", options([("bins", .int(2))], .number(0), .number(1), .number(2))).series[0].y == [1, 2])
        let map = try plot("heatmap", options([("rows", .list(["r", "s"]))], list(1, 2), list(3, 4)))
        #expect(map.series.map(\.name) == ["r", "s"] && map.series[1].y == [3, 4])
        #expect(
            try plot("box", options([("values", .fields([("a", list(1, 2)), ("b", list(1, 2, 3))]))])).series.map(
                \.y.count) == [2, 3])
    }

    @Test("mistakes name the series, the row, the entry")
    func mistakes() throws {
        func message(_ name: String, _ values: Value...) -> String {
            let function = PlotFunctions.functions.first { $0.name == name }!
            do { _ = try function.call(values, path: "bss.plot.\(name)") } catch { return "\(error)" }
            return ""
        }
        #expect(
            message("line", .list([list(1, 2), .list([.int(1), .string("a")])])).contains(
                "series 2: entry 2 is string \"a\""))
        #expect(
            message("line", options([("y", .fields([("val", .list([.int(1), .bool(true)]))]))])).contains(
                "'val': entry 2 is boolean true"))
        #expect(message("line", list(1, 2, 3), list(1, 2)).contains("the series has 2 values of y and 3 of x"))
        #expect(
            message("line", options([("x", .list([list(1), list(2)])), ("y", .list([list(1), list(2), list(3)]))]))
                .contains("x has 2 lists, y has 3"))
        #expect(message("line").contains("option 'y' is missing"))
        #expect(
            message("line", .list([.fields([("y", list(1)), ("lo", list(1))])])).contains(
                "series 1 has the unknown field 'lo', did you mean 'low'?"))
        #expect(
            message("line", .list([.fields([("runs", .list([list(1, 2), list(1)]))])])).contains(
                "the runs have 1 and 2 values"))
        #expect(message("line", .object(Block([2, 2, 2]))).contains("its shape is [2, 2, 2]"))
        #expect(message("heatmap", .list([list(1, 2), list(1)])).contains("row '2' has 1 values, row '1' has 2"))
        #expect(
            message("heatmap", options([("columns", .list(["a"]))], list(1, 2))).contains(
                "1 column names for 2 columns"))
        #expect(
            message("bar", options([("categories", .list(["a"]))], .int(1), .int(2))).contains(
                "1 categories, but values at position 2"))
        #expect(
            message("scatter", options([("x", list(1, 2)), ("y", list(1, 2)), ("groups", .list(["a"]))])).contains(
                "1 groups for 2 points"))
        #expect(message("hist", options([("bins", .int(0))], .int(1))).contains("from 1 to 10000"))
        #expect(message("line", options([("y_range", list(2, 1))], .int(1))).contains("the lower one first"))
        #expect(
            message("line", options([("y_range", list(-1, 1)), ("y_log", .bool(true))], .int(1))).contains("positive"))
        #expect(message("line", options([("titel", .string("x"))], .int(1))).contains("did you mean 'title'?"))
    }

    @Test("every function and method has help, returns and an example")
    func help() {
        for function in PlotFunctions.functions + FigureObject.type.methods {
            #expect(
                !function.summary.isEmpty && function.example?.contains(function.name) == true
                    && (!function.returns.isEmpty || function.name == "show"))
        }
    }

    @Test("print shows the text without colours; the object answers its methods")
    func object() throws {
        let object = try FigureObject(figures.bars)
        #expect(object.summary.contains("bb") && !object.summary.contains("\u{1B}"))
        let text = FigureObject.type.method("text")!
        let narrow = try text.call([.fields([("width", .int(30)), ("ascii", .bool(true))])], receiver: object)[0]
            .string!
        #expect(narrow.split(separator: "\n").allSatisfy { $0.count <= 30 } && narrow.contains("=="))
        #expect(try FigureObject.type.method("csv")!.call([], receiver: object)[0].string == figures.bars.csv())
        #expect(throws: BSSError.self) { try text.call([.fields([("width", .int(3))])], receiver: object) }
    }
}
