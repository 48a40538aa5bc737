import BSSCore

/// The epochs in which a method acts: `from_epoch` to `to_epoch`, both included.
struct EpochWindow: OptionGroup {
    @Option<Int> var first: Int
    @Option<Int?> var last: Int?

    init() { self.init(to: nil) }

    /// `released`: the bound of the authors' code, as t.
    init(to end: Int? = nil, released: Int? = nil) {
        let note = released.map { " (released: \($0))" } ?? ""
        _first = Option(
            wrappedValue: 0, "from_epoch", "first epoch t in which it acts, counted from 0", .atLeast(0))
        _last = Option(
            wrappedValue: end, "to_epoch",
            "last epoch t in which it acts\(note)" + (end == nil ? "; by default the last of all" : ""),
            .optional(.atLeast(0)))
    }

    /// - Throws: a window that ends before it begins.
    func check(_ operation: String) throws {
        guard let last, first > last else { return }
        throw BSSError(operation, "from_epoch = \(first) comes after to_epoch = \(last)", kind: .usage)
    }

    func contains(_ epoch: Int) -> Bool { epoch >= first && epoch <= last ?? .max }
}
