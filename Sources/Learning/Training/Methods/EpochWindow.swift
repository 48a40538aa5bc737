import BSSCore

/// The epochs t, counted from 0, in which a method acts: `from_epoch` to `to_epoch`, both included.
struct EpochWindow {
    private let first = Argument(
        "from_epoch", default: 0, "first epoch t in which it acts, counted from 0", check: .atLeast(0))
    private let last: Argument<Int?>
    var arguments: [any AnyArgument] { [first, last] }

    /// `released`: the bound of the authors' code, as t.
    init(to end: Int? = nil, released: Int? = nil) {
        let note = released.map { " (released: \($0))" } ?? ""
        last = Argument(
            "to_epoch", default: end,
            "last epoch t in which it acts\(note)" + (end == nil ? "; by default the last of all" : ""),
            check: Check("at least 0") { $0 ?? 0 >= 0 })
    }

    /// - Throws: a window that ends before it begins.
    func callAsFunction(_ a: Arguments) throws -> ClosedRange<Int> {
        let end = a[last] ?? Int.max
        guard a[first] <= end else {
            throw BSSError(a.operation, "from_epoch = \(a[first]) comes after to_epoch = \(end)", kind: .usage)
        }
        return a[first]...end
    }
}
