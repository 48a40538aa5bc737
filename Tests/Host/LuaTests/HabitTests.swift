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
}
