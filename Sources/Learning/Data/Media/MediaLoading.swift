import BSSCore

extension AnnotatedSet {
    /// The samples whose media are all there, and can be read where that was asked for.
    /// - Throws: rows that are wrong in themselves; media that are missing or unreadable where that is an error; no
    ///   sample left.
    func dataset(_ a: Arguments, _ options: MediaOptions, standardise: Bool = false) throws -> Dataset {
        var loading = try MediaLoading(self, a, options)
        try loading.dropUnreadable()
        return try Dataset(try loading.draft(), standardise: standardise)
    }

    /// - Throws: the first of the problems, and how many more there are.
    func refuse(_ problems: [RowProblem], _ more: String, option: String? = nil) throws {
        guard let first = problems.first else { return }
        let hint = option.map { "\($0) = \"skip\" leaves such rows out, and lists them" }
        throw BSSError(
            operation, first.line + (problems.count == 1 ? "" : "; \(problems.count - 1) \(more)"),
            hint: isCollection ? "bss-lua data check \(name) lists them all" : hint, kind: .data)
    }
}

/// From media that are there to a dataset: one way for samples that stay in memory and for those that are read while
/// training.
private struct MediaLoading {
    private let set: AnnotatedSet
    private let a: Arguments, options: MediaOptions
    private let located: LocatedMedia
    /// Rows whose media are all there, and among them those that no unreadable medium drops.
    private let found: [Int]
    private var kept: [Int]
    private var left: [RowProblem]
    /// By modality; media in the order of `found`.
    private var streams: [Int: ModalityStream] = [:]
    private var resident: [Int: ResidentSamples] = [:]

    init(_ set: AnnotatedSet, _ a: Arguments, _ options: MediaOptions) throws {
        (self.set, self.a, self.options) = (set, a, options)
        try set.refuse(set.problems, "more rows are wrong")
        located = try set.located()
        if a[options.missing] == "error" {
            try set.refuse(located.problems, "more media are missing", option: "missing")
        }
        let media = located.media
        found = set.rows.indices.filter { !media[$0].contains { $0 == nil } }
        kept = found
        left = located.problems
        try requireSamples()
        for index in set.modalities.indices { try addStream(index) }
    }

    private func requireSamples() throws {
        guard kept.isEmpty else { return }
        let example = left.first.map { "; first: \($0.line)" } ?? ""
        let name = set.name
        throw BSSError(
            set.operation, "none of \(set.rows.count) rows in \(set.folder.path) has all its media\(example)",
            hint: set.isCollection
                ? "scripts/data/\(name).sh prepares them; bss-lua data check \(name) counts them" : nil, kind: .data)
    }

    private mutating func addStream(_ index: Int) throws {
        let modality = set.modalities[index]
        guard case .media(let reader, _) = modality.content, let column = located.column(index) else { return }
        if !a[options.stream], reader.draws {
            throw BSSError(
                set.operation,
                "stream = false keeps samples as they are evaluated; '\(modality.name)' draws them in every epoch",
                hint: "set stream = true, or turn its draws off (see augment, frame_pick, frames, crop)", kind: .usage)
        }
        let cache = try a[MediaOptions.cache].flatMap { folder in
            try reader.cacheKey.map { key in
                let hash = SHA256.hex("\(key) v\(MediaCache.version)").prefix(16)
                return try MediaCache(folder: folder, key: "\(set.name)-\(modality.name)-\(hash)")
            }
        }
        let media = found.compactMap { located.media[$0][column] }
        streams[index] = ModalityStream(modality.name, reader, media, cache: cache)
    }

    // MARK: Reading

    /// Reads what stays in memory, and what may be dropped.
    mutating func dropUnreadable() throws {
        var broken: [(row: Int, problem: RowProblem)] = []
        if !a[options.stream] {
            for (index, stream) in streams.sorted(by: { $0.key < $1.key }) {
                let samples = try ResidentSamples(stream, name: set.name, operation: set.operation) {
                    set.rows[found[$0]].place
                }
                broken += samples.failures.map { problem(found[$0], stream.media[$0], stream.name, $1) }
                resident[index] = samples
            }
        } else if a[options.unreadable] == "skip" {
            broken = try set.unreadable(located, among: found)
        }
        let problems = broken.map(\.problem)
        if a[options.unreadable] == "error" {
            try set.refuse(problems, "more files are wrong", option: "unreadable")
        }
        let lost = Set(broken.map(\.row))
        kept.removeAll { lost.contains($0) }
        left += problems
        try requireSamples()
    }

    private func problem(
        _ row: Int, _ medium: Medium, _ modality: String, _ reason: String
    ) -> (row: Int, problem: RowProblem) {
        (row, MissingMedium(medium.name, .unreadable, reason).problem(set.rows[row], modality))
    }

    /// One entry a row: its first problem, in the order of the rows.
    private var skipped: [RowProblem] {
        let order = Dictionary(set.rows.enumerated().map { ($1.place, $0) }, uniquingKeysWith: { first, _ in first })
        var seen: Set<String> = []
        return left.filter { seen.insert($0.place).inserted }.sorted {
            (order[$0.place] ?? 0) < (order[$1.place] ?? 0)
        }
    }

    // MARK: The draft

