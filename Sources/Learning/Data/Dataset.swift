import BSSCodecs
import BSSCore

/// Samples with several modalities, labels and three splits; complete in memory and checked.
///
/// Constructed by the parts of `bss.data`. Samples are numbered from 0 here; scripts see them from 1.
public final class Dataset {
    public let name: String
    /// In their declared order.
    public let modalities: [Modality]
    /// The label of each class as it is stored: an integer or text.
    public let storedLabels: [Value]
    public let classNames: [String]
    /// The class of each sample, an index into `classNames`.
    public let labels: [Int]
    public let ids: [String]
    /// Sample numbers of each split, ascending.
    public let train, val, test: [Int]
    /// Rows of the annotation files that have no sample, and why.
    public let skipped: [RowProblem]
    /// Known only for generated data.
    public let truth: ImbalanceTruth?
    /// The files that were read; empty for generated data.
    public let files: [FileRecord]
    /// The folder or file it came from.
    public let root: String?
    /// Its constructor's options, defaults filled in.
    public var configuration = Table()
    private var knownHash: String?

    /// How streamed modalities are read.
    public let loading: Loading

    public struct Loading: Sendable {
        /// Threads that read ahead, and bytes that may wait in memory.
        public var threads = 0, limit = 256 << 20
    }

    public var count: Int { labels.count }
    public var classCount: Int { classNames.count }

    /// Built from a complete draft; nothing is kept of a draft that fails a check.
    /// - Throws: kind `.data`: one error naming file, row and reason.
    init(_ draft: consuming DatasetDraft, standardise: Bool) throws {
        let classes = try draft.checkedClasses()
        try draft.check(classes)
        name = draft.name
        labels = classes.indices
        storedLabels = classes.stored
        classNames = classes.names
        ids = draft.ids
        let splits = draft.splits
        func members(_ split: SplitName) -> [Int] { splits.indices.filter { splits[$0] == split } }
        (train, val, test) = (members(.train), members(.val), members(.test))
        truth = draft.truth
        skipped = draft.skipped
        loading = draft.loading
        files = draft.files
        root = draft.root
        var columns = draft.modalities
        let scaled = draft.scaled
        draft.modalities = []
        if standardise {
            for i in columns.indices
            where columns[i].kind != .text && !scaled.contains(columns[i].name) {
                columns[i].standardise(by: try Standardisation(fitting: columns[i], on: train))
            }
        }
        for i in columns.indices { columns[i].exact = [] }
        modalities = columns
    }

    /// - Throws: with the nearest name when there is none of that name.
    public func modality(_ name: String) throws -> Modality { modalities[try index(ofModality: name)] }

    public func index(ofModality name: String) throws -> Int {
        if let index = modalities.firstIndex(where: { $0.name == name }) { return index }
        let names = modalities.map(\.name)
        let near = Text.nearest(to: name, in: names).map { "did you mean '\($0)'? " } ?? ""
        throw BSSError(
            "dataset \(self.name)", "no modality '\(name)'", hint: near + "it has \(names.joined(separator: ", "))",
            kind: .usage)
    }

    public func indices(_ split: SplitName) -> [Int] {
        switch split {
        case .train: return train
        case .val: return val
        case .test: return test
        }
    }

    /// Samples of each class among the given ones.
    public func histogram(_ indices: [Int]) -> [Int] {
        var counts = [Int](repeating: 0, count: classCount)
        for index in indices { counts[labels[index]] += 1 }
        return counts
    }

    /// SHA-256 of what training can see of the data, which a run's record names: the files that were read (sorted
    /// relative path, size, SHA-256 of each; streamed media are read for it); without files the numbers in memory. Ids,
    /// labels and splits count in both cases.
    /// - Throws: kind `.data`: a streamed file that cannot be read.
    public var treeHash: String {
        get throws {
            if let known = knownHash { return known }
            let hash = try contentHash()
            knownHash = hash
            return hash
        }
    }

    private func contentHash() throws -> String {
        var lines: [String] = []
        if !files.isEmpty {
            let streamed = files.filter { $0.sha256.isEmpty }
            let hashes = try MediaHash.of(
                streamed.map { Medium(root: root ?? "", name: $0.path).path }, operation: "dataset \(name)")
            var read = Dictionary(zip(streamed.map(\.path), hashes), uniquingKeysWith: { $1 })
            for file in files where !file.sha256.isEmpty { read[file.path] = file.sha256 }
            lines = files.sorted { $0.path < $1.path }.map { "\($0.path)\t\($0.size)\t\(read[$0.path] ?? "")" }
        } else {
            for modality in modalities {
                let values = modality.values.withUnsafeBytes { Checksum.sha256(Array($0)) }
                lines.append("\(modality.name)\t\(modality.shape)\t\(values)")
            }
        }
        lines += zip(ids, labels).map { "\($0)\t\($1)" }
        lines += [classNames.joined(separator: "\t"), "\(train)", "\(val)", "\(test)"]
        return Checksum.sha256(Array(lines.joined(separator: "\n").utf8))
    }
}

public enum SplitName: String, CaseIterable, Sendable {
    case train, val, test

    /// Also the names that other releases use: `valid`, `validation`, `dev`.
    init?(text: String) {
        switch text.lowercased() {
        case "train", "training": self = .train
        case "val", "valid", "validation", "dev": self = .val
        case "test", "testing": self = .test
        default: return nil
        }
    }
}

/// A file that was read for a dataset.
public struct FileRecord: Sendable {
    /// Relative to the dataset's folder.
    public let path: String
    public let size: Int
    public let sha256: String
}

/// What is wrong with each sample of generated data, so that a measurer can be scored.
public struct ImbalanceTruth {
    public enum Defect: String {
        case none
        /// One modality shows another class.
        case mismatched
        /// One modality holds noise alone.
        case corrupted
    }

    public var defect: [Defect]
    /// The modality concerned, where there is a defect.
    public var modality: [Int?]
    /// By modality and sample: the class that the modality shows; `nil` where it shows none.
    public var shown: [[Int?]]
    /// By modality and sample: the modality shows another class because of its `label_noise`.
    public var isLabelNoise: [[Bool]]
    /// The class that each sample was made for.
    public var labels: [Int]
    /// The label is another class than that, on purpose: `label_noise`.
    public var isMislabelled: [Bool] = []

    public var isImbalanced: [Bool] { defect.map { $0 != .none } }
}
