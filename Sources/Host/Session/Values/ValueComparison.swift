import BSSCore

/// How far two results may be apart: |got − expected| ≤ atol + rtol · |expected|. Zero by default, because equal seeds
/// give equal bits on one kind of machine.
public struct Tolerance {
    public var relative: Double
    public var absolute: Double
    public init(relative: Double = 0, absolute: Double = 0) {
        self.relative = relative
        self.absolute = absolute
    }
    public var isExact: Bool { relative == 0 && absolute == 0 }

    func accepts(_ got: Double, _ expected: Double, scale: Double? = nil, rounding: Double = 0) -> Bool {
        if got == expected || (got.isNaN && expected.isNaN) { return true }
        guard !isExact else { return false }
        return abs(got - expected) <= absolute + relative * max(abs(expected), scale ?? 0) + rounding
    }
}

/// Where two results differ.
public struct ValueDifference {
    /// `value.list[3].accuracy`; empty: the result as a whole.
    public var path: String
    public var expected: String
    public var got: String
}

struct ValueComparison {
    let tolerance: Tolerance

    /// Compares two typed lines; nil: equal within the tolerance.
    func difference(expected: String, got: String) -> ValueDifference? {
        // Lines that are no JSON are compared as the texts that they are.
        guard let a = (try? JSON.parse(expected))?.table, let b = (try? JSON.parse(got))?.table else {
            return expected == got ? nil : ValueDifference(path: "", expected: expected, got: got)
        }
        let kinds = (a["kind"]?.string ?? "?", b["kind"]?.string ?? "?")
        if kinds.0 != kinds.1 { return ValueDifference(path: "", expected: short(expected), got: short(got)) }
        // What objects say of themselves is text with numbers in it; a Lua string is exactly that string.
        return compare(.table(a), .table(b), path: "", textIsExact: ["string", "error", "table"].contains(kinds.0))
    }

    private func compare(
        _ expected: Value, _ got: Value, path: String, scale: Double? = nil, textIsExact: Bool
    ) -> ValueDifference? {
        let different = ValueDifference(
            path: path, expected: short(TypedValue.text(expected)), got: short(TypedValue.text(got)))
        switch (expected, got) {
        case (.int(let a), .int(let b)): return a == b ? nil : different
        case (.number(let a), .number(let b)): return tolerance.accepts(b, a, scale: scale) ? nil : different
        case (.bool(let a), .bool(let b)): return a == b ? nil : different
        case (.null, .null): return nil
        case (.string(let a), .string(let b)):
            if a == b { return nil }
            if textIsExact { return different }
            return textDifference(expected: a, got: b).map {
                ValueDifference(path: path, expected: $0.expected, got: $0.got)
            }
        case (.table(let a), .table(let b)): return compare(a, b, path, different, textIsExact)
        default: return different
        }
    }

    private func compare(
        _ a: Table, _ b: Table, _ path: String, _ different: ValueDifference, _ textIsExact: Bool
    ) -> ValueDifference? {
        for i in 0..<min(a.items.count, b.items.count) {
            if let found = compare(a.items[i], b.items[i], path: "\(path)[\(i + 1)]", textIsExact: textIsExact) {
                return found
            }
        }
        guard a.items.count == b.items.count else {
            return ValueDifference(path: path, expected: "\(a.items.count) entries", got: "\(b.items.count) entries")
        }
        // Statistics are compared against the size of the values they are about: a mean near zero is no reason to fail.
        let scale = a["weighted_mean"] == nil ? nil : max(abs(a["min"]?.double ?? 0), abs(a["max"]?.double ?? 0))
        for (key, value) in a.fields {
            guard let other = b[key] else {
                return ValueDifference(path: joined(path, key), expected: short(TypedValue.text(value)), got: "nothing")
            }
            if !tolerance.isExact, key == "sha256" || key == "parameters_hash" { continue }
            let factor = key == "weighted_mean" ? 49.0 : 1
            if let found = compare(
                value, other, path: joined(path, key), scale: scale.map { $0 * factor }, textIsExact: textIsExact)
            {
                return found
            }
        }
        if let extra = b.fields.first(where: { a[$0.key] == nil }) {
            return ValueDifference(
                path: joined(path, extra.key), expected: "nothing", got: short(TypedValue.text(extra.value)))
        }
        return nil
    }

