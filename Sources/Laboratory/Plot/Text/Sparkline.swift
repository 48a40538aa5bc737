import BSSCore

/// A curve in one line of text.
public enum Sparkline {
    /// At most `columns` characters; more values become means of neighbours. Values that are not finite leave a blank.
    public static func text(_ values: [Double], columns: Int = 20, on display: Display) -> String {
        let blocks = Array(display.isUnicode ? "▁▂▃▄▅▆▇█" : "_.-=^")
        let count = min(values.count, max(columns, 1))
        let means = (0..<count).map { k -> Double in
            let part = values[k * values.count / count..<(k + 1) * values.count / count].filter(\.isFinite)
            return part.isEmpty ? .nan : Math.mean(part)
        }
        let finite = means.filter(\.isFinite)
        guard let low = finite.min(), let high = finite.max() else { return String(repeating: " ", count: count) }
        return String(
            means.map { value in
                guard value.isFinite else { return " " }
                return blocks[
                    high > low
                        ? min(Int(saturating: (value - low) / (high - low) * Double(blocks.count)), blocks.count - 1)
                        : 0]
            })
    }
}
