import BSSCore
import Testing

@testable import BSSLua

extension LiveObjectTests {
    @Suite(.serialized) struct ErrorTests {
        @Test func errorsAreValues() throws {
            let state = try makeState()
            let script = """
                local ok, e = pcall(function()
                  host.fail()
                end)
                assert(not ok and e.operation == "engine" and e.message == "no such thing" and \
                e.hint == "try another" and e.kind == "data")
                assert(e.position == "test:2" and tostring(e) == "test:2: engine: no such thing (try another)", \
                tostring(e))
                assert("error: " .. e == "error: " .. tostring(e))
                assert(e.traceback:find("test:2: in ", 1, true))
                local ok2, e2 = pcall(error, e)
                assert(rawequal(e2, e))
                """
            try state.run(script, name: "=test")
        }

        @Test func sameErrorReturnsToSwift() throws {
            let state = try makeState()
            let error = #expect(throws: BSSError.self) {
                try state.run("host.call(function() host.fail() end)", name: "=test")
            }
            #expect(error?.operation == "engine" && error?.kind == .data && error?.hint == "try another")
            #expect(error?.position == "test:1")
        }

        @Test func luaErrorsKeepTheirFrames() throws {
            let state = try makeState()
            let script = "local function inner(n)\n  error('boom')\nend\nhost.call(function(n)\n  inner(n)\nend)\n"
            let error = #expect(throws: BSSError.self) { try state.run(script, name: "=test") }
            #expect(error?.located == "test:2: boom")
            #expect(
                error?.traceback?.hasPrefix("test:2: in ") == true && error?.traceback?.contains("test:5: in") == true,
                "\(error?.traceback ?? "")")
        }

        @Test func foreignErrorValuesComeBackUnchanged() throws {
            let state = try makeState()
            let script = """
                local mine = { code = 7 }
                local ok, e = pcall(host.call, function() error(mine) end)
                assert(not ok and rawequal(e, mine))
                ok, e = pcall(host.call, function() error("text", 0) end)
                assert(tostring(e) == "text")
                ok, e = pcall(host.call, function() error() end)
                assert(not ok and e == nil)
                """
            try state.run(script, name: "=test")
        }

        @Test func aHundredThousandErrorsLeakNothing() throws {
            for cap in [0, 64 << 20] {
                let state = try makeState()
                state.limitMemory(bytes: cap)
                let alive = Counter.alive
                let script = """
                    local function check(f, ...) assert(not pcall(f, ...)) end
                    local c = host.count(1)
                    for i = 1, 20000 do
                      check(host.fail)
                      check(c.fail, c)
                      check(host.count, { start = "x" })
                      check(host.call, function() error("from Lua") end)
                      check(host.call, function() host.fail() end)
                    end
                    """
                try state.run(script, name: "=test")
                state.collect()
                state.collect()
                #expect(state.liveObjects == 0, "\(state.liveObjects) objects left")
                #expect(Counter.alive == alive)
                #expect(state.finalizerErrors == 0)
                #expect(state.memory.heap < 1 << 20)
            }
        }

        @Test func memoryCapNeverJumpsOverSwift() throws {
            let state = try makeState()
            state.limitMemory(bytes: state.memory.heap + (2 << 20))
            let alive = Counter.alive
            let script = """
                local keep = {}
                local ok, e = pcall(function() for i = 1, 1e6 do keep[i] = host.count(i) end end)
                assert(not ok and e == "not enough memory", tostring(e))
                keep = nil
                """
            try state.run(script, name: "=test")
            state.collect()
            #expect(Counter.alive == alive && state.liveObjects == 0)
        }

        @Test func stackOverflowIsAnError() throws {
            let state = try makeState()
            #expect(throws: BSSError.self) { try state.run("local function f() return 1 + f() end f()", name: "=test") }
            // Lua and Swift in turns: Lua's limit of C calls ends it before the stack does.
            #expect(throws: BSSError.self) {
                try state.run("local function f() return host.call(f) end f()", name: "=test")
            }
            #expect(try state.run("return 1", name: "=test").first?.int == 1)
        }

        @Test func finalizerErrorsAreCounted() throws {
            let state = try makeState()
            try state.run("setmetatable({}, { __gc = function() error('in gc') end }) collectgarbage()", name: "=test")
            #expect(state.finalizerErrors == 1)
        }

        @Test func functionsOutliveTheirStateSafely() throws {
            var state: LuaState? = try makeState()
            let function = try state!.function("return 5", name: "=test")
            #expect(try function.call([]).first?.int == 5)
            state = nil
            #expect(throws: BSSError.self) { try function.call([]) }
        }
    }
}
