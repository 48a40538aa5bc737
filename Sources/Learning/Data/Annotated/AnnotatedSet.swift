import BSSCore
import Glibc

/// One row of an annotation file: a sample that may be, if its media are there.
struct AnnotatedRow: Sendable {
    let id: String
    /// An index into the set's classes.
    let label: Int
    let split: SplitName
    /// "train.csv: line 14"
    let place: String
    /// Texts and names that the modalities are found by, in the set's own order.
    var fields: [String] = []
}

/// A collection as its annotation files describe it, before any medium is looked for.
struct AnnotatedSet {
    /// Where a modality of a row is.
    enum Source {
        case file(String)
        /// A folder of pictures, `least` of them at least.
        case frames(String, least: Int)
        /// The first of these that is there.
        case either([Source])
        /// Frames of a recording.
        indirect case part(Source, Range<Int>)
    }

    /// A modality and how rows lead to it.
    struct Modality {
        enum Content {
            case media(any SampleReader, (AnnotatedRow) -> Source)
            /// All texts at once, after the rows without media are gone; the shape of one.
            case text(shape: [Int], ([AnnotatedRow]) throws -> BSSData.Modality)
        }
        let name: String
        let kind: BSSData.Modality.Kind
        let content: Content
    }

    let operation, name: String
    let folder: DataFolder
    var classes: [String] = []
    var rows: [AnnotatedRow] = []
    var problems: [RowProblem] = []
    var modalities: [Modality] = []

    init(_ operation: String, name: String, _ folder: DataFolder) {
        self.operation = operation
        self.name = name
        self.folder = folder
    }

    mutating func problem(_ kind: RowProblem.Kind, id: String = "", place: String, _ reason: String) {
        problems.append(RowProblem(kind: kind, id: id, place: place, path: "", modality: "", reason: reason))
    }

    /// Takes a row whose label is a class name, or reports it.
    mutating func add(
        id: String, className: String, split: SplitName, place: String, fields: [String] = [], known: [String: Int]
    ) {
        guard let label = known[className] else {
            let near =
                Text.nearest(to: className, in: Array(known.keys).sorted()).map { "; did the file mean '\($0)'?" } ?? ""
            return problem(.unlabelled, id: id, place: place, "'\(id)' has the unknown class '\(className)'\(near)")
        }
        rows.append(AnnotatedRow(id: id, label: label, split: split, place: place, fields: fields))
    }

    // MARK: Looking for media

    /// The medium of a row, or why there is none.
    func locate(_ source: Source, _ row: AnnotatedRow) -> Result<Medium, MissingMedium> {
        switch source {
        case .file(let name):
            let path = folder.full(name)
            var info = stat()
            guard stat(path, &info) == 0 else { return .failure(MissingMedium(name, .missing, "is not there")) }
            guard info.st_mode & S_IFMT == S_IFREG else {
                return .failure(MissingMedium(name, .unreadable, "is no file"))
            }
            guard info.st_size > 0 else { return .failure(MissingMedium(name, .unreadable, "the file is empty")) }
            return .success(Medium(root: folder.path, name: name))
        case .frames(let name, let least):
            let path = folder.full(name)
            guard Files.isFolder(path) else {
                return .failure(MissingMedium(name, .missing, "the folder of frames is not there"))
            }
            let count = (try? Medium.pictures(in: path).count) ?? 0
            guard count >= least else {
                return .failure(MissingMedium(name, .missing, "holds \(count) pictures, \(least) or more are needed"))
            }
            return .success(Medium(root: folder.path, name: name))
        case .part(let source, let range):
            return locate(source, row).map { medium in
                var medium = medium
                medium.range = range
                return medium
            }
        case .either(let sources):
            var first: Result<Medium, MissingMedium>?
            for source in sources {
                let found = locate(source, row)
                if case .success = found { return found }
                if first == nil { first = found }
            }
            return first ?? .failure(MissingMedium(row.id, .missing, "no file was named"))
        }
    }

