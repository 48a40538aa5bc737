import BSSCore

/// Outputs compared by value: numbers within a tolerance, everything else exactly.
public struct OutputComparison {
    /// Relative; absolute below 1.
    public var tolerance: Double

    public init(tolerance: Double = 1e-6) { self.tolerance = tolerance }

    /// nil: equal; else the first line that differs, both sides.
    public func difference(_ expected: [String], _ got: [String]) -> String? {
        for i in 0..<max(expected.count, got.count) {
            let left = i < expected.count ? expected[i] : nil, right = i < got.count ? got[i] : nil
            guard let left, let right, isEqual(left, right) else {
                return "line \(i + 1): expected \(left.map { "'\($0)'" } ?? "nothing"), got \(right.map { "'\($0)'" } ?? "nothing")"
            }
        }
        return nil
    }

    private func isEqual(_ left: String, _ right: String) -> Bool {
        if left == right { return true }
        let a = LuaLexer.tokens(left), b = LuaLexer.tokens(right)
        guard a.count == b.count else { return false }
        return zip(a, b).allSatisfy { x, y in
            if x.text == y.text { return true }
            guard x.kind == .number, y.kind == .number, let p = Double(x.text), let q = Double(y.text) else { return false }
            return abs(p - q) <= tolerance * max(1, max(abs(p), abs(q)))
        }
    }
}
