import Foundation
import Testing

/// One Ctrl-C ends every kind of script within 100 ms (host.md H.1).
@Suite(.serialized) struct InterruptTests {
    static let loops: [(name: String, code: String)] = [
        ("plain", "while true do end"),
        ("coroutine", "coroutine.wrap(function() while true do end end)()"),
        (
            "nested coroutines",
            "local function n(d) if d == 0 then while true do end end coroutine.wrap(n)(d - 1) end n(20)"
        ),
        ("pcall", "while true do pcall(function() while true do end end) end"),
        (
            "coroutines that fail",
            "while true do coroutine.resume(coroutine.create(function() while true do end end)) end"
        ),
        (
            "short coroutines",
            "while true do local c = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) c() c() end"
        ),
        (
            "looping message handler",
            "while true do xpcall(function() while true do end end, function() while true do end end) end"
        ),
        (
            "close in a loop",
            """
            local c = coroutine.create(function() local x <close> = setmetatable({}, \
            { __close = function() while true do end end }) coroutine.yield() end) coroutine.resume(c) \
            coroutine.close(c) while true do end
            """
        ),
        (
            "sort",
            """
            local t = {} for i = 1, 1000 do t[i] = i end while true do table.sort(t, function(a, b) return a < b end) \
            end
            """
        ),
        ("gsub callback", "while true do ('x'):rep(1000):gsub('.', function(c) return c end) end"),
        ("reading", "io.read('a') while true do end"),
    ]

    @Test(arguments: loops) func ends(loop: (name: String, code: String)) throws {
        let run = try ProgramRun(["-e", "io.stderr:write('go\\n') " + loop.code], signals: [(SIGINT, 0.05)])
        #expect(run.code == 130)
        #expect(run.error.contains("interrupted"))
        #expect(run.milliseconds < 100, "\(loop.name): \(run.milliseconds) ms")
    }

    @Test func terminateIsCleanToo() throws {
        let run = try ProgramRun(["-e", "io.stderr:write('go\\n') while true do end"], signals: [(SIGTERM, 0.05)])
        #expect(run.code == 75)  // as after a queue's time limit: there may be work left
    }

    /// The C library waits for the child whatever comes: the second press ends the process.
    @Test func twiceForces() throws {
        let bomb = "io.stderr:write('go\\n') io.popen('exec sleep 3 >/dev/null 2>&1'):close()"
        let run = try ProgramRun(["-e", bomb], signals: [(SIGINT, 0.1), (SIGINT, 0.4)])
        #expect(run.code == 130)
        #expect(run.error.contains("interrupted twice"))
    }

    @Test func finalizersRunAfterwards() throws {
        let run = try ProgramRun(
            [
                "-e",
                """
                local x = setmetatable({}, { __gc = function() print('closed') end }) io.stderr:write('go\\n') \
                while true do end
                """,
            ], signals: [(SIGINT, 0.05)])
        #expect(run.code == 130 && run.out == "closed\n")
    }
}
