import BSSCore

/// Where the splits of one's own samples come from: what the files say, or a draw.
struct SplitOptions {
    let split: Argument<Value>
    let group: Argument<String?>
    let seed = Argument<Int>("seed", default: 1, "seed of drawn splits", check: .anyInteger)
    /// What stands for `split` where the option is not given.
    let usual: String

    /// - Parameter place: what the names of options name: "column", "array", "file".
    init(_ place: String, usual: String = "split") {
        self.usual = usual
        split = Argument(
            "split", default: .null,
            "the \(place) of splits (train, val, test), or fractions {train = 0.7, val = 0.1, test = 0.2} drawn by "
                + "class; without it '\(usual)' where there is one, else those fractions")
        group = Argument(
            "group", default: nil,
            "the \(place) of groups (speaker, patient): drawn splits have no group in two of them, "
                + "and splits of the files are checked for it")
    }

    var arguments: [any AnyArgument] { [split, group, seed] }

    private static var standard: Table {
        Table(fields: [
            ("train", .number(0.7)), ("val", .number(0.1)), ("test", .number(0.2)),
        ])
    }

    /// Names or draws the splits of a draft that has its labels.
    /// - Parameter texts: the column (array, file) of a name, and what messages call it.
    func apply(
        _ a: Arguments, to draft: inout DatasetDraft, hasUsual: Bool,
        _ texts: (String) throws -> (texts: [String], origin: String)
    ) throws {
        let groups = try a[group].map { try texts($0) }
        if let (texts, origin) = groups {
            guard texts.count == draft.labels.count else {
                throw draft.failure("\(origin) has \(texts.count) groups for \(draft.labels.count) labels")
            }
            if let empty = texts.firstIndex(of: "") {
                throw draft.failure("\(origin): \(draft.rowName(empty)): the group is empty")
            }
        }
        func name(_ column: String) throws {
            let (names, origin) = try texts(column)
            try draft.setSplits(names, from: origin)
            if let groups { try check(groups.texts, draft) }
        }
        switch a[split] {
        case .table(let fractions): try draw(fractions, groups?.texts, a, &draft)
        case .string(let column): try name(column)
        case .null where hasUsual: try name(usual)
        case .null: try draw(SplitOptions.standard, groups?.texts, a, &draft)
        case let other:
            throw BSSError(
                a.operation, "option 'split' expects a name or a table of fractions, got \(other.described)",
                kind: .usage)
        }
    }

    private func draw(_ table: Table, _ groups: [String]?, _ a: Arguments, _ draft: inout DatasetDraft) throws {
        let (val, test) = try Splitting.fractions(table, operation: a.operation)
        let classes = try draft.checkedClasses().indices
        draft.splits =
            try groups.map {
                try Splitting.grouped(classes, $0, val: val, test: test, seed: a[seed], a.operation)
            } ?? Splitting.stratified(classes, val: val, test: test, seed: a[seed])
    }

    private func check(_ groups: [String], _ draft: borrowing DatasetDraft) throws {
        guard groups.count == draft.splits.count else { return }
        var first: [String: Int] = [:]
        for (index, group) in groups.enumerated() {
            let earlier = first[group] ?? index
            first[group] = earlier
            if draft.splits[earlier] != draft.splits[index] {
                throw draft.failure(
                    "\(draft.rowName(index)): the group '\(group)' is in \(draft.splits[index].rawValue), "
                        + "\(draft.rowName(earlier)) has it in \(draft.splits[earlier].rawValue)",
                    hint: "split = {train = …} draws splits that keep groups together")
            }
        }
    }
}
