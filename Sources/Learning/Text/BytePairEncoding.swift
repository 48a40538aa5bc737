import BSSCore

/// Byte-level byte-pair encoding with an end-of-word suffix, as CLIP's vocabulary is made for.
///
/// NFC, white space to one blank, lower case; words by CLIP's pattern (contractions, runs of letters, single digits,
/// runs of other signs); a word's UTF-8 bytes, each shown as a printable character, are merged by rank.
///
/// Source: Sennrich, Haddow, Birch, ACL 2016; Radford et al., 2019 (bytes) and ICML 2021 (CLIP).
public final class BytePairEncoding: Tokenizer {
    private struct Pair: Hashable { let left, right: Int }

    private let merges: [Pair: (rank: Int, id: Int)]
    /// Ids of the 256 bytes inside a word and at its end.
    private let inner: [Int], last: [Int]
    private let suffix: [UInt8]

    /// `merges`: pairs in order of rank.
    /// - Throws: merges or bytes that the vocabulary lacks.
    public init(
        _ vocabulary: Vocabulary, merges pairs: [(left: String, right: String)], suffix: String = "</w>",
        markNames: [String: String] = [:], added: [AddedToken] = [], source: String
    ) throws {
        let defaults = [
            "unknown": "<|endoftext|>", "start": "<|startoftext|>", "end": "<|endoftext|>", "padding": "<|endoftext|>",
        ]
        let marks = try vocabulary.marks(
            markNames.merging(defaults) { own, _ in own }, needed: ["unknown", "start", "end", "padding"],
            source: source)
        var merges: [Pair: (rank: Int, id: Int)] = [:]
        for (rank, pair) in pairs.enumerated() {
            guard let left = vocabulary.id(pair.left), let right = vocabulary.id(pair.right),
                let id = vocabulary.id(pair.left + pair.right)
            else {
                throw BSSError(
                    "tokenizer",
                    "\(source): merge \(rank + 1), \"\(pair.left) \(pair.right)\", is not in the vocabulary",
                    kind: .data)
            }
            if merges[Pair(left: left, right: right)] == nil { merges[Pair(left: left, right: right)] = (rank, id) }
        }
        self.merges = merges
        self.suffix = Array(suffix.utf8)
        let unknown = marks["unknown"] ?? 0
        inner = (0..<256).map { vocabulary.id(ByteCharacters.shown[$0]) ?? unknown }
        last = (0..<256).map { vocabulary.id(ByteCharacters.shown[$0] + suffix) ?? unknown }
        super.init(
            vocabulary: vocabulary, marks: marks, added: added, pairSeparators: 2, normalize: CLIPWords.normalized)
    }

    override func normalized(_ text: [UnicodeScalar]) -> [UnicodeScalar] { CLIPWords.normalized(text) }
    override func pieces(_ normalized: [UnicodeScalar]) -> [Int] {
        CLIPWords.split(normalized).flatMap { merged(Array($0.string.utf8)) }
    }

    public override func text(of ids: [Int]) -> String {
        var bytes: [UInt8] = []
        for id in ids {
            var token = vocabulary.bytes(id)
            let ends =
                !suffix.isEmpty && token.count >= suffix.count && token.suffix(suffix.count).elementsEqual(suffix)
            if ends { token.removeLast(suffix.count) }
            for scalar in String(decoding: token, as: UTF8.self).unicodeScalars {
                if let byte = ByteCharacters.byte[scalar] { bytes.append(byte) }
            }
            if ends { bytes.append(0x20) }
        }
        if bytes.last == 0x20 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Merges the pair of lowest rank, leftmost first, until none is left.
    private func merged(_ word: [UInt8]) -> [Int] {
        guard let final = word.last else { return [] }
        var ids = word.dropLast().map { inner[Int($0)] } + [last[Int(final)]]
        var next = Array(1...ids.count)
        var previous = Array(-1..<ids.count - 1)
        var isGone = [Bool](repeating: false, count: ids.count)
        var queue = MergeQueue()
        func offer(_ at: Int) {
            guard at >= 0, next[at] < ids.count, let merge = merges[Pair(left: ids[at], right: ids[next[at]])] else {
                return
            }
            queue.push(.init(rank: merge.rank, at: at, left: ids[at], right: ids[next[at]]))
        }
        for at in ids.indices { offer(at) }
        while let entry = queue.pop() {
            let at = entry.at
            // An entry is stale when one of its two tokens has been merged meanwhile.
            guard !isGone[at], next[at] < ids.count, ids[at] == entry.left, ids[next[at]] == entry.right,
                let merge = merges[Pair(left: entry.left, right: entry.right)]
            else { continue }
            let gone = next[at]
            ids[at] = merge.id
            isGone[gone] = true
            next[at] = next[gone]
            if next[at] < ids.count { previous[next[at]] = at }
            offer(previous[at])
            offer(at)
        }
        return ids.indices.filter { !isGone[$0] }.map { ids[$0] }
    }
}

/// A binary heap of possible merges by rank, then position.
private struct MergeQueue {
    struct Entry {
        let rank, at, left, right: Int
        func isBefore(_ other: Entry) -> Bool { (rank, at) < (other.rank, other.at) }
    }
    private var heap: [Entry] = []

    mutating func push(_ entry: Entry) {
        heap.append(entry)
        var i = heap.count - 1
        while i > 0, heap[i].isBefore(heap[(i - 1) / 2]) {
            heap.swapAt(i, (i - 1) / 2)
            i = (i - 1) / 2
        }
    }

    mutating func pop() -> Entry? {
        guard let top = heap.first, let bottom = heap.popLast() else { return nil }
        if heap.isEmpty { return top }
        heap[0] = bottom
        var i = 0
        while true {
            var least = i
            for child in [2 * i + 1, 2 * i + 2] where child < heap.count && heap[child].isBefore(heap[least]) {
                least = child
            }
            if least == i { return top }
            heap.swapAt(i, least)
            i = least
        }
    }
}

/// GPT-2's printable stand-ins for the 256 bytes.
enum ByteCharacters {
    static let shown: [String] = {
        var extra: UInt32 = 256
        return (0..<256).map { (byte: UInt32) in
            if (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte) {
                return String(UnicodeScalar(UInt8(byte)))
            }
            defer { extra += 1 }
            return UnicodeScalar(extra).map { String($0) } ?? ""
        }
    }()
    static let byte: [UnicodeScalar: UInt8] = Dictionary(
        uniqueKeysWithValues: shown.enumerated().compactMap { byte, text in
            text.unicodeScalars.first.map { ($0, UInt8(byte)) }
        })
}
