import Testing

@testable import BSSSandbox

@Suite struct OutputFilterTests {
    private func filtered(_ bytes: [UInt8], pieces: Int = 1) -> String {
        var filter = OutputFilter()
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: max(1, bytes.count / pieces)) {
            out += filter.pass(bytes[start..<min(bytes.count, start + max(1, bytes.count / pieces))])
        }
        return String(decoding: out + filter.end(), as: UTF8.self)
    }

    @Test(
        "control codes, C1 codes, bytes that are no text and turned writing become visible; text stays",
        arguments: [
            ("plain\ttext\n", "plain\ttext\n"), ("ü→😀\r\n", "ü→😀\n"),
            ("\u{1B}[31mred\u{1B}]0;title\u{7}", "^[[31mred^[]0;title^G"),
            ("safe\rEVIL", "safe^MEVIL"), ("a\u{9B}31m", "a\\u{9b}31m"), ("\u{202E}txt.exe", "\\u{202e}txt.exe"),
            ("\u{0}\u{7F}", "^@^?"), ("end\r", "end^M"),
        ])
    func visible(_ text: String, _ wanted: String) {
        for pieces in [1, 2, 100] { #expect(filtered(Array(text.utf8), pieces: pieces) == wanted) }
    }

    @Test("bytes that are no UTF-8")
    func noText() {
        #expect(filtered([0x9B, 0x33, 0x31, 0x6D]) == "\\x9b31m")
        #expect(filtered([0xE2, 0x82]) == "\\xe2\\x82")
        #expect(filtered([0xE2, 0x1B, 0x5B]) == "\\xe2^[[")
        #expect(filtered([0xED, 0xA0, 0x80]) == "\\xed\\xa0\\x80")
        #expect(filtered([0xC0, 0x80, 0xFF]) == "\\xc0\\x80\\xff")
    }

    @Test("whatever comes, no control byte leaves")
    func random() {
        var state: UInt64 = 1
        for _ in 0..<200 {
            let bytes = (0..<64).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 33)
            }
            let shown = filtered(bytes, pieces: 7)
            #expect(
                shown.unicodeScalars.allSatisfy {
                    $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) || $0 == "\n" || $0 == "\t"
                })
        }
    }
}