    /// Media of every row by modality; `nil` where a row lacks one. Reports what is missing, once a row and modality.
    func located() throws -> (media: [[Medium?]], problems: [RowProblem]) {
        let plans = modalities.compactMap { modality -> (name: String, find: (AnnotatedRow) -> Source)? in
            guard case .media(_, let find) = modality.content else { return nil }
            return (modality.name, find)
        }
        let clock = LoadingClock("looking for media of \(name)", of: rows.count)
        let found = try Parallel.map(rows.count, portion: 1024, operation: operation, progress: clock.report) { i in
            plans.map { locate($0.find(rows[i]), rows[i]) }
        }
        var problems: [RowProblem] = []
        for (row, results) in zip(rows, found) {
            for (plan, result) in zip(plans, results) {
                guard case .failure(let missing) = result else { continue }
                problems.append(
                    RowProblem(
                        kind: missing.kind, id: row.id, place: row.place, path: missing.path, modality: plan.name,
                        reason: missing.reason))
            }
        }
        return (found.map { $0.map { try? $0.get() } }, problems)
    }

    // MARK: The dataset

    /// The samples whose media are all there.
    /// - Throws: rows that are wrong in themselves; missing media, where `missing` is "error"; no sample left.
    func dataset(_ a: Arguments) throws -> Dataset {
        if let first = problems.first {
            let more = problems.count == 1 ? "" : "; \(problems.count - 1) more rows are wrong"
            throw BSSError(operation, first.line + more, hint: "bss-lua data check \(name) lists them all", kind: .data)
        }
        let (media, missing) = try located()
        if a[AnnotatedArgument.missing] == "error", let first = missing.first {
            throw BSSError(
                operation, first.line + (missing.count == 1 ? "" : "; \(missing.count - 1) more media are missing"),
                hint: "bss-lua data check \(name) lists them all", kind: .data)
        }
        let kept = rows.indices.filter { !media[$0].contains { $0 == nil } }
        // One entry a row: its first missing medium.
        var seen: Set<String> = []
        let skipped = missing.filter { seen.insert($0.place).inserted }
        guard !kept.isEmpty else {
            let example = missing.first.map { "; first: \($0.line)" } ?? ""
            throw BSSError(
                operation, "none of \(rows.count) rows in \(folder.path) has all its media\(example)",
                hint: "scripts/data/\(name).sh prepares them; bss-lua data check \(name) counts them", kind: .data)
        }
        if !skipped.isEmpty { LoadingReport.note?("\(operation): \(RowProblem.counted(skipped)) of \(rows.count)") }
        var draft = DatasetDraft(operation, name: name)
        draft.labels = .integers(kept.map { rows[$0].label })
        draft.declaredClasses = Array(classes.indices)
        draft.labelNames = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($0, $1) })
        draft.ids = AnnotatedSet.unique(kept.map { rows[$0].id })
        draft.splits = kept.map { rows[$0].split }
        draft.skipped = skipped
        let places = kept.map { rows[$0].place }
        draft.rowName = { places[$0] }
        draft.loading.threads = a[AnnotatedArgument.workers]
        draft.loading.limit = a[AnnotatedArgument.ahead] << 20
        try hold(out: a[AnnotatedArgument.val], seed: a[AnnotatedArgument.seed], &draft)
        var column = 0
        var sizes: [String: Int] = [:]
        for modality in modalities {
            switch modality.content {
            case .text(_, let make):
                draft.add(try make(kept.map { rows[$0] }), from: modality.name)
                draft.scaled.insert(modality.name)
            case .media(let reader, _):
                let found = kept.compactMap { media[$0][column] }
                let cache = try a[AnnotatedArgument.cache].flatMap { folder in
                    try reader.cacheKey.map {
                        try MediaCache(
                            folder: folder,
                            key: "\(name)-\(modality.name)-"
                                + String(SHA256.hex("\($0) v\(MediaCache.version)").prefix(16)))
                    }
                }
                let stream = ModalityStream(modality.name, reader, found, cache: cache)
                let shape =
                    try reader.shape(augments: false)
                    ?? stream.read(0, augments: false, random: RandomStream(seed: 0, name: "shape")).shape
                draft.add(.init(modality.name, modality.kind, shape: shape, stream: stream), from: modality.name)
                for medium in found { sizes[medium.name] = AnnotatedSet.size(medium.path) }
                column += 1
            }
        }
        draft.files =
            folder.records
            + sizes.sorted { $0.key < $1.key }.map { FileRecord(path: $0.key, size: $0.value, sha256: "") }
        draft.root = folder.path
        return try Dataset(draft, standardise: false)
    }

    /// Moves a share of the training rows, drawn by class, to validation where the collection has none.
    private func hold(out share: Double, seed: Int, _ draft: inout DatasetDraft) throws {
        guard share > 0 else { return }
        guard !draft.splits.contains(.val) else {
            throw BSSError(
                operation, "option 'val' draws validation samples, but the collection has a validation split",
                hint: "set val = 0", kind: .usage)
        }
        let train = draft.splits.indices.filter { draft.splits[$0] == .train }
        guard case .integers(let labels) = draft.labels else { return }
        let drawn = Splitting.stratified(train.map { labels[$0] }, val: share, test: 0, seed: seed)
        for (place, index) in train.enumerated() where drawn[place] == .val { draft.splits[index] = .val }
    }

    /// Ids that occur again get a number: "x", "x #2".
    private static func unique(_ ids: [String]) -> [String] {
        var seen: [String: Int] = [:]
        return ids.map { id in
            let count = seen[id, default: 0] + 1
            seen[id] = count
            return count == 1 ? id : "\(id) #\(count)"
        }
    }

    private static func size(_ path: String) -> Int {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFREG ? Int(info.st_size) : 0
    }
}

