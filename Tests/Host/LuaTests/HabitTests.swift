import BSSCore
import Testing

@testable import BSSLua

@Suite struct HabitTests {
    @Test(
        "slips from other languages get a sentence",
        arguments: [
            ("if x != 1 then end", "~="), ("x += 1", "x = x + …"), ("x = [1, 2]", "{ 1, 2 }"),
            ("import math", "require"), ("from a import b", "require"), ("def f(x):", "function"),
            ("if x and y:", "then or do"), ("x = a && b", "and"), ("x = a || b", "or"), ("x = !a", "not"),
            ("let x = 1", "local"), ("x = lambda y: y", "function(x)"), ("# comment", "--"),
            ("x = c ? 1 : 2", "a and b or c"),
            ("t = { a = 1 b = 2 }", "comma"), ("for i in range(3):", "for i = 1, n do"),
            ("print(1 2)", "a comma may be missing before '2'"), ("x = 2 ** 3", "x ^ y"), ("x = 1 <> 2", "~="),
            ("try f()", "pcall"), ("raise ValueError(1)", "error(message)"), ("assert x == 3", "assert(x == 3"),
            ("with open(f) as g:", "<close>"), ("del x", "x = nil"), ("x = y is None", "x == nil"),
            ("print \"%d\" % 3", ":format(x)"), ("for (i = 0; i < 3; i++) {", "for i = 1, n do"),
            ("function f() { return 1 }", "function f(x) … end"), ("print(x[1:2])", "s:sub(i, j)"),
        ])
    func syntax(code: String, words: String) throws {
        let state = try LuaState()
        let error = #expect(throws: BSSError.self) { try state.run("local ok\n" + code, name: "=s") }
        #expect(error?.hint?.contains(words) == true, "\(String(describing: error))")
        #expect(error?.traceback?.contains("| ") == true && error?.message.contains(":2:") == true)
    }

    @Test func namesOfOtherLanguages() throws {
        for (name, words) in [("True", "true"), ("None", "nil"), ("range", "for i = 1"), ("lr", "learning_rate")] {
            let run = try ProgramRun(["-e", "print(\(name))"])
            #expect(run.code == 1 && run.error.contains(words), "\(run.error)")
        }
        // Text that only goes on is no slip.
        let state = try LuaState()
        let error = #expect(throws: BSSError.self) { try state.function("x = {", name: "=s") }
        #expect(error?.description.hasSuffix("<eof>") == true)
    }

    @Test func longPathsAreShortened() throws {
        let state = try LuaState()
        let code = "local t = coroutine.create(print) for i = 1, 30 do t = { t } end return t"
        let error = #expect(throws: BSSError.self) { try state.run(code, name: "=s") }
        #expect(error?.message.contains("value[1][1][1][1]…[1][1] is a thread") == true, "\(String(describing: error))")
    }

    @Test(
        "operations of other languages that run get a sentence, too",
        arguments: [
            ("print('a' + 'b')", "a .. b"), ("for i in 3 do end", "for i = 1, n do"),
            ("for i, v in {1} do end", "ipairs(t)"), ("print('%d' % 3)", ":format(x)"),
        ])
    func running(code: String, words: String) throws {
        let run = try ProgramRun(["-e", code])
        #expect(run.code == 1 && run.error.contains(words), "\(run.error)")
    }
}
