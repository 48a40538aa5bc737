/// Eight seeds of two methods, and the scores of two methods on three tasks: what the check values were computed from
/// (scipy 1.17, rliable 1.2, or enumeration).
enum Seeds {
    static let a = [0.7710, 0.7685, 0.7802, 0.7741, 0.7699, 0.7760, 0.7733, 0.7792]
    static let b = [0.7653, 0.7690, 0.7711, 0.7688, 0.7702, 0.7671, 0.7645, 0.7720]
    static let five = [0.7710, 0.7685, 0.7802, 0.7741, 0.7699]
    /// 5 runs × 3 tasks
    static let s = [
        0.10, 0.80, 0.55, 0.20, 0.90, 0.60, 0.15, 0.70, 0.95, 0.40, 0.85, 0.50, 0.35, 1.10, 0.65,
    ]
    static let t = [
        0.12, 0.70, 0.50, 0.18, 0.95, 0.55, 0.30, 0.60, 0.45, 0.05, 0.75, 0.70, 0.22, 0.65, 0.60,
    ]

    /// Equal to ten decimals, as the values were printed.
    static func agree(_ got: Double, _ printed: Double) -> Bool { abs(got - printed) <= 0.6e-10 }
}
