import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// The small forms of experiments/ against the tables that are committed beside them.
@Suite(.oneAtATime) struct ReferenceResultTests {
    private static let folder = Repository.root + "/experiments/reference"
    private static let names = (try? Files.list(folder)) ?? []

    /// The instruction set that the tables were made with, where this machine has it.
    private static let settings = ["BSS_ISA": "v3", "BSS_BLAS": "own"]

    @Test("every script with a small form has its tables")
    func complete() throws {
        let folder = Repository.root + "/experiments"
        let all = try Files.list(folder) + Files.list(folder + "/study").map { "study/" + $0 }
        let scripts = try all.filter { $0.hasSuffix(".lua") }.filter {
            try Files.readText("\(folder)/\($0)").contains("\n  smoke = ")
        }
        let stored = scripts.map { String($0.dropLast(4)).replacing("/", with: "-") }
        #expect(Set(stored) == Set(Self.names) && Self.names.count >= 6)
    }

    @Test("exactly the committed tables, with the reference instruction set", arguments: names)
    func exact(name: String) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let script = name.replacing("study-", with: "study/")
        let outcome = try program.run(
            ["--quiet", "--smoke", "--out", "o", "\(Repository.root)/experiments/\(script).lua"],
            environment: Self.settings)
        if outcome.errors.contains("this CPU does not have") {
            return print("reference results of \(name): 0 of 1 checks (no AVX2 here)")
        }
        #expect(outcome.code == 0, "\(outcome.summary)")
        for table in try Files.list("\(Self.folder)/\(name)") {
            let lines = try Files.readText("\(program.folder)/o/results/tables/\(table)").split(separator: "\n")
            // A last column that names runs has ids of this build.
            let cut = lines.first?.hasSuffix(",runs") == true ? 1 : 0
            let made = lines.filter { !$0.contains("seconds,") }.map { line -> String in
                let cells = line.split(separator: ",", omittingEmptySubsequences: false).dropLast(cut)
                return cells.joined(separator: ",") + "\n"
            }.joined()
            #expect(try made == Files.readText("\(Self.folder)/\(name)/\(table)"), "\(name)/\(table)")
        }
    }

    @Test("near them with whatever this machine has: means within 0.02", arguments: ["ablation", "table1"])
    func near(name: String) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let script = "\(Repository.root)/experiments/\(name).lua"
        let outcome = try program.run(["--quiet", "--smoke", "--out", "o", script])
        #expect(outcome.code == 0, "\(outcome.summary)")
        for table in try Files.list("\(Self.folder)/\(name)") {
            let made = try rows(Files.readText("\(program.folder)/o/results/tables/\(table)"))
            let wanted = try rows(Files.readText("\(Self.folder)/\(name)/\(table)"))
            #expect(made.map(\.name) == wanted.map(\.name) && !wanted.isEmpty)
            for (a, b) in zip(made, wanted) { #expect(abs(a.mean - b.mean) <= 0.02, "\(table): \(a.name)") }
        }
    }

    /// Row, metric and mean of every line of a table's CSV.
    private func rows(_ text: String) throws -> [(name: String, mean: Double)] {
        let lines = text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        let head = try #require(lines.first).map(String.init)
        let mean = try #require(head.firstIndex(of: "mean"))
        let offset = head.count - mean  // names of rows may hold commas
        return lines.dropFirst().compactMap { line in
            // Lines without a mean are facts: counts, cited figures.
            Double(line[line.count - offset]).map { (line.dropLast(offset).joined(separator: ","), $0) }
        }
    }
}
