import BSSCodecs
import BSSCore
import Testing

@testable import BSSData

@Suite struct CSVTests {
    private func table(_ text: String) throws -> CSVTable { try CSVTable(text: Array(text.utf8), source: "t.csv") }

    @Test func quotesLineBreaksAndEndings() throws {
        let t = try table("\u{FEFF}a,b,c\r\n1,\"x, \"\"y\"\"\",\r\n2,\"two\nlines\",é\n\n3,,z")
        #expect(t.columns == ["a", "b", "c"])
        #expect(t.rows == [["1", "x, \"y\"", ""], ["2", "two\nlines", "é"], ["3", "", "z"]])
        #expect(t.lines == [2, 3, 6])
        #expect(try t.integers("a") == [1, 2, 3])
        #expect(try CSVTable(text: Array("a\tb\n1\t2".utf8), source: "t", separator: "\t").rows == [["1", "2"]])
    }

    @Test func mistakesNameTheLine() {
        #expect(message { _ = try table("a,b\n1,2\n3\n") } == "read csv: t.csv: line 3 has 1 fields, the header has 2")
        #expect(message { _ = try table("a\n\"1\n2\n") }.contains("line 2: a quote is opened and never closed"))
        #expect(message { _ = try table("a\n\"1\"x\n") }.contains("line 2: text after a closing quote"))
        #expect(message { _ = try table("a,a\n") }.contains("column 'a' is named twice"))
        #expect(message { _ = try table("") }.contains("is empty"))
        #expect(
            message { _ = try table("label\n1\nx\n").integers("label") }.contains(
                "line 3, column 'label': an integer was expected, got 'x'"))
        #expect(message { _ = try table("label\n1\n").strings("lable") }.contains("did you mean 'label'?"))
    }

    @Test func theLastEmptyQuotedFieldCounts() throws {
        #expect(try table("a\n\"\"\n").rows == [[""]])
    }
}
