import Glibc

/// Text forms that results rely on: shortest round-trip numbers, aligned columns, suggestions.
public enum Text {
    /// The shortest decimal that reads back as the same double; integers without a fraction part.
    public static func number(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        if value == value.rounded(), abs(value) < 1e15 {
            return value == 0 && value.sign == .minus ? "-0" : String(Int(value))
        }
        return value.description
    }

    /// `%.<digits>f`
    public static func fixed(_ value: Double, _ digits: Int) -> String { format("%.*f", Int32(digits), value) }

    /// C's `printf` formatting.
    public static func format(_ format: String, _ arguments: any CVarArg...) -> String {
        withVaList(arguments) { list in
            var buffer = [CChar](repeating: 0, count: 256)
            let length = Int(vsnprintf(&buffer, buffer.count, format, list))
            return length < buffer.count
                ? String(cString: buffer)
                : withVaList(arguments) { again in
                    buffer = [CChar](repeating: 0, count: length + 1)
                    vsnprintf(&buffer, buffer.count, format, again)
                    return String(cString: buffer)
                }
        }
    }

    public static func padded(_ text: String, to width: Int, right: Bool = false) -> String {
        let missing = width - text.count
        guard missing > 0 else { return text }
        let blank = String(repeating: " ", count: missing)
        return right ? blank + text : text + blank
    }

    /// RFC 4648.
    public static func base64(_ bytes: [UInt8]) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let piece = bytes[start..<min(start + 3, bytes.count)]
            let bits = piece.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - piece.count))
            for k in 0..<4 { out.append(k <= piece.count ? letters[bits >> (18 - 6 * k) & 63] : UInt8(ascii: "=")) }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The known name closest to what was typed, if it is close enough to be a slip (edit distance with swaps).
    public static func nearest(to typed: String, in known: [String]) -> String? {
        allNearest(to: typed, in: known).first
    }

    /// Every known name that is as close as the closest one.
    public static func allNearest(to typed: String, in known: [String]) -> [String] {
        let limit = max(1, min(3, typed.count / 3 + 1))
        let scored = known.map { (name: $0, distance: distance(Array(typed.lowercased()), Array($0.lowercased()))) }
        guard let best = scored.map(\.distance).min(), best <= limit else {
            return known.filter { $0.hasPrefix(typed) && typed.count >= 2 }.prefix(1).map { $0 }
        }
        return scored.filter { $0.distance == best }.map(\.name)
    }

    /// Optimal string alignment distance: insertions, deletions, substitutions, swaps of neighbours.
    private static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var d = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
        for i in 0...a.count { d[i][0] = i }
        for j in 0...b.count { d[0][j] = j }
        for i in stride(from: 1, through: a.count, by: 1) {
            for j in stride(from: 1, through: b.count, by: 1) {
                let same = a[i - 1] == b[j - 1] ? 0 : 1
                d[i][j] = min(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + same)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1)
                }
            }
        }
        return d[a.count][b.count]
    }
}
