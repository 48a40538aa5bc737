import BSSCodecs
import BSSCore
import Testing
import _BSSTestSupport

@Suite struct FixtureReaderTests {
    @Test func everyArrayOfEveryCaseReadsWithItsShapeAndType() throws {
        guard FixtureFolder.isPresent else { return FixtureFolder.reportAbsence("all groups") }
        let cases = try FixtureFolder.open().cases
        var arrays = 0
        for item in cases {
            for wanted in item.arrays {
                let array = try item.array(wanted.name)
                #expect(array.shape == wanted.shape && array.dtype == wanted.dtype, "\(item.id) \(wanted.name)")
                arrays += 1
            }
        }
        print("fixture reader: \(arrays) arrays of \(cases.count) cases")
        #expect(arrays > 0)
    }

    @Test func theRightNumbersPassAndWrongOnesFail() throws {
        guard FixtureFolder.isPresent else { return FixtureFolder.reportAbsence("comparison") }
        for item in try FixtureFolder.open().cases {
            for wanted in item.arrays where wanted.isResult && wanted.sigmas == nil {
                let reference = try item.array(wanted.name)
                #expect(try item.mismatch(wanted.name, reference) == nil, "\(item.id) \(wanted.name)")
                guard let numbers = reference.doubles, let at = numbers.firstIndex(where: \.isFinite) else { continue }
                var wrong = numbers
                wrong[at] += 1 + 1000 * abs(wrong[at]) + 100 * (numbers.filter(\.isFinite).map { abs($0) }.max() ?? 0)
                #expect(
                    try item.mismatch(wanted.name, NpyArray(wrong, shape: reference.shape)) != nil,
                    "\(item.id) \(wanted.name)")
            }
        }
    }
}
