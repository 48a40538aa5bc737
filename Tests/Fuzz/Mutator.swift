import BSSCore

/// Changed copies of a corpus, each a function of seed and number.
struct Mutator {
    static let most = 1 << 16

    let stream: RandomStream
    let corpus: [[UInt8]]

    init(name: String, seed: UInt64, corpus: [[UInt8]]) {
        stream = RandomStream(seed: seed, name: "fuzz \(name)")
        self.corpus = corpus
    }

    private static let numbers: [UInt64] = [
        0, 1, 2, 7, 8, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 40,
        1 << 56,
        1 << 61, 1 << 62, 1 << 63 - 1, 1 << 63, .max,
    ]
    private static let words = [
        "-1", "0", "4611686018427387904", "9223372036854775807", "1e999", "nan", "(", "{", "[", "\"", "'", "\\u0000",
        "null",
        "\n", ",", "]]", "--[[", "..",
    ].map { Array($0.utf8) }

    func input(_ number: Int) -> [UInt8] {
        var random = stream.child(String(number))
        func below(_ n: Int) -> Int { n <= 1 ? 0 : Int(random.nextWord()) % n }
        var bytes = corpus[below(corpus.count)]
        for _ in 0..<1 + below(6) { change(&bytes, below) }
        return bytes.count > Mutator.most ? Array(bytes.prefix(Mutator.most)) : bytes
    }

    private func change(_ bytes: inout [UInt8], _ below: (Int) -> Int) {
        let count = bytes.count
        let at = below(count)
        let length = min(count - at, 1 + below(below(4) == 0 ? 64 : 8))
        switch below(12) {
        case 0 where count > 0: bytes[at] ^= 1 << UInt8(below(8))
        case 1 where count > 0: bytes[at] = UInt8(below(256))
        case 2 where count > 0: bytes[at] = [0, 1, 0x7F, 0x80, 0xFF, 0x20, 0x0A][below(7)]
        case 3 where count > 0: bytes.removeSubrange(at..<at + length)
        case 4: bytes.insert(contentsOf: (0..<1 + below(16)).map { _ in UInt8(below(256)) }, at: at)
        case 5: bytes.insert(contentsOf: Mutator.words[below(Mutator.words.count)], at: at)
        case 6 where count > 0:
            // A piece again, often, so that nesting grows.
            let piece = Array(bytes[at..<at + length])
            let times = [1, 2, 8, 64, 1024][below(5)]
            guard count + piece.count * times <= Mutator.most else { return }
            bytes.insert(contentsOf: (0..<times).flatMap { _ in piece }, at: at)
        case 7 where count > 0: bytes.removeSubrange(at...)
        case 8:
            // The rest of another input.
            let other = corpus[below(corpus.count)]
            bytes.replaceSubrange(min(at, bytes.count)..., with: other.dropFirst(below(other.count)))
        case 9 where count > 0:
            // Digits become another number.
            guard let start = bytes[at...].firstIndex(where: { (0x30...0x39).contains($0) }) else { return }
            let end = bytes[start...].firstIndex { !(0x30...0x39).contains($0) } ?? bytes.count
            bytes.replaceSubrange(start..<end, with: String(Mutator.numbers[below(Mutator.numbers.count)]).utf8)
        default:
            // A number of 2, 4 or 8 bytes in either order.
            let width = [2, 4, 8][below(3)]
            guard count >= width else { return }
            let value = Mutator.numbers[below(Mutator.numbers.count)] &+ UInt64(below(3)) &- 1
            let start = below(count - width + 1)
            let isBig = below(2) == 0
            for i in 0..<width {
                bytes[start + (isBig ? width - 1 - i : i)] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i))
            }
        }
    }
}