    func draft() throws -> DatasetDraft {
        var draft = DatasetDraft(set.operation, name: set.name)
        draft.skipped = skipped
        LoadingReport.tell(draft.skipped, of: set.rows.count, set.operation)
        try setLabels(&draft)
        draft.splits = kept.map { set.rows[$0].split }
        try draft.hold(out: set.holdout.share, seed: set.holdout.seed)
        let places = kept.map { set.rows[$0].place }
        draft.rowName = { places[$0] }
        draft.loading.threads = a[MediaOptions.workers]
        draft.loading.limit = a[MediaOptions.ahead] << 20
        draft.root = set.folder.path
        for (index, modality) in set.modalities.enumerated() {
            var column = try column(index)
            column.origin = modality.origin
            draft.add(column, from: set.name)
            if modality.isScaled { draft.scaled.insert(modality.name) }
        }
        draft.files = files
        return draft
    }

    private func setLabels(_ draft: inout DatasetDraft) throws {
        let rows = set.rows
        guard let labels = set.labels else {
            draft.labels = .integers(kept.map { rows[$0].label })
            draft.declaredClasses = Array(set.classes.indices)
            draft.labelNames = Dictionary(uniqueKeysWithValues: set.classes.enumerated().map { ($0, $1) })
            draft.ids = MediaLoading.unique(kept.map { rows[$0].id })
            return
        }
        draft.labels = labels.picked(kept)
        draft.labelNames = set.labelNames
        draft.ids = kept.map { rows[$0].id }
        let there = Set(kept.map { rows[$0].label })
        if let gone = rows.first(where: { !there.contains($0.label) }) {
            throw BSSError(
                set.operation, "\(gone.place): no row of its class '\(set.classes[gone.label])' is left",
                hint: draft.skipped.first.map { "\(draft.skipped.count) rows are left out; first: \($0.line)" },
                kind: .data)
        }
    }

    private func column(_ index: Int) throws -> Modality {
        let modality = set.modalities[index]
        if case .whole(_, _, let make) = modality.content { return try make(kept.map { set.rows[$0] }) }
        let isKept = Set(kept)
        guard let stream = streams[index]?.picked(found.indices.filter({ isKept.contains(found[$0]) })) else {
            throw BSSError(set.operation, "'\(modality.name)' has no media", kind: .data)
        }
        if let samples = resident[index] {
            var column = Modality(
                modality.name, try kind(of: modality, samples.shape), shape: samples.shape,
                values: samples.values { isKept.contains(found[$0]) })
            column.paths = stream.media.map(\.path)
            return column
        }
        let shape = try stream.reader.shape(augments: false) ?? stream.sample(0).shape
        return Modality(modality.name, try kind(of: modality, shape), shape: shape, stream: stream)
    }

    private func kind(of modality: AnnotatedSet.Modality, _ shape: [Int]) throws -> Modality.Kind {
        if let kind = modality.kind { return kind }
        if let kind = Modality.Kind(rank: shape.count) { return kind }
        throw BSSError(
            set.operation, "samples \(shape) of '\(modality.name)' have \(shape.count) axes; 1 to 4 were expected",
            kind: .data)
    }

    /// Every file once.
    private var files: [FileRecord] {
        var read = Dictionary(set.folder.records.map { ($0.path, $0) }, uniquingKeysWith: { _, last in last })
        for file in resident.values.flatMap(\.files) { read[file.path] = file }
        for medium in streams.values.flatMap(\.media) where read[medium.name] == nil {
            let size = Files.isFile(medium.path) ? Files.size(medium.path) ?? 0 : 0
            read[medium.name] = FileRecord(path: medium.name, size: size, sha256: "")
        }
        return read.values.sorted { $0.path < $1.path }
    }

    /// A collection's clips that occur again get a number: "x", "x #2". (A list's own ids are checked.)
    private static func unique(_ ids: [String]) -> [String] {
        var seen: [String: Int] = [:]
        return ids.map { id in
            let count = seen[id, default: 0] + 1
            seen[id] = count
            return count == 1 ? id : "\(id) #\(count)"
        }
    }
}

extension AnnotatedSet {
    /// Reads every medium of the rows and keeps none: which cannot be read.
    func unreadable(_ located: LocatedMedia, among rows: [Int]) throws -> [(row: Int, problem: RowProblem)] {
        let readers = located.columns.map { index -> (any SampleReader)? in
            if case .media(let reader, _) = modalities[index].content { return reader }
            return nil
        }
        let clock = LoadingClock("checking media of \(name)", of: rows.count)
        let results = try Parallel.map(rows.count, operation: operation, progress: clock.report) { place in
            zip(readers, located.media[rows[place]]).map { reader, medium -> String? in
                guard let medium, let reader else { return nil }
                do { try reader.check(medium) } catch { return (error as? BSSError)?.message ?? "\(error)" }
                return nil
            }
        }
        return zip(rows, results).flatMap { row, reasons in
            zip(located.columns.indices, reasons).compactMap { column, reason in
                guard let reason, let medium = located.media[row][column] else { return nil }
                let missing = MissingMedium(medium.name, .unreadable, reason)
                return (row, missing.problem(self.rows[row], modalities[located.columns[column]].name))
            }
        }
    }
}
