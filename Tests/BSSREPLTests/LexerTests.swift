import Testing

@testable import BSSREPL

@Suite struct LexerTests {
    @Test(arguments: [
        ("local x = 1", "      x = 1"),
        ("local a, b = f()", "      a, b = f()"),
        ("local a, b", "      a, b = nil"),
        ("local function f() local y = 2 end", "      function f() local y = 2 end"),
        ("for i = 1, 2 do local z = i end local w = 3", "for i = 1, 2 do local z = i end       w = 3"),
        ("local c <const> = 5", "local c <const> = 5"),
        ("x = 'local y = 1' -- local z = 2", "x = 'local y = 1' -- local z = 2"),
        ("repeat local q = 1 until q == 1", "repeat local q = 1 until q == 1"),
        ("if a then local b = 1 elseif c then local d = 1 else local e = 1 end", "if a then local b = 1 elseif c then local d = 1 else local e = 1 end"),
        ("local t = { 1, [[local]], x = function() local k = 1 end }", "      t = { 1, [[local]], x = function() local k = 1 end }"),
    ])
    func topLevelLocalsBecomeSessionVariables(code: String, expected: String) {
        #expect(LuaLexer.sessionLocals(code) == expected)
    }

    @Test func tokensCoverLuaText() {
        let text = "x = 0x1F + 1.5e-3 .. 'a\\'b' .. [==[ long ]] ]==] -- end"
        #expect(LuaLexer.tokens(text).map(\.text) == ["x", "=", "0x1F", "+", "1.5e-3", "..", "'a\\'b'", "..", "[==[ long ]] ]==]"])
        #expect(LuaLexer.tokens("--[[ a\nb ]] y", comments: true).map(\.kind) == [.comment, .name])
        #expect(LuaLexer.tokens("\"open").first?.text == "\"open")
    }

    @Test func usesFindDependencies() {
        let (reads, writes) = LuaLexer.uses("model = build(data.train)\nrun.x = 1")
        #expect(reads.isSuperset(of: ["build", "data"]) && writes.isSuperset(of: ["model", "run"]))
        #expect(!writes.contains("data") && !reads.contains("train"))
    }
}
