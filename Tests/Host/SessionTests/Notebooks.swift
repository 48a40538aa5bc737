import BSSCore
import BSSLua
import BSSSession
import BSSScript
import Foundation
import Testing

/// What the suites share: states, runs of notebooks given as text.
enum Notebooks {
    /// A state as `nb` has it, with the `bss` table.
    static func runner() throws -> CellRunner {
        let state = try LuaState()
        state.installStandardReplacements(seed: 0)
        try state.install(API.make(state, RunOptions()))
        return CellRunner(state)
    }

    /// The text with outputs filled in; every cell must run.
    static func filled(_ text: String, path: String = "book.lua") throws -> String {
        var run = NotebookRun(NotebookFile.parse(text), path: path, runner: try runner())
        let failure = run.run()
        #expect(failure == nil, "\(failure.map { $0.error.located } ?? "")")
        return run.file.text()
    }

    static func check(_ text: String, _ tolerance: Tolerance = Tolerance()) throws -> NotebookCheck.Report {
        NotebookCheck(tolerance: tolerance).run(NotebookFile.parse(text), path: "book.lua", runner: try runner())
    }

    /// The first difference, or nil if all is equal.
    static func difference(_ text: String, _ tolerance: Tolerance = Tolerance()) throws -> NotebookCheck.Difference? {
        if case .differs(let difference) = try check(text, tolerance).verdict { return difference }
        return nil
    }

    /// The text with the first `old` after `anchor` replaced; it must be there.
    static func replacing(_ old: String, _ new: String, in text: String, after anchor: String = "") throws -> String {
        let start = try #require(anchor.isEmpty ? text.startIndex : text.range(of: anchor)?.upperBound)
        let range = try #require(text.range(of: old, range: start..<text.endIndex))
        return text.replacingCharacters(in: range, with: new)
    }

    static let example = """
        -- %% [markdown]
        -- # An example
        -- with *text* and `code < 1`
        -- %%
        local rate = 0.1
        steps = 3
        print("rate", rate)
        -- %%
        _ = rate * steps
        -- %%
        _ = steps
        -- %%
        _ = { accuracy = 0.8125, curve = { 1, 0.5, 0.25 }, name = "a" }
        -- %%
        _ = bss.tensor({ { 1, 2 }, { 3, 4.5 } })
        -- %%
        _ = bss.arange(1000)
        -- %%
        _ = "text 7"
        -- %%
        _ = bss.plot.line{ 1, 4, 9 }

        """
}
