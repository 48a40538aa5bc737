import BSSCore
import Testing

@testable import BSSLua

extension LiveObjectTests {
    @Suite(.serialized) struct ObjectTests {
        @Test func everythingDeclaredWorks() throws {
            let state = try makeState()
            let script = """
                local c = host.count{ start = 3 }
                assert(tostring(c) == "counter at 3" and #c == 3 and c.total == 3)
                assert(c:add(2) == c and c.total == 5 and c:add().total == 6)
                assert(c[2] == 20 and c[7] == nil and c.one == 1)
                assert((c + 4).total == 10 and (1 + c).total == 7 and c == host.count(6))
                assert(getmetatable(c) == "counter" and type(c) == "userdata")
                local names = {}
                for name, value in pairs(c) do names[#names + 1] = name .. "=" .. value end
                assert(table.concat(names, " ") == "one=1 two=2")
                local sum = 0
                for _, v in ipairs(c) do sum = sum + v end
                assert(sum == 210)
                """
            try state.run(script, name: "=test")
        }

        @Test(arguments: [
            ("local c = host.count() ; c.x = 1", "test:1: counter: cannot set 'x': a counter is read-only"),
            ("return host.count().totl", "test:1: counter: has no 'totl' (did you mean 'total'?)"),
            (
                "host.count().add(3)",
                "counter:add: the first argument must be the object, got number (call methods with a colon)"
            ),
            ("host.count().add(io.stdout)", "counter:add: the first argument must be the object, got userdata"),
            ("local c = host.count() c:free() return c.total", "the object was freed"),
            ("local c = host.count() c:free() c:free() host.echo(c)", "host.echo: argument 1 was freed"),
            ("local c <close> = host.count() ; debug.getmetatable(c).__gc(io.stdout)", "object expected"),
            ("host.count():add('x')", "counter:add: option 'by' expects integer, got string \"x\""),
            ("host.count(-1)", "host.count: option 'start' expects integer at least 0, got integer -1"),
            ("host.count{ strat = 1 }", "host.count: unknown option 'strat' (did you mean 'start'? known: start)"),
            ("debug.getmetatable(host.count()).__index(io.stdout, 'x')", "not an object of this type"),
        ])
        func explains(script: String, message: String) throws {
            let error = #expect(throws: BSSError.self) { try makeState().run(script, name: "=test") }
            #expect(error?.located.contains(message) == true, "\(error!.located)")
        }

        @Test func released() throws {
            let before = Counter.alive
            do {
                let state = try makeState()
                try state.run("for i = 1, 1000 do local c <close> = host.count(i) end", name: "=test")
                #expect(Counter.alive == before && state.liveObjects == 0)
                try state.run("keep = {} for i = 1, 1000 do keep[i] = host.count(i) end", name: "=test")
                #expect(Counter.alive == before + 1000 && state.liveObjects == 1000)
                try state.run("keep = nil", name: "=test")
                state.collect()
                #expect(Counter.alive == before && state.liveObjects == 0)
                try state.run("last = host.count(1)", name: "=test")
            }
            #expect(Counter.alive == before)  // closing the state releases the rest
        }

        /// 20 GB pass through a loop; Lua sees 40 bytes each.
        @Test func collectorKnowsExternalBytes() throws {
            let state = try makeState()
            var most = 0
            let watch = Function("watch", "notes the bytes") { _ in
                most = max(most, state.memory.external)
                return []
            }
            try state.install(Namespace("probe", "") { [.function(watch)] })
            try state.run(
                "for i = 1, 20000 do local c = host.big() ; if i % 8 == 0 then probe.watch() end end", name: "=test")
            #expect(most < 256 << 20, "\(most >> 20) MB at once")
        }

        @Test func namespacesAreClosed() throws {
            let state = try makeState()
            let script = """
                assert(host.inner.answer == 42 and require "host" == host)
                local names = {}
                for name in pairs(host) do names[#names + 1] = name end
                assert(table.concat(names, ",") == "big,call,count,echo,fail,inner,mul,spin")
                local ok, e = pcall(function() return host.ecko end)
                assert(tostring(e):find("host: has no 'ecko' (did you mean 'echo'?", 1, true), tostring(e))
                ok, e = pcall(function() host.echo = 1 end)
                assert(tostring(e):find("host: is closed: 'echo' cannot be set", 1, true))
                assert(rawequal(host.echo, host.echo))
                """
            try state.run(script, name: "=test")
        }
    }
}
