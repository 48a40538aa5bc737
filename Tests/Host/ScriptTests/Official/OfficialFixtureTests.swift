import BSSCore
import Testing
import _BSSTestSupport

/// Every case of `official/`: the numbers of the methods' authors' own code (its README says what is right).
@Suite(.oneAtATime) struct OfficialFixtureTests {
    @Test("every case gives the numbers of the authors' code")
    func cases() throws {
        guard Files.exists(FixtureFolder.location + "/official/index.json") else {
            return FixtureFolder.reportAbsence("official")
        }
        let cases = try OfficialCase.all()
        var failed = 0
        for item in cases {
            let found: [String]
            do { found = try OfficialRun(item).failures() } catch { found = ["\(error)"] }
            if found.isEmpty { continue }
            failed += 1
            let more = found.count > 3 ? "; and \(found.count - 3) more" : ""
            Issue.record("\(item.name): \(found.prefix(3).joined(separator: "; "))\(more)")
        }
        let kinds = Dictionary(cases.map { ($0.kind, 1) }, uniquingKeysWith: +).sorted { $0.key < $1.key }
        print(
            "official: \(cases.count - failed) of \(cases.count) agree ("
                + kinds.map { "\($0.value) \($0.key)" }.joined(separator: ", ") + ")")
    }
}