struct MissingMedium: Error {
    let path: String
    let kind: RowProblem.Kind
    let reason: String
    init(_ path: String, _ kind: RowProblem.Kind, _ reason: String) {
        (self.path, self.kind, self.reason) = (path, kind, reason)
    }
}

/// Options that every collection of raw media has.
enum AnnotatedArgument {
    static let missing = Argument<String>(
        "missing", default: "skip",
        "rows whose media are not there: skip (counted and listed in data.skipped, as the released loaders drop them) or error",
        check: .oneOf(["skip", "error"]))
    static let val = Argument<Double>(
        "val", default: 0,
        "share of the training rows drawn by class for validation, where the collection has no such split",
        check: Check("from 0, less than 1") { $0 >= 0 && $0 < 1 })
    static let seed = Argument<Int>("split_seed", default: 1, "seed of that draw", check: .anyInteger)
    static let workers = Argument<Int>(
        "workers", default: 2, "threads that read samples ahead; results do not depend on it, 0 reads when needed",
        check: .range(0...256))
    static let ahead = Argument<Int>(
        "ahead_mib", default: 256, "MiB of samples that may wait in memory", check: .range(1...1 << 20))
    static let cache = Argument<String?>(
        "cache", default: nil,
        "folder for decoded media (memory-mapped); a changed file or option makes its entries anew")
    static let all: [any AnyArgument] = [missing, val, seed, workers, ahead, cache, DataArgument.root]
}

/// Calls `LoadingReport.progress` at most ten times a second.
final class LoadingClock {
    private let what: String, total: Int
    private let start = LoadingClock.now()
    private var last = 0.0

    init(_ what: String, of total: Int) {
        self.what = what
        self.total = total
    }

    func report(_ done: Int) {
        guard let progress = LoadingReport.progress else { return }
        let now = LoadingClock.now()
        guard done == total || now - last >= 0.1 else { return }
        last = now
        progress(what, done, total, now - start)
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
