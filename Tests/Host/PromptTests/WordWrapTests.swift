import BSSCore
import Testing

@testable import BSSPrompt

@Suite struct WordWrapTests {
    @Test func breaksBetweenWordsBelowTheText() {
        let row = "  alpha       strength of the slowing, which the tanh turns into a factor"
        #expect(
            WordWrap.text(row, columns: 40) == """
                  alpha       strength of the slowing,
                              which the tanh turns into
                              a factor
                """)
        #expect(WordWrap.text("one two three four five six", columns: 24) == "one two three four five\nsix")
    }

    @Test func whatFitsStaysAsItIs() {
        for text in ["", "  a   b  ", "short\n\n  row       text", String(repeating: "x", count: 90)] {
            #expect(WordWrap.text(text, columns: 80) == text)
        }
    }

    /// A word alone is never cut, and columns are counted, not bytes.
    @Test func countsColumns() {
        let word = String(repeating: "é", count: 30)
        #expect(WordWrap.text("\(word) \(word)", columns: 60) == "\(word)\n\(word)")
        #expect(WordWrap.text("\(word) \(word)", columns: 61) == "\(word) \(word)")
    }
}
