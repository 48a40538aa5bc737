import BSSCore

/// The interval an axis shows, and its ticks at round numbers.
struct Axis {
    struct Bounds {
        let isLog: Bool
        private(set) var low = Double.infinity
        private(set) var high = -Double.infinity
        /// Every value is a whole number: epochs, ranks, sizes.
        private(set) var isWhole = true
        init(isLog: Bool) { self.isLog = isLog }

        mutating func add(_ value: Double) {
            guard value.isFinite, !isLog || value > 0 else { return }
            if value < low { low = value }
            if value > high { high = value }
            if value != value.rounded() { isWhole = false }
        }
    }

    /// How the ends relate to the data.
    enum Fit {
        /// The ends are the data's.
        case tight
        /// The data's and a little room.
        case loose
        /// The next round numbers.
        case round
    }

    let low: Double
    let high: Double
    let isLog: Bool
    let ticks: [(value: Double, label: String)]

    init(_ bounds: Bounds, _ scale: Figure.Scale, count: Int, fit: Fit) {
        isLog = scale.isLog
        var low = bounds.low
        var high = bounds.high
        if !(low <= high) { (low, high) = isLog ? (1, 10) : (0, 1) }
        if let range = scale.range { (low, high) = (range.lowerBound, range.upperBound) }
        let count = max(count, 1)
        let fit = scale.range == nil ? fit : .tight
        if isLog {
            (self.low, self.high, ticks) = Axis.logarithmic(low, high, count: count, fit: fit)
        } else {
            // From 0 to 1 it may be a share as well.
            let isCount = bounds.isWhole && fit == .tight && high - low >= 1 && high > 1
            let least = isCount ? 1.0 : 0
            (self.low, self.high, ticks) = Axis.linear(low, high, count: count, fit: fit, least: least)
        }
    }

    /// 0 at the low end, 1 at the high end; limited far outside, so that drawings can compute with it.
    func fraction(_ value: Double) -> Double {
        let place =
            isLog ? (Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low)) : (value - low) / (high - low)
        return min(max(place, -1e6), 1e6)
    }

    /// Steps of 1, 2 or 5 times a power of ten.
    static func step(_ span: Double, count: Int) -> Double {
        let rough = span / Double(count)
        let unit = Math.pow(10, Math.log10(rough).rounded(.down))
        return unit * ([1, 2, 5, 10].first { $0 * unit >= rough * 0.999 } ?? 10)
    }

    /// - Parameter least: the smallest step: whole numbers have no ticks between them.
    private static func linear(
        _ low: Double, _ high: Double, count: Int, fit: Fit, least: Double
    ) -> (Double, Double, [(Double, String)]) {
        var low = max(low, -1e300)
        var high = min(high, 1e300)
        let isConstant = high - low < 1e-12 * max(abs(low), abs(high), 1e-290)
        if isConstant {
            let margin = max(abs(high) * 0.1, 0.5)
            (low, high) = (low - margin, high + margin)
        }
        if fit == .loose, !isConstant { (low, high) = (low - (high - low) * 0.03, high + (high - low) * 0.03) }
        var step = step(high - low, count: count)
        if fit != .round {
            // The ends are not round: a finer step where fewer than three ticks would lie between them.
            var finer = count
            while (high / step + 1e-9).rounded(.down) - (low / step - 1e-9).rounded(.up) < 2, finer < 4 * count {
                finer += 1
                step = Axis.step(high - low, count: finer)
            }
        }
        step = max(step, least)
        if fit == .round {
            (low, high) = ((low / step + 1e-9).rounded(.down) * step, (high / step - 1e-9).rounded(.up) * step)
        }
        let first = (low / step - 1e-9).rounded(.up)
        let steps = max(0, min(100, Int(saturating: ((high / step + 1e-9).rounded(.down) - first))))
        let values = (0...steps).map { (first + Double($0)) * step }
        return (low, high, values.map { ($0, label($0, step: step, largest: max(abs(low), abs(high)))) })
    }

    /// Decades, or 1, 2, 5 within a few of them.
    private static func logarithmic(
        _ low: Double, _ high: Double, count: Int, fit: Fit
    ) -> (Double, Double, [(Double, String)]) {
        var low = min(max(low, 1e-300), 1e300)
        var high = min(max(high, 1e-300), 1e300)
        if high / low < 1.0001 { (low, high) = (low / 2, high * 2) }
        let decades = Math.log10(high) - Math.log10(low)
        let mantissas: [Double] = decades * 3 <= Double(count) ? [1, 2, 5] : [1]
        let stride = max(1, Int(saturating: (decades / Double(count)).rounded(.up)))
        let first = Int(saturating: Math.log10(low).rounded(.down)) - 1
        let last = Int(saturating: Math.log10(high).rounded(.up)) + 1
        let candidates = (first...last).flatMap { power in mantissas.map { $0 * Math.pow(10, Double(power)) } }.filter {
            $0 > 0 && $0.isFinite
        }
        if fit == .round {
            low = candidates.last { $0 <= low * 1.000001 } ?? low
            high = candidates.first { $0 >= high * 0.999999 } ?? high
        }
        if fit == .loose { (low, high) = (low / Math.pow(high / low, 0.03), high * Math.pow(high / low, 0.03)) }
        let shown = candidates.filter { $0 >= low * 0.999999 && $0 <= high * 1.000001 }
        let kept = mantissas.count > 1 ? shown : shown.enumerated().filter { $0.offset % stride == 0 }.map(\.element)
        return (low, high, kept.map { ($0, short($0)) })
    }

    /// As many decimals as the step has; powers of ten for very large and very small numbers.
    private static func label(_ value: Double, step: Double, largest: Double) -> String {
        let value = abs(value) < step * 1e-6 ? 0 : value
        let power = Int(saturating: Math.log10(step * 1.000001).rounded(.down))
        if largest >= 1e6 || largest < 1e-3 {
            if value == 0 { return "0" }
            let digits = max(0, min(15, Int(saturating: Math.log10(abs(value)).rounded(.down)) - power))
            return tidy(Text.format("%.*e", Int32(digits), value))
        }
        return Text.fixed(value, max(0, -power))
    }

    /// Four significant digits.
    static func short(_ value: Double) -> String {
        let text = Text.format("%.4g", value)
        return text.contains("e") ? tidy(text) : text
    }

    /// `1.50e+06` → `1.5e6`
    private static func tidy(_ text: String) -> String {
        let parts = text.split(separator: "e", maxSplits: 1).map(String.init)
        guard parts.count == 2, let power = Int(parts[1]) else { return text }
        var mantissa = parts[0]
        while mantissa.contains("."), mantissa.hasSuffix("0") || mantissa.hasSuffix(".") {
            let wasPoint = mantissa.removeLast() == "."
            if wasPoint { break }
        }
        return "\(mantissa)e\(power)"
    }
}
