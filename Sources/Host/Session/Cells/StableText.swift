/// Text that two equal runs have in common.
public enum StableText {
    /// What is stored and shown: escape sequences gone, lines as they stand after carriage returns and backspaces.
    public static func plain(_ text: String) -> String {
        var lines: [String] = []
        for line in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false) {
            lines.append(folded(withoutEscapes(line)))
        }
        return lines.joined(separator: "\n")
    }

    private static func withoutEscapes(_ line: Substring.UnicodeScalarView) -> [Unicode.Scalar] {
        var out: [Unicode.Scalar] = []
        var at = line.startIndex
        func next() -> Unicode.Scalar? {
            guard at < line.endIndex else { return nil }
            defer { at = line.index(after: at) }
            return line[at]
        }
        while let scalar = next() {
            guard scalar == "\u{1B}" else {
                if scalar.value >= 32 || scalar == "\t" || scalar == "\r" || scalar == "\u{8}" { out.append(scalar) }
                continue
            }
            switch next() {
            case "[": while let s = next(), !(0x40...0x7E).contains(s.value) {}
            case "]", "P", "_", "^":  // until BEL or ESC \
                while let s = next(), s != "\u{7}" {
                    if s == "\u{1B}" {
                        _ = next()
                        break
                    }
                }
            default: break
            }
        }
        return out
    }

    /// A carriage return goes back to the first column: what follows covers what was there.
    private static func folded(_ line: [Unicode.Scalar]) -> String {
        guard line.contains("\r") || line.contains("\u{8}") else { return String(String.UnicodeScalarView(line)) }
        var cells: [Unicode.Scalar] = []
        var column = 0
        for scalar in line {
            switch scalar {
            case "\r": column = 0
            case "\u{8}": column = max(0, column - 1)
            default:
                if column < cells.count { cells[column] = scalar } else { cells.append(scalar) }
                column += 1
            }
        }
        return String(String.UnicodeScalarView(cells))
    }

    private static let units: Set<String> = ["ns", "us", "µs", "μs", "ms", "s", "min", "h"]

    /// What differs between equal runs is masked: addresses (`0x55d0…`), durations (`3.1 s`) and clock times
    /// (`19:40:12`).
    /// - Parameter times: false: addresses only, as in the stored copy.
    public static func masked(_ text: String, times: Bool = true) -> String {
        var bytes = Array(text.utf8)[...]
        func isDigit(_ b: UInt8?) -> Bool { b.map { (48...57).contains($0) } ?? false }
        func isWord(_ b: UInt8?) -> Bool {
            b.map { isDigit($0) || (65...90).contains($0 & 0xDF) || $0 == 95 || $0 >= 128 } ?? false
        }
        var kept: [UInt8] = []
        while let first = bytes.first {
            guard isDigit(first), !isWord(kept.last) else {
                kept.append(first)
                bytes = bytes.dropFirst()
                continue
            }
            if first == 48, bytes.dropFirst().first == 0x78 {
                let digits = bytes.dropFirst(2).prefix { isDigit($0) || (65...70).contains($0 & 0xDF) }
                if digits.count >= 6 {
                    kept += Array("0x…".utf8)
                    bytes = bytes[digits.endIndex...]
                    continue
                }
            }
            if !times {
                kept.append(first)
                bytes = bytes.dropFirst()
                while isWord(bytes.first) { kept.append(bytes.removeFirst()) }
                continue
            }
            let number = bytes.prefix { isDigit($0) || $0 == 46 || $0 == 58 }
            var rest = bytes[number.endIndex...]
            if number.count(where: { $0 == 58 }) == 2, number.count >= 7 {
                kept += Array("…:…".utf8)
                bytes = rest
                continue
            }
            if rest.first == 32 { rest = rest.dropFirst() }
            let word = String(decoding: rest.prefix { isWord($0) }, as: UTF8.self)
            if units.contains(word), kept.last != 46 {
                kept += Array("…".utf8)
                bytes = bytes[number.endIndex...]
            } else {
                kept += Array(number)
                bytes = bytes[number.endIndex...]
            }
        }
        return String(decoding: kept, as: UTF8.self)
    }
}