    private func joined(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
    private func short(_ text: String) -> String { text.count > 200 ? String(text.prefix(200)) + "…" : text }

    // MARK: Text

    /// Line by line; times and addresses do not count, and with a tolerance numbers are compared as numbers.
    func textDifference(expected: String, got: String) -> ValueDifference? {
        let a = StableText.masked(expected).split(separator: "\n", omittingEmptySubsequences: false)
        let b = StableText.masked(got).split(separator: "\n", omittingEmptySubsequences: false)
        for i in 0..<max(a.count, b.count) {
            let (x, y) = (i < a.count ? String(a[i]) : nil, i < b.count ? String(b[i]) : nil)
            if let x, let y, lineIsEqual(x, y) { continue }
            return ValueDifference(
                path: "line \(i + 1)", expected: x.map { short($0) } ?? "nothing", got: y.map { short($0) } ?? "nothing"
            )
        }
        return nil
    }

    private func lineIsEqual(_ expected: String, _ got: String) -> Bool {
        if expected == got { return true }
        guard !tolerance.isExact else { return false }
        let a = NumbersInText(expected)
        let b = NumbersInText(got)
        return a.words == b.words && numbersAgree(a, b)
    }

    /// The numbers that two texts show: nil if they agree or the texts are laid out differently.
    /// - Parameter isRounded: the texts show values that were found close enough, not equal: their last digits may then
    ///   fall on either side.
    func shownNumbersDifference(expected: String, got: String, isRounded: Bool) -> ValueDifference? {
        let a = NumbersInText(StableText.masked(expected))
        let b = NumbersInText(StableText.masked(got))
        guard a.numbers.count == b.numbers.count,
            let i = a.numbers.indices.first(where: { !agree(a, b, $0, isRounded: isRounded) })
        else { return nil }
        return ValueDifference(path: "shown text, number \(i + 1)", expected: a.texts[i], got: b.texts[i])
    }

    private func numbersAgree(_ a: NumbersInText, _ b: NumbersInText) -> Bool {
        a.numbers.count == b.numbers.count && a.numbers.indices.allSatisfy { agree(a, b, $0) }
    }

    private func agree(_ a: NumbersInText, _ b: NumbersInText, _ i: Int, isRounded: Bool = false) -> Bool {
        if a.texts[i] == b.texts[i] { return true }
        if a.isInteger(i), b.isInteger(i) { return false }
        return tolerance.accepts(
            b.numbers[i], a.numbers[i], rounding: isRounded ? max(a.places[i], b.places[i]) : 0)
    }
}

/// A text as words and decimal numbers.
struct NumbersInText {
    private(set) var numbers: [Double] = []
    private(set) var texts: [String] = []
    /// One unit of the last digit shown.
    private(set) var places: [Double] = []
    /// Shown without point and exponent: counts, epochs, labels; no tolerance is about those.
    func isInteger(_ i: Int) -> Bool { texts[i].utf8.allSatisfy { (48...57).contains($0) || $0 == 45 || $0 == 43 } }
    /// Everything else, blanks folded.
    private(set) var words = ""

    init(_ text: String) {
        let bytes = Array(text.utf8)
        var at = 0
        func isDigit(_ i: Int) -> Bool { i < bytes.count && (48...57).contains(bytes[i]) }
        func isWordByte(_ i: Int) -> Bool {
            i >= 0 && i < bytes.count
                && (isDigit(i) || (65...90).contains(bytes[i] & 0xDF) || bytes[i] == 95 || bytes[i] >= 128)
        }
        var other: [UInt8] = []
        while at < bytes.count {
            let isSigned = (bytes[at] == 45 || bytes[at] == 43) && isDigit(at + 1) && !isWordByte(at - 1)
            guard isSigned || (isDigit(at) && !isWordByte(at - 1)) else {
                if bytes[at] != 32 || other.last != 32 { other.append(bytes[at]) }
                at += 1
                continue
            }
            let start = at
            if isSigned { at += 1 }
            while isDigit(at) { at += 1 }
            var decimals = 0
            if at < bytes.count, bytes[at] == 46, isDigit(at + 1) {
                at += 1
                while isDigit(at) {
                    at += 1
                    decimals += 1
                }
            }
            var exponent = 0
            if at < bytes.count, bytes[at] | 0x20 == 101 {
                let sign = at + 1 < bytes.count && (bytes[at + 1] == 45 || bytes[at + 1] == 43) ? 1 : 0
                if isDigit(at + 1 + sign) {
                    let from = at + 1
                    at += 1 + sign
                    while isDigit(at) { at += 1 }
                    exponent = Int(String(decoding: bytes[from..<at], as: UTF8.self)) ?? 0
                }
            }
            let shown = String(decoding: bytes[start..<at], as: UTF8.self)
            texts.append(shown)
            numbers.append(Double(shown) ?? .nan)
            places.append(Math.pow(10, Double(exponent - decimals)))
            other.append(0)  // the place of a number
        }
        words = String(decoding: other, as: UTF8.self)
    }
}
