import BSSCore
import Testing
import _BSSTestSupport

/// Every number in the documentation is computed again: exactly, under the reference instruction set.
@Suite struct GuideTests {
    static let folder = Repository.root + "/experiments/guide"
    static let reference = ["BSS_ISA": "v3", "BSS_BLAS": "own"]

    static var names: [String] {
        get throws { try Files.list(folder).filter { $0.hasSuffix(".lua") }.sorted() }
    }

    @Test func everyNotebookGivesItsOutputs() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let names = try GuideTests.names
        #expect(names.count >= 10)
        for name in names {
            let run = try program.run(
                ["nb", "check", "--quiet", "\(GuideTests.folder)/\(name)"], environment: GuideTests.reference)
            #expect(run.code == 0 && run.output.contains(": equal, "), "\(name): \(run.summary)")
        }
        print("guide notebooks: \(names.count) of \(names.count) checked")
    }

    /// Lines of code that a page shows are whole at the width of a page.
    @Test func linesAreNoLongerThanPages() throws {
        for name in try GuideTests.names {
            let text = try Files.readText("\(GuideTests.folder)/\(name)")
            for line in text.split(separator: "\n") where !line.hasPrefix("--") {
                #expect(line.count <= 140, "\(name): \(line)")
            }
        }
    }
}
