import BSSCore

/// How scripts see a dataset.
extension Dataset: SelfHosted {
    public var objectType: ObjectType { Dataset.type }
    public func identityData() throws -> Value { .string(try treeHash) }
    public var byteCount: Int { modalities.reduce(0) { $0 + $1.values.count * MemoryLayout<Float>.size } }

    /// A modality's name gives its description.
    public func member(_ name: String) -> Value? {
        guard let modality = modalities.first(where: { $0.name == name }) else { return nil }
        return .fields([
            ("name", .string(name)), ("kind", .string(modality.kind.rawValue)),
            ("shape", .list(modality.shape.map { Value.int($0) })),
            ("standardised", .bool(modality.standardisation != nil)),
        ])
    }
    public var memberNames: [String] { modalities.map(\.name) }
    public func choices(of option: String) -> [String] { option == "modality" ? memberNames : [] }

    /// Sizes, classes, shapes, and the class counts of every split.
    public var summary: String {
        let sizes = SplitName.allCases.map { "\(indices($0).count) \($0.rawValue)" }.joined(separator: " / ")
        var lines = ["\(name): \(count) samples (\(sizes)), \(classCount) classes, \(modalities.count) modalities"]
        let width = modalities.map(\.name.count).max() ?? 0
        for modality in modalities {
            var line =
                "  \(Text.padded(modality.name, to: width))  \(modality.kind.rawValue) "
                + "[\(modality.shape.map(String.init).joined(separator: ", "))]"
            if let s = modality.standardisation {
                line +=
                    ", standardised on train"
                    + (s.constantColumns.isEmpty ? "" : " (\(s.constantColumns.count) constant columns centred only)")
            }
            if modality.stream != nil { line += ", read while training" }
            if let origin = modality.origin { line += "; \(origin)" }
            lines.append(line)
        }
        if !skipped.isEmpty { lines.append("  " + RowProblem.counted(skipped) + " (data.skipped lists them)") }
        if let truth {
            lines.append(
                "  \(truth.isImbalanced.count { $0 }) samples with a mismatched or corrupted modality (known: "
                    + "data.truth)"
            )
        }
        let wrong = truth?.isMislabelled.count { $0 } ?? 0
        if wrong > 0 { lines.append("  \(wrong) training samples with a wrong label (known: data.truth)") }
        let shown = min(classCount, 40)
        let counts = SplitName.allCases.map { histogram(indices($0)) }
        let nameWidth = max(5, classNames.prefix(shown).map(\.count).max() ?? 0)
        lines.append(
            "  " + Text.padded("class", to: nameWidth)
                + SplitName.allCases.map { Text.padded($0.rawValue, to: 8, right: true) }.joined())
        for c in 0..<shown {
            lines.append(
                "  " + Text.padded(classNames[c], to: nameWidth)
                    + counts.map { Text.padded(String($0[c]), to: 8, right: true) }.joined())
        }
        if shown < classCount { lines.append("  … \(classCount - shown) more classes") }
        return lines.joined(separator: "\n")
    }

    public static let type = ObjectType(
        "dataset", help: "Samples with several modalities, labels and the splits train, val and test.",
        methods: [
            Function(
                "summary", "Sizes, classes, shapes and class counts, as text.", returns: "string",
                example: "print(bss.data.synthetic{samples = 120}:summary())"
            ) {
                [.string(try $0.receiver(as: Dataset.self).summary)]
            },
            Function(
                "shape", "The shape of one sample of a modality.", [modalityArgument], returns: "list of integers",
                example: "print(#bss.data.synthetic{samples = 120}:shape(\"weak\"))", style: .positional
            ) {
                [.list(try chosen($0).shape.map { Value.int($0) })]
            },
            Function(
                "kind",
                "The kind of a modality: \"features\", \"audio\", \"image\", \"sequence\", \"video\" or \"text\".",
                [modalityArgument], returns: "string",
                example: "print(bss.data.synthetic{samples = 120}:kind(\"weak\"))", style: .positional
            ) {
                [.string(try chosen($0).kind.rawValue)]
            },
            Function(
                "statistics",
                "Mean and deviation of each column of a modality on the training split, as they were used to "
                    + "standardise it; nil if it was not.",
                [modalityArgument], returns: "table or nil",
                example: "print(bss.data.synthetic{samples = 120}:statistics(\"weak\").mean[1])", style: .positional
            ) {
                guard let s = try chosen($0).standardisation else { return [.null] }
                return [
                    .fields([
                        ("mean", .list(s.mean)), ("deviation", .list(s.deviation)),
                        ("constant_columns", .list(s.constantColumns.map { Value.int($0 + 1) })),
                    ])
                ]
            },
            LoadingSpeed.method,
        ],
        properties: [
            Property("name", "The dataset's name.") { (d: Dataset) in .string(d.name) },
            Property("modalities", "Names of the modalities, in order.") { (d: Dataset) in
                .list(d.modalities.map(\.name))
            },
            Property("classes", "The number of classes.") { (d: Dataset) in .int(d.classCount) },
            Property("class_names", "Names of the classes, in the order of the model's outputs.") { (d: Dataset) in
                .list(d.classNames)
            },
            Property("class_labels", "The labels as stored, in the order of the model's outputs.") { (d: Dataset) in
                .list(d.storedLabels)
            },
            Property("samples", "The number of samples in all splits.") { (d: Dataset) in .int(d.count) },
            Property("train", "The training split.") { (d: Dataset) in .object(DatasetSplit(d, .train)) },
            Property("val", "The validation split; it may be empty.") { (d: Dataset) in .object(DatasetSplit(d, .val))
            },
            Property("test", "The test split; it may be empty.") { (d: Dataset) in .object(DatasetSplit(d, .test)) },
            Property("truth", "For generated data: the defect of each sample (see `truth` of a split); else nil.") {
                (d: Dataset) in d.truthTable(Array(0..<d.count))
            },
            Property(
                "skipped",
                "Rows of the annotation files that gave no sample: a list of { id, place, path, kind, reason }."
            ) { (d: Dataset) in .list(d.skipped.map(\.value)) },
            Property("hash", "SHA-256 over the files that were read, or over the generated numbers.") { (d: Dataset) in
                .string(try d.treeHash)
            },
            Property("root", "The folder or file it was read from, or nil.") { (d: Dataset) in
                d.root.map(Value.string) ?? .null
            },
            Property("configuration", "The options it was made with, defaults filled in.") { (d: Dataset) in
                .table(d.configuration)
            },
        ],
        operators: [
            "__len": { operands in
                guard case .object(let object)? = operands.first, let dataset = object as? Dataset else {
                    return .int(0)
                }
                return .int(dataset.count)
            }
        ])

