import BSSCore
import BSSLua
import BSSScript
import Testing

@testable import BSSDocumentation

/// What editors read is derived from the declarations, whole, and in the grammar of lua-language-server.
@Suite struct StubsTests {
    private func text() throws -> String {
        let state = try LuaState()
        return Stubs.text(try API.make(state, RunOptions()))
    }

    @Test func everyLineIsAnAnnotationOrAnEmptyDeclaration() throws {
        var wrong: [String] = []
        for line in try text().split(separator: "\n") where !AnnotationGrammar.accepts(String(line)) {
            wrong.append(String(line))
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }

    @Test func theGrammarRefusesWhatTheServerWould() {
        for line in [
            "---@field a.b? number|", "---@param 1x number", "---@return fun(a b)", "---@class",
            "---@field [string any",
            "---@overload fun(a: number) more", "---@unknown x", "local x = 1",
        ] {
            #expect(!AnnotationGrammar.accepts(line), "\(line)")
        }
    }

    @Test func theTextIsLua() throws {
        let state = try LuaState()
        let code = try text().replacingReturn()
        try state.run(code, name: "stubs")
    }

    @Test func optionsTypesAndTextsAreNamed() throws {
        let text = try text()
        #expect(text.contains("---@class bss.pace.root.Options"))
        #expect(text.contains("---@field lambda_0? number "))
        #expect(text.contains("---@return bss.PaceFunction # pace function"))
        #expect(text.contains("---@class bss.PaceFunction"))
        #expect(text.contains("function PaceFunction:at("))
        #expect(text.contains("---@class bss.Tensor"))
        #expect(text.contains("---@operator add(any): bss.Tensor"))
    }

    /// What a callback receives is a class of its own, and help knows it by the name that callbacks use.
    @Test func callbacksAreTyped() throws {
        let root = try API.make(try LuaState(), RunOptions())
        let text = Stubs.text(root)
        #expect(text.contains("---@field on_epoch? fun(e: bss.EpochRecord): boolean? "))
        #expect(
            text.contains("---@field grads? fun(ctx: bss.Training, grads: table, out: bss.Output, labels: bss.Tensor)"))
        for name in ["EpochRecord", "Training", "Output", "Evidence", "Plan", "Batch"] {
            #expect(text.contains("---@class bss.\(name)\n"), "\(name)")
        }
        for (name, field) in [("ctx", ":unimodal"), ("e", "learning_rate"), ("out", "unimodal"), ("evidence", "loss")] {
            #expect(try Help.lookUp(name, in: root).contains(field), "\(name)")
        }
    }

    /// Nothing that scripts can call is missing.
    @Test func everyFunctionIsThere() throws {
        let state = try LuaState()
        let root = try API.make(state, RunOptions())
        let text = Stubs.text(root)
        var count = 0
        func visit(_ namespace: Namespace, _ path: String) {
            for entry in namespace.entries {
                switch entry {
                case .function(let function):
                    count += 1
                    let plain = "function \(path).\(function.name)("
                    #expect(
                        text.contains(plain) || text.contains("\(path)[\"\(function.name)\"] = function("), "\(plain)")
                case .namespace(let child): visit(child, "\(path).\(child.name)")
                case .value(let name, _, _): #expect(text.contains("---@field \(name) "))
                }
            }
        }
        visit(root, root.name)
        #expect(count > 150, "\(count) functions")
    }
}

extension String {
    /// A chunk may not go on after `return`.
    fileprivate func replacingReturn() -> String {
        split(separator: "\n").filter { !$0.hasPrefix("return ") }.joined(separator: "\n")
    }
}
