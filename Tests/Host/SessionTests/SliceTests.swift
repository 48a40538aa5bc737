import BSSSession
import Testing
import _BSSTestSupport

@Suite(.oneAtATime, .serialized) struct SliceTests {
    struct Case: CustomTestStringConvertible {
        let name: String, cells: [String], wanted: [String], kept: [Int]
        var testDescription: String { name }
    }

    static let cases = [
        Case(
            name: "assignments", cells: ["a = 1", "b = 2", "c = a + 1", "print(b)", "d = c * 2"], wanted: ["d"],
            kept: [0, 2, 4]),
        Case(name: "overwritten", cells: ["a = 1", "a = 2", "b = a"], wanted: ["b"], kept: [1, 2]),
        Case(
            name: "changed, not overwritten", cells: ["a = 1", "a = a + 1", "b = a"], wanted: ["b"], kept: [0, 1, 2]),
        Case(
            name: "locals of cells", cells: ["local a = 1", "local b = 2", "local c = a"], wanted: ["c"], kept: [0, 2]),
        Case(
            name: "function bodies", cells: ["k = 3", "function f(x) return x * k end", "k2 = 4", "y = f(2)"],
            wanted: ["y"], kept: [0, 1, 3]),
        Case(
            name: "body read later", cells: ["function f() return k end", "k = 1", "k = 2", "y = f()"], wanted: ["y"],
            kept: [0, 2, 3]),
        Case(
            name: "body writes", cells: ["n = 0", "function tick() n = n + 1 end", "tick()", "print(n)", "m = n"],
            wanted: ["m"], kept: [0, 1, 2, 4]),
        Case(
            name: "fields", cells: ["t = {}", "u = {}", "t.x = 1", "u.x = 2", "y = t.x"], wanted: ["y"],
            kept: [0, 2, 4]),
        Case(
            name: "aliases", cells: ["t = {}", "a = t", "a.x = 5", "b = {}", "y = t.x"], wanted: ["y"],
            kept: [0, 1, 2, 4]),
        Case(
            name: "loop over a table", cells: ["t = { {}, {} }", "for i, r in ipairs(t) do r.n = i end", "y = t[1].n"],
            wanted: ["y"], kept: [0, 1, 2]),
        Case(
            name: "table.insert", cells: ["t = {}", "table.insert(t, 4)", "s = #t", "print(s)", "y = t[1]"],
            wanted: ["y"], kept: [0, 1, 4]),
        Case(
            name: "conditional write", cells: ["a = 1", "if x then a = 2 end", "y = a"],
            wanted: ["y"], kept: [0, 1, 2]),
        Case(
            name: "unknown function changes its argument",
            cells: ["t = { 1 }", "fill = require 'fill'", "fill.all(t)", "y = t"], wanted: ["y"], kept: [0, 1, 2, 3]),
        Case(
            name: "function that changes its argument",
            cells: ["function set(t) t.x = 1 end", "t = {}", "set(t)", "y = t.x"], wanted: ["y"], kept: [0, 1, 2, 3]),
        Case(
            name: "function that only looks",
            cells: ["function get(t) return t.x end", "t = { x = 1 }", "get(t)", "y = t.x"], wanted: ["y"],
            kept: [1, 3]),
        Case(
            name: "closure with state",
            cells: [
                "function make() local n = 0 return function() n = n + 1 return n end end", "c = make()", "c()",
                "y = c()",
            ], wanted: ["y"], kept: [0, 1, 2, 3]),
        Case(
            name: "random numbers stay in order", cells: ["a = math.random()", "b = 1", "y = math.random()"],
            wanted: ["y"], kept: [0, 2]),
        Case(
            name: "tensor stream", cells: ["a = bss.randn({ 2 })", "b = bss.zeros({ 2 })", "y = bss.randn({ 2 })"],
            wanted: ["y"], kept: [0, 2]),
        Case(
            name: "load may do anything", cells: ["a = 1", "load(s)()", "y = 2", "print(1)"], wanted: ["y"],
            kept: [0, 1, 2]),
        Case(
            name: "files written", cells: ["f = 1", "io.open('x', 'w'):write('a')", "y = 2"], wanted: ["y"],
            kept: [1, 2]),
        Case(
            name: "two trainings on one dataset",
            cells: [
                "data = bss.data.synthetic{ samples = 60 }", "print(data)",
                "run1 = bss.train{ data = data, epochs = 1 }", "run2 = bss.train{ data = data, epochs = 2 }",
                "print(run1.result.last.test.total.accuracy)", "acc = run2.result.last.test.total.accuracy",
                "fig = bss.plot.line{ acc, 1 }",
            ], wanted: ["fig"], kept: [0, 3, 5, 6]),
        Case(
            name: "method defined on a table",
            cells: [
                "C = {} C.__index = C", "function C:add(v) self.s = (self.s or 0) + v end", "o = setmetatable({}, C)",
                "o:add(3)", "p = 1", "y = o.s",
            ], wanted: ["y"], kept: [0, 1, 2, 3, 5]),
        Case(name: "strings are no names", cells: ["a = 1", "b = 'a' -- a", "y = b"], wanted: ["y"], kept: [1, 2]),
        Case(
            name: "field names are no names", cells: ["x = 1", "t = { x = 2 }", "y = t.x"],
            wanted: ["y"], kept: [1, 2]),
        Case(
            name: "parallel assignment", cells: ["a, b = 1, 2", "a, b = b, a", "y = a"],
            wanted: ["y"], kept: [0, 1, 2]),
    ]

    @Test(arguments: cases) func keeps(one: Case) {
        #expect(Slice.dependencies(of: one.wanted, in: one.cells) == one.kept)
    }

    @Test func ofCells() {
        let cells = ["a = 1", "b = 2", "print(b)", "c = a", "print(c)"]
        #expect(Slice.dependencies(ofCells: [4], in: cells) == [0, 3, 4])
        #expect(Slice.dependencies(ofCells: [2], in: cells) == [1, 2])
        #expect(Slice.dependencies(of: ["nothing"], in: cells) == [])
    }

    @Test("the slice computes what the whole session did", arguments: cases) func sameValue(one: Case) throws {
        let needsFiles =
            one.cells.joined().contains("require") || one.cells.joined().contains("io.open")
            || one.cells.joined().contains("load(s)")
        if needsFiles { return }
        let name = one.wanted[0]
        func value(_ cells: [String]) throws -> String {
            let runner = try Notebooks.runner()
            for cell in cells { #expect(runner.run(cell, name: "=c").error == nil, "\(cell)") }
            let outcome = runner.run(name, name: "=c")
            return try outcome.values.first.map { try TypedValue.json($0, in: runner.state) } ?? "none"
        }
        if one.name.contains("trainings") { return }  // covered by the plan above; no need to train here
        #expect(try value(one.cells) == value(one.kept.map { one.cells[$0] }))
    }
}