    private static let modalityArgument = Argument<String>("modality", "the modality's name")
    private static func chosen(_ arguments: Arguments) throws -> Modality {
        try arguments.receiver(as: Dataset.self).modality(arguments[modalityArgument])
    }

    /// `{imbalanced = {true, …}, defect = {"none", …}, modality = {"", …}, label_noise = {a = {…}}}` of the given
    /// samples.
    func truthTable(_ indices: [Int]) -> Value {
        guard let truth else { return .null }
        let noise = modalities.enumerated().map { m, modality in
            (modality.name, Value.list(indices.map { Value.bool(truth.isLabelNoise[m][$0]) }))
        }
        return .fields([
            ("imbalanced", .list(indices.map { Value.bool(truth.defect[$0] != .none) })),
            ("defect", .list(indices.map { truth.defect[$0].rawValue })),
            ("modality", .list(indices.map { truth.modality[$0].map { modalities[$0].name } ?? "" })),
            ("label_noise", .fields(noise)),
            ("mislabelled", .list(indices.map { Value.bool(truth.isMislabelled[$0]) })),
            ("label", .list(indices.map { Value.int(truth.labels[$0]) })),
        ])
    }
}

/// One split of a dataset, as scripts see it: `#split`, `split[i]`, `split.labels`.
public final class DatasetSplit: HostObject {
    public let dataset: Dataset
    public let split: SplitName
    /// Sample numbers in the dataset, from 0.
    public var indices: [Int] { dataset.indices(split) }

    public init(_ dataset: Dataset, _ split: SplitName) {
        self.dataset = dataset
        self.split = split
    }

    public var objectType: ObjectType { DatasetSplit.type }
    public func identityData() throws -> Value { .string("\(try dataset.treeHash) \(split.rawValue)") }
    public var summary: String {
        let counts = zip(dataset.classNames, dataset.histogram(indices)).map { "\($0): \($1)" }.joined(separator: ", ")
        return "\(dataset.name).\(split.rawValue): \(indices.count) samples (\(counts))"
    }

    /// `{id =, label =, class =, <modality> = {numbers}}`, positions from 1.
    public func element(_ index: Int) throws -> Value? {
        let indices = self.indices
        guard index >= 1, index <= indices.count else { return nil }
        let sample = indices[index - 1]
        let label = dataset.labels[sample]
        var fields: [(String, Value)] = [
            ("id", .string(dataset.ids[sample])), ("label", dataset.storedLabels[label]),
            ("class", .string(dataset.classNames[label])),
        ]
        for modality in dataset.modalities {
            fields.append((modality.name, .list(try modality.sample(sample).map { Double($0) })))
        }
        return .fields(fields)
    }

    private static func list(_ name: String, _ help: String, _ value: @escaping (Dataset, Int) -> Value) -> Property {
        Property(name, help) { (s: DatasetSplit) in .list(s.indices.map { value(s.dataset, $0) }) }
    }

    public static let type = ObjectType(
        "split", help: "The samples of one split: #split counts them, split[i] gives one as a table.",
        properties: [
            Property("name", "train, val or test.") { (s: DatasetSplit) in .string(s.split.rawValue) },
            list("labels", "The label of each sample, as stored.") { $0.storedLabels[$0.labels[$1]] },
            list("classes", "The class of each sample: its position in class_names.") { .int($0.labels[$1] + 1) },
            list("ids", "The id of each sample.") { .string($0.ids[$1]) },
            list("indices", "The position of each sample in the whole dataset.") { .int($1 + 1) },
            Property("histogram", "Samples of each class: {[class name] = count}.") { (s: DatasetSplit) in
                .fields(zip(s.dataset.classNames, s.dataset.histogram(s.indices)).map { ($0, .int($1)) })
            },
            Property(
                "truth",
                "For generated data: imbalanced (booleans), defect (none, mismatched, corrupted), modality (its name "
                    + "or \"\"), label_noise, mislabelled (booleans), label (the true one); else nil."
            ) { (s: DatasetSplit) in
                s.dataset.truthTable(s.indices)
            },
        ],
        operators: [
            "__len": { operands in
                guard case .object(let object)? = operands.first, let split = object as? DatasetSplit else {
                    return .int(0)
                }
                return .int(split.indices.count)
            }
        ])
}
