import BSSCodecs
import BSSCore

/// A dataset that is being put together: what a loader has read, before it is checked.
struct DatasetDraft: ~Copyable {
    /// Labels as a file stores them.
    enum Labels {
        case integers([Int])
        case texts([String])
        var count: Int {
            switch self {
            case .integers(let i): return i.count
            case .texts(let t): return t.count
            }
        }

        /// Those of some rows.
        func picked(_ rows: [Int]) -> Labels {
            switch self {
            case .integers(let i): return .integers(rows.map { i[$0] })
            case .texts(let t): return .texts(rows.map { t[$0] })
            }
        }

        /// A column of integers, or of text; one that begins with an integer is one of integers, text in it is a
        /// mistake.
        init(_ table: CSVTable, column: String) throws {
            guard table.has(column) else {
                throw BSSError(
                    "labels", "\(table.source): no column '\(column)'",
                    hint: "option 'label' names the column of labels: one of \(table.columnsListed)", kind: .data)
            }
            let texts = try table.strings(column)
            self = Int(texts.first ?? "") == nil ? .texts(texts) : .integers(try table.integers(column))
        }
    }

    struct Classes {
        var indices: [Int], stored: [Value], names: [String]
    }

    /// `bss.data.mosi`, for messages.
    let operation: String
    let name: String
    var modalities: [Modality] = []
    /// The file that each modality came from, for messages.
    var origins: [String] = []
    var labels = Labels.integers([])
    var labelOrigin = "labels"
    var labelNames: [Int: String] = [:]
    /// Every class, where the collection defines them: some may have no sample here.
    var declaredClasses: [Int]?
    var skipped: [RowProblem] = []
    var loading = Dataset.Loading()
    var ids: [String] = []
    var splits: [SplitName] = []
    var truth: ImbalanceTruth?
    /// Modalities whose loader has scaled them already.
    var scaled: Set<String> = []
    var files: [FileRecord] = []
    var root: String?
    /// How a message names sample i: "row 14", "line 15".
    var rowName: (Int) -> String = { "row \($0 + 1)" }

    init(_ operation: String, name: String) {
        self.operation = operation
        self.name = name
    }

    /// - Throws: kind `.usage`: a modality reads what says the label.
    static func refuse(_ place: String, of name: String, asLabelOf labels: [String], _ a: Arguments) throws {
        guard labels.contains(place) else { return }
        throw BSSError(
            a.operation, "option 'modalities': '\(name)' has '\(place)', which says the label",
            hint: "a model would learn to copy it", kind: .usage)
    }

    func failure(_ message: String, hint: String? = nil) -> BSSError {
        BSSError(operation, message, hint: hint, kind: .data)
    }

    mutating func add(_ modality: Modality, from origin: String) {
        modalities.append(modality)
        origins.append(origin)
    }

    /// Classes in ascending order of their labels: integers by value, text by its bytes.
    func checkedClasses() throws -> Classes {
        switch labels {
        case .integers(let values):
            let known = declaredClasses ?? Set(values).sorted()
            let place = Dictionary(known.enumerated().map { ($1, $0) }, uniquingKeysWith: { a, _ in a })
            if let stray = values.firstIndex(where: { place[$0] == nil }) {
                throw failure(
                    "\(labelOrigin): \(rowName(stray)): label \(values[stray]) is none of the collection's classes")
            }
            return Classes(
                indices: values.compactMap { place[$0] }, stored: known.map { .int($0) },
                names: known.map { labelNames[$0] ?? String($0) })
        case .texts(let values):
            if let empty = values.firstIndex(of: "") {
                throw failure("\(labelOrigin): \(rowName(empty)): the label is empty")
            }
            let known = Set(values).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            let place = Dictionary(uniqueKeysWithValues: known.enumerated().map { ($1, $0) })
            return Classes(
                indices: values.compactMap { place[$0] }, stored: known.map { .string($0) }, names: known)
        }
    }

    /// Everything that a training relies on.
    func check(_ classes: Classes) throws {
        try checkNames()
        try checkLengths()
        try checkNumbers()
        try checkIds()
        try checkSplits(classes)
    }

