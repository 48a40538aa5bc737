import BSSCore

extension Figure {
    /// What the figure shows, in a sentence: the alternative text of its drawings.
    public var inWords: String {
        let axes = [yLabel, xLabel].filter { !$0.isEmpty }.joined(separator: " over ")
        let about = [title, axes].filter { !$0.isEmpty }.joined(separator: ": ")
        let names = series.map(\.name).filter { !$0.isEmpty }
        let many = names.count > 8 ? ["\(names.count) series"] : names
        return [kind.noun + (about.isEmpty ? "" : " of \(about)"), many.joined(separator: ", "), extent]
            .filter { !$0.isEmpty }.joined(separator: "; ")
    }

    /// `from 0.2556 to 0.9`
    private var extent: String {
        let values = series.flatMap { $0.y }.filter(\.isFinite)
        guard let low = values.min(), let high = values.max() else { return "no values" }
        return "\(kind == .histogram ? "counts" : "values") from \(Text.format("%.4g", low)) to "
            + Text.format("%.4g", high)
    }
}

extension Figure.Kind {
    fileprivate var noun: String {
        switch self {
        case .line: return "line chart"
        case .scatter: return "scatter plot"
        case .bar: return "bar chart"
        case .histogram: return "histogram"
        case .heatmap: return "heat map"
        case .box: return "box plot"
        case .forest: return "forest plot"
        }
    }
}
