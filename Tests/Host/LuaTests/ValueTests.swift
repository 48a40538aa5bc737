import BSSCore
import Testing

@testable import BSSLua

@Suite struct ValueTests {
    /// Evaluates an expression to its JSON text.
    private func json(_ expression: String) throws -> String {
        JSON.text(try makeState().run("return " + expression, name: "=test").first ?? .null)
    }

    @Test(arguments: [
        ("nil", "null"), ("true", "true"), ("3", "3"), ("2^53", "9007199254740992.0"), ("1 << 53", "9007199254740992"),
        ("0.1", "0.1"), ("-0.0", "-0"),
        ("'a\\0b'", "\"a\\u0000b\""), ("{1,2,3}", "[1,2,3]"), ("{b=1,a={2}}", #"{"a":[2],"b":1}"#),
        ("{5,x=1}", #"{"1":5,"x":1}"#), ("{}", "[]"),
    ])
    func crosses(expression: String, expected: String) throws {
        #expect(try json("host.echo(\(expression))") == expected)
    }

    @Test func integerAndFloatStayApart() throws {
        let state = try makeState()
        #expect(
            try state.run("return math.type(host.echo(3)), math.type(host.echo(3.0))", name: "=test").map { $0.string }
                == ["integer", "float"])
    }

    @Test func anyBytesComeBack() throws {
        let state = try makeState()
        let check = """
            local s = {}
            for i = 0, 255 do s[#s + 1] = string.char(i) end
            local all = table.concat(s)
            for _, text in ipairs{ all, all .. all, "ä€𝄞", "\\xff", "\\xf4\\x8f\\xbb\\xbf", "\\u{10FEFF}", \
            "\\xe2\\x82", "\\xc0\\x80", "" } do
              assert(host.echo(text) == text, #text)
            end
            """
        try state.run(check, name: "=test")
    }

    @Test(arguments: [
        ("local t = {} t.t = t host.echo(t)", "host.echo: argument 1.t contains itself"),
        ("host.echo{1, nil, 3}", "host.echo: argument 1 has a hole: position 2 of 3 is nil"),
        ("host.echo{[2.5] = 1}", "host.echo: argument 1 has the key number 2.5; only 1, 2, 3 … and names can be used"),
        ("host.echo(coroutine.create(print))", "host.echo: argument 1 is a thread, which the engine cannot take"),
        (
            "host.echo{x = {io.stdout}}",
            "host.echo: argument 1.x[1] is a foreign userdata, which the engine cannot take"
        ),
        ("host.echo(host.inner)", "host.echo: argument 1 is the namespace host.inner, not a value"),
        ("local t = {} for i = 1, 200 do t = {t} end host.echo(t)", "is nested deeper than 100 levels"),
        ("host.echo(1, 2)", "host.echo: takes at most 1 values, got 2"),
    ])
    func refuses(script: String, message: String) throws {
        let error = #expect(throws: BSSError.self) { try makeState().run(script, name: "=test") }
        #expect(error?.description.contains(message) == true, "\(error!)")
    }

    @Test func sharedTablesAreNoCycle() throws {
        #expect(try json("(function() local a = {1} return host.echo{a, a} end)()") == "[[1],[1]]")
    }

    @Test func identityIsKept() throws {
        let state = try makeState()
        let script = """
            local c = host.count(3)
            local seen = { [c] = true }
            assert(rawequal(host.echo(c), c) and seen[host.echo(c)])
            assert(host.echo{ c }[1] == c)
            local f = function() end
            assert(host.echo(f) == f)
            """
        try state.run(script, name: "=test")
    }
}