    private func checkNames() throws {
        guard !modalities.isEmpty else { throw failure("no modality was named") }
        var seen: Set<String> = []
        for modality in modalities {
            let name = modality.name
            let isIdentifier = name.utf8.allSatisfy {
                $0 == 0x5F || (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
            }
            guard isIdentifier, let first = name.first, !first.isNumber else {
                throw failure("'\(name)' cannot name a modality: letters, digits and _ only, a letter first")
            }
            // These name other things in results and samples.
            if ["total", "fused", "id", "label", "class"].contains(name) {
                throw failure(
                    "a modality cannot be called '\(name)': the name has another meaning in results",
                    hint: name == "id" ? "id = \"id\" says that it holds the samples' ids" : nil)
            }
            guard seen.insert(name).inserted else { throw failure("modality '\(name)' is named twice") }
            guard modality.size > 0 else { throw failure("modality '\(name)' has an empty shape \(modality.shape)") }
        }
    }

    private func checkLengths() throws {
        let count = labels.count
        guard count > 0 else { throw failure("\(labelOrigin) holds no samples") }
        for (modality, origin) in zip(modalities, origins)
        where modality.stream == nil ? modality.values.count != count * modality.size : modality.count != count {
            throw failure(
                "\(origin) has \(modality.count) rows for '\(modality.name)', \(labelOrigin) has \(count): every "
                    + "modality needs a row for every label"
            )
        }
        guard ids.count == count, splits.count == count else {
            throw failure("\(ids.count) ids and \(splits.count) split entries for \(count) labels")
        }
    }

    private func checkNumbers() throws {
        for (modality, origin) in zip(modalities, origins) {
            let bad = modality.values.withUnsafeBufferPointer { values -> Int? in
                // The sum of absolute values is finite unless one of them is not (or overflows, which the search
                // settles).
                var sum: Float = 0
                for value in values { sum += abs(value) * 0x1p-60 }
                return sum.isFinite ? nil : values.firstIndex { !$0.isFinite }
            }
            guard let bad else { continue }
            let value = modality.values[bad]
            throw failure(
                "\(origin): \(rowName(bad / modality.size)), value \(bad % modality.size + 1) of '\(modality.name)' "
                    + "is \(Text.number(Double(value))); finite numbers were expected"
            )
        }
    }

    func checkIds() throws {
        var first: [String: Int] = [:]
        for (index, id) in ids.enumerated() {
            if let earlier = first.updateValue(index, forKey: id) {
                throw failure("\(labelOrigin): \(rowName(index)): the id '\(id)' is that of \(rowName(earlier)) too")
            }
        }
    }

    private func checkSplits(_ classes: Classes) throws {
        guard splits.contains(.train) else { throw failure("\(labelOrigin): no sample belongs to the split 'train'") }
        guard classes.names.count > 1 else {
            throw failure(
                "\(labelOrigin): every sample has the label \(classes.names[0]); two classes or more are needed")
        }
        if declaredClasses != nil { return }
        var isTrained = [Bool](repeating: false, count: classes.names.count)
        for (index, split) in splits.enumerated() where split == .train { isTrained[classes.indices[index]] = true }
        if let stray = classes.indices.indices.first(where: { !isTrained[classes.indices[$0]] }) {
            throw failure(
                "\(labelOrigin): \(rowName(stray)): label \(classes.names[classes.indices[stray]]) never occurs in "
                    + "the split 'train'"
            )
        }
    }

    // MARK: Filling in

    /// Moves a share of the training samples, drawn by class, to validation where there is none.
    mutating func hold(out share: Double, seed: Int) throws {
        guard share > 0 else { return }
        guard !splits.contains(.val) else {
            throw BSSError(
                operation, "option 'val' draws validation samples, but the collection has a validation split",
                hint: "set val = 0", kind: .usage)
        }
        let train = splits.indices.filter { splits[$0] == .train }
        guard case .integers(let labels) = labels else { return }
        let drawn = Splitting.stratified(train.map { labels[$0] }, val: share, test: 0, seed: seed)
        for (place, index) in train.enumerated() where drawn[place] == .val { splits[index] = .val }
    }

    /// Split names as a file gives them.
    mutating func setSplits(_ texts: [String], from origin: String) throws {
        splits = try texts.enumerated().map { index, text in
            guard let split = SplitName(text: text) else {
                throw failure("\(origin): \(rowName(index)): unknown split '\(text)'; train, val or test was expected")
            }
            return split
        }
    }
}
