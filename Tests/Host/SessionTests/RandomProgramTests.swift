import BSSCore
import BSSLua
import BSSSession
import Foundation
import Testing
import _BSSTestSupport

/// Programs drawn at random, cut into cells at random: the properties that hold for every program.
@Suite(.oneAtATime, .serialized) struct RandomProgramTests {
    /// Statements over a few names; every program ends and none fails.
    struct Generator {
        var random: RandomStream
        /// Names of numbers, tables and functions of no arguments that exist so far.
        var numbers: [String] = [], tables: [String] = [], functions: [String] = []

        init(seed: Int) { random = RandomStream(seed: UInt64(seed), name: "programs") }

        mutating func pick<T>(_ list: [T]) -> T { list[Int(random.nextWord()) % list.count] }
        mutating func chance(_ percent: Int) -> Bool { Int(random.nextWord()) % 100 < percent }

        mutating func number() -> String {
            switch Int(random.nextWord()) % 6 {
            case 0 where !tables.isEmpty: return "(\(pick(tables)).v or 0)"
            case 1 where !functions.isEmpty: return "\(pick(functions))()"
            case 2, 3, 4: if !numbers.isEmpty { return pick(numbers) }
            default: break
            }
            return String(Int(random.nextWord()) % 9)
        }

        /// One statement at the top level.
        mutating func statement() -> String {
            let local = chance(60) ? "local " : ""
            switch Int(random.nextWord()) % 12 {
            case 0, 1, 2:
                let name = pick(["a", "b", "c", "d"])
                let value = "\(number()) % 1000 + \(number())"
                if !numbers.contains(name) { numbers.append(name) }
                return "\(local)\(name) = \(value)"
            case 3:
                let name = pick(["t", "u"])
                let value = !tables.isEmpty && chance(50) ? pick(tables) : "{ v = \(number()) }"
                if !tables.contains(name) { tables.append(name) }
                return "\(local)\(name) = \(value)"
            case 4 where !tables.isEmpty: return "\(pick(tables)).v = \(number())"
            case 5:
                var body = "return \(number()) + 1"
                if !numbers.isEmpty, chance(60) {
                    let name = pick(numbers)
                    body = "\(name) = (\(name) + 1) % 1000 " + body
                }
                if !tables.isEmpty, chance(40) {
                    let name = pick(tables)
                    body = "\(name).v = (\(name).v or 0) % 1000 + 1 " + body
                }
                let name = pick(["f", "g"])
                // A function that calls one defined before it under the same name would never end.
                for other in functions { body = body.replacingOccurrences(of: "\(other)()", with: "2") }
                if !functions.contains(name) { functions.append(name) }
                return local.isEmpty ? "function \(name)() \(body) end" : "local function \(name)() \(body) end"
            case 6 where !functions.isEmpty: return "\(pick(functions))()"
            case 7 where !numbers.isEmpty:
                let name = pick(numbers)
                return "if \(number()) > 3 then \(name) = \(number()) else local \(name) = 5 end"
            case 8 where !tables.isEmpty: return "for k, x in pairs({ \(pick(tables)) }) do x.v = \(number()) end"
            case 9 where !numbers.isEmpty:
                let name = pick(numbers)
                return "do local \(name) = \(number()) end"
            case 10 where !tables.isEmpty: return "table.insert(\(pick(tables)), \(number()))"
            default:
                let all = numbers + tables.map { "\($0).v" } + tables.map { "#\($0)" }
                return all.isEmpty ? "local z = 0" : "print(\(pick(all)))"
            }
        }
    }

    private func program(_ seed: Int) -> [String] {
        var generator = Generator(seed: seed)
        return (0..<24).map { _ in generator.statement() }
    }

