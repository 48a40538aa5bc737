import BSSCore
import BSSLua
import BSSScript
import Foundation
import Testing

@testable import BSSSession

/// A value with a method whose option the object knows the texts of, as runs know their metrics.
private final class Curves: HostObject {
    static let metric = Argument<[String]>("metric", "paths")
    static let type = ObjectType(
        "curves", help: "For tests.", methods: [Function("plot", "Plots.", [metric]) { _ in [] }])
    var objectType: ObjectType { Curves.type }
    func choices(of option: String) -> [String] { option == "metric" ? ["test.loss", "test.accuracy"] : [] }
}

@Suite struct CompletionTests {
    private func completion() throws -> Completion {
        let state = try LuaState()
        let rate = Argument<Double>("rate", aliases: ["speed"], default: 1, "how fast")
        let kind = Argument<String>("kind", default: "slow", "which", check: .oneOf(["slow", "swift"]))
        let lazy = Argument("lazy", default: false, "later")
        let pace = Argument<String>(
            "pace", default: "root", "when", check: Check("that names a pace function") { _ in true })
        let root = Namespace("bss", "For tests.") {
            [
                .namespace(
                    Namespace("pace", "Paces.") {
                        [
                            .function(Function("root", "Root.", [rate, kind], returns: "pace function") { _ in [] }),
                            .function(Function("linear", "Linear.", [rate], returns: "pace function") { _ in [] }),
                        ]
                    }),
                .function(Function("train", "Trains.", [rate, pace, lazy]) { _ in [] }),
                .function(Function("net", "A net.", [rate], rest: "a pace function for each modality") { _ in [] }),
            ]
        }
        try state.install(root)
        try state.run(
            """
            list = { 1, { alpha = 1, beta = { { deep = 1 } } } }
            run = { result = { last = 1, loss = 2 } } setmetatable(run, \
            { __index = function() error('must not run') end }) text = 'abc'
            """,
            name: "=test")
        try state.setGlobal("curves", .object(Curves()))
        return Completion(state: state, root: root, commands: ["time", "timeit", "who"])
    }

    /// Completes at the end of `text`; the word starts where readline's word breaks say.
    private func complete(_ text: String) throws -> [String] {
        let breaks = text.filter { $0 == "\"" }.count % 2 == 1 ? "\"" : " (){}=,;\"[]"
        let start =
            text.hasPrefix("%") && !text.contains(" ")
            ? text.startIndex : text.lastIndex { breaks.contains($0) }.map { text.index(after: $0) } ?? text.startIndex
        return try completion().candidates(text, text.utf8.distance(from: text.startIndex, to: start), text.utf8.count)
    }

    @Test(arguments: [
        ("bss.pa", ["bss.pace"]), ("bss.pace.", ["bss.pace.linear", "bss.pace.root"]),
        ("x = bss.pace.ro", ["bss.pace.root"]),
        ("bss.pace.root{ ra", ["rate = ", "rawequal", "rawget", "rawlen", "rawset"]),
        ("bss.pace.root{ sp", ["speed = "]),
        ("bss.pace.root{ rate = 1, ", ["kind = "]), ("bss.pace.root{", ["rate = ", "kind = "]),
        ("bss.pace.root{ kind = \"s", ["slow", "swift"]),
        ("bss.train{ pace = \"", ["root", "linear"]), ("run.result.l", ["run.result.last", "run.result.loss"]),
        ("text:up", ["text:upper"]),
        ("curves:plot{ metric = { \"test.l", ["test.loss"]), ("curves:plot{ \"test.", ["test.loss", "test.accuracy"]),
        ("curves:pl", ["curves:plot"]),
        ("curves:plot{ metric = \"test.a", ["test.accuracy"]),
        ("bss.train{ pace = ", ["\"root\"", "\"linear\"", "bss.pace.root{", "bss.pace.linear{"]),
        ("bss.train{ pace = \"nothing", []), ("bss.pace.root{ kind = \"", ["slow", "swift"]),
        ("outer(bss.train{ pace = bss.pace.root{ kind = \"s", ["slow", "swift"]),
        ("bss.net{ left = \"r", ["root"]), ("list[2].a", [".alpha"]), ("list[2].beta[1].", [".deep"]),
        ("print(list[2].be", [".beta"]), ("bss.train{ lazy = ", ["true", "false"]),
        ("%ti", ["%time", "%timeit"]), ("nothing.", []), ("run.nothing.", []),
    ])
    func finds(text: String, expected: [String]) throws {
        #expect(try complete(text) == expected)
    }

    /// Milliseconds; debug builds are slower by far.
    #if DEBUG
    private static let limit = 500.0
    #else
    private static let limit = 50.0
    #endif

    @Test func tenThousandGlobalsInTime() throws {
        let completion = try completion()
        try completion.state.run("for i = 1, 10000 do _G['global_' .. i] = i end", name: "=test")
        let start = DispatchTime.now().uptimeNanoseconds
        #expect(completion.candidates("global_", 0, 7).count == 10000)
        let milliseconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6
        print("completion among 10,000 globals: \(milliseconds) ms")
        #expect(milliseconds < Self.limit)
    }

    /// The places that users complete at, with the real declarations: 50 ms each in a release build.
    @Test("every place that is completed answers in time, with what stands there")
    func realPlacesInTime() throws {
        let state = try LuaState()
        let root = try API.make(state, RunOptions())
        try state.install(root)
        try state.run(
            "run = bss.train{ data = bss.data.synthetic{ samples = 60 }, epochs = 1, record = false }", name: "=test")
        let completion = Completion(state: state, root: root, commands: ["time"])
        let places: [(text: String, offered: String)] = [
            ("bss.train{ model = bss.model{ strong = \"", "mlp"), ("bss.train{ scheduler = ", "bss.scheduler.learned{"),
            ("bss.train{ scheduler = bss.scheduler.learned{ measurer = ", "bss.measurer{"),
            ("bss.train{ model = ", "bss.model{"), ("run.history[1].", ".train"),
            ("run.history[1].train.", ".train.loss"),
            ("bss.train{ optimizer = bss.optimizer.sgd{ l", "learning_rate = "), ("run:predict(\"", "test"),
            ("bss.train{ on_epoch = function(e) print(e.", "e.epoch"),
            ("bss.train{ on_epoch = function(record) print(record.tr", "record.train"),
            ("bss.rebalance.custom{ loss = function(ctx, out) local x = out.", "out.fused"), ("bss.", "bss.train"),
            ("evidence.", "evidence.loss"), ("run:plot{ \"test.", "test.total.accuracy"),
        ]
        var slowest = 0.0
        for (text, offered) in places {
            let start = DispatchTime.now().uptimeNanoseconds
            let word = Completion.wordStart(in: text, before: text.utf8.count)
            let found = completion.candidates(text, word, text.utf8.count)
            slowest = max(slowest, Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6)
            #expect(found.contains(offered), "\(text): \(found.prefix(8))")
        }
        print("completion at \(places.count) places: at most \(slowest) ms")
        #expect(slowest < Self.limit)
    }
}
