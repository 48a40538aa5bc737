import Testing

@testable import BSSPrompt

@Suite struct TranscriptTests {
    @Test func promptsAreStripped() {
        #expect(
            Transcript.inputs("bss[3]> for i = 1, 2 do\n..> print(i)\n..> end\n1\n2") == [
                "for i = 1, 2 do\nprint(i)\nend"
            ])
        #expect(Transcript.inputs("> x = 1\n>> y") == ["x = 1\ny"])
        #expect(Transcript.inputs("> x = 1\n> x\n1\n> x + 1\n2") == ["x = 1", "x", "x + 1"])
        #expect(Transcript.inputs("x > 1") == ["x > 1"] && Transcript.inputs("a\n> b") == ["a\n> b"])
    }
}