    @Test("cells do what one chunk does") func asOneChunk() throws {
        let runner = try Notebooks.runner()
        var lines = 0
        for seed in 0..<150 {
            let statements = program(seed)
            var cutter = RandomStream(seed: UInt64(seed), name: "cuts")
            var cells = [""]
            for statement in statements {
                if cutter.nextWord() % 3 == 0 { cells.append("") }
                cells[cells.count - 1] += statement + "\n"
            }
            _ = runner.run(
                "for _, n in ipairs { 'a', 'b', 'c', 'd', 't', 'u', 'f', 'g', 'z' } do _G[n] = nil end", name: "=clear")
            let whole = runner.run(cells.joined(), name: "=chunk")
            runner.scope.reset()
            _ = runner.run(
                "for _, n in ipairs { 'a', 'b', 'c', 'd', 't', 'u', 'f', 'g', 'z' } do _G[n] = nil end", name: "=clear")
            var printed = ""
            for cell in cells {
                let outcome = runner.run(cell, name: "=cell")
                #expect(
                    outcome.error == nil || whole.error != nil,
                    "\(seed): \(outcome.error.map(\.located) ?? "")\n\(cells)")
                printed += outcome.printed
                if outcome.error != nil { break }
            }
            runner.scope.reset()
            #expect(printed == whole.printed, "\(seed): \(cells)")
            lines += printed.split(separator: "\n").count
        }
        #expect(lines > 200)
    }

    @Test("a slice computes what the whole program computes") func slices() throws {
        let runner = try Notebooks.runner()
        var dropped = 0
        var compared = 0
        func value(_ name: String, _ cells: [String]) throws -> String? {
            runner.scope.reset()
            _ = runner.run(
                "for _, n in ipairs { 'a', 'b', 'c', 'd', 't', 'u', 'f', 'g', 'z' } do _G[n] = nil end", name: "=clear")
            for cell in cells where runner.run(cell, name: "=cell").error != nil { return nil }
            return try runner.run(
                "type(\(name)) == 'table' and { \(name).v or 0, #\(name) } or \(name)", name: "=value"
            )
            .values.first.map { try TypedValue.json($0, in: runner.state) }
        }
        for seed in 1000..<1150 {
            let cells = program(seed)
            for name in ["a", "b", "t"] {
                let kept = Slice.dependencies(of: [name], in: cells)
                guard !kept.isEmpty, let whole = try value(name, cells) else { continue }
                let part = try value(name, kept.map { cells[$0] })
                #expect(part == whole, "\(seed), \(name): \(kept.map { "\($0): \(cells[$0])" }) of \(cells)")
                compared += 1
                dropped += cells.count - kept.count
            }
        }
        #expect(compared > 150 && dropped > compared * 5, "\(compared) \(dropped)")
        print("slices: \(compared) compared, \(dropped) of \(compared * 24) cells dropped")
    }

    static let syntax = [
        "local a <const>, b <close> = 1, nil; ; ::top:: goto done do break_ = 1 end ::done::",
        "while x do if y then break elseif z then return 1, 2; else repeat local q = 1 until q end end",
        "for i = 1, 10, -2 do end for k, v, w in pairs(t), nil, nil do end",
        "function a.b.c:d(x, ...) local y <const> = select('#', ...) return ... end",
        "f{1, 2; x = 3, [4] = 5, [f()] = g, ...}.y:z 'str' [[long]] {1}[2](3)(4)", "a.b['c'].d, e[f(1)], g = 1, 2",
        "local t = { f = function(...) return ... end, }",
        "return -x ^ -2 .. 'a' // 3 << 1 & ~5 | 6 ~ 7 == 8 ~= 9 and not #t or {}",
        "local s = [==[ ]] ]=] ]==] .. 'a\\'b\\\n c\\z   \n d' .. \"\\\"\" -- end",
        "x = 0x1p-4 + 0xA.8p1 + .5e+3 + 3. + 1e10",
        "((f or g))(1)", "(a).b = 1", "goto_ = 1; localx = 2; endx = 3", "local function f() return f end return f",
        "a = function() end b = a, c", "--[==[ multi\nline ]==] x = 1 --[[ y ]] y = 2", "#!/bin/lua\nx = 1", ";;;",
        "do local a = 1 do local b = a end end", "if a then elseif b then else end",
        "t[#t + 1] = { x = { y = { z = 1 } } }", "a, b.c, d[1] = f()", "x = a < b, c > d", "_ = x; _ = y;",
    ]

    @Test("the parser understands what Lua accepts", arguments: syntax) func understood(code: String) throws {
        let state = try LuaState()
        _ = try state.function(code.hasPrefix("#") ? "--" + code : code, name: "=syntax")
        #expect(CellParser.names(in: code).isUnderstood)
    }

    @Test func understoodFiles() throws {
        let root = Repository.root
        var files = 0
        for folder in ["experiments", "scripts/benchmark"] {
            for name in (try? Files.list("\(root)/\(folder)")) ?? [] where name.hasSuffix(".lua") {
                #expect(CellParser.names(in: try Files.readText("\(root)/\(folder)/\(name)")).isUnderstood, "\(name)")
                files += 1
            }
        }
        #expect(files > 2)
        for bad in ["x = = 1", "for", "f(", "local 1", "a b c", "end", "x = }"] {
            #expect(!CellParser.names(in: bad).isUnderstood, "\(bad)")
        }
    }
}
