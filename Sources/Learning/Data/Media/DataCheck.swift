import BSSCodecs
import BSSCore

/// Which media of a collection are missing, unreadable or unlabelled, before a training starts.
public struct DataCheck {
    public struct Media {
        public let modality: String
        public var sound = 0, missing = 0, unreadable = 0
    }

    public let name: String
    public let root: String
    public let rows: [SplitName: Int]
    public let classes: Int
    public var media: [Media]
    public var problems: [RowProblem]
    /// False: only whether the media are there, not whether they can be read.
    public let reads: Bool

    /// Checks the dataset `name` with the given options of its constructor.
    ///
    /// - Parameter reads: also decodes every medium.
    /// - Throws: an unknown name or option; a folder or annotation file that is not there.
    public static func run(_ name: String, _ options: Table, reads: Bool) throws -> DataCheck {
        let part = try Dataset.part(named: name)
        guard let collection = Dataset.collections.first(where: { $0.name == name }) else {
            // Collections that are read whole: building them is the check.
            do {
                return DataCheck(try part.configured([.table(options)]).product)
            } catch let error as BSSError where error.kind == .data {
                let problem = RowProblem(
                    kind: .unreadable, id: "", place: name, path: "", modality: "", reason: error.message)
                return DataCheck(
                    name: name, root: "", rows: [:], classes: 0, media: [], problems: [problem], reads: true)
            }
        }
        let a = try part.function.decode([.table(options)], path: "bss.data.\(name)")
        let set = try collection.annotated(a)
        let located = try set.located()
        let media = located.columns.enumerated().map { column, index in
            let modality = set.modalities[index].name
            let there = located.media.count { $0[column] != nil }
            let empty = located.problems.count { $0.kind == .unreadable && $0.modality == modality }
            return Media(
                modality: modality, sound: there, missing: located.media.count - there - empty, unreadable: empty)
        }
        var check = DataCheck(
            name: name, root: set.folder.path, rows: Dictionary(grouping: set.rows, by: \.split).mapValues(\.count),
            classes: set.classes.count, media: media,
            problems: set.problems + located.problems, reads: reads)
        if reads { check.add(try set.unreadable(located, among: Array(set.rows.indices)).map(\.problem)) }
        return check
    }

    private init(
        name: String, root: String, rows: [SplitName: Int], classes: Int, media: [Media], problems: [RowProblem],
        reads: Bool
    ) {
        (self.name, self.root, self.rows, self.classes) = (name, root, rows, classes)
        (self.media, self.problems, self.reads) = (media, problems, reads)
    }

    private init(_ data: Dataset) {
        name = data.name
        root = data.root ?? ""
        classes = data.classCount
        rows = Dictionary(uniqueKeysWithValues: SplitName.allCases.map { ($0, data.indices($0).count) })
        media = data.modalities.map { Media(modality: $0.name, sound: $0.count) }
        problems = data.skipped
        reads = true
    }

    private mutating func add(_ unreadable: [RowProblem]) {
        problems += unreadable
        for problem in unreadable {
            guard let column = media.firstIndex(where: { $0.modality == problem.modality }) else { continue }
            media[column].sound -= 1
            media[column].unreadable += 1
        }
    }

    public var isSound: Bool { problems.isEmpty }

    /// Counts, then the problems by kind, `most` of each at most.
    public func text(most: Int = 20) -> String {
        let total = rows.values.reduce(0, +)
        let splits = SplitName.allCases.map { "\(rows[$0] ?? 0) \($0.rawValue)" }.joined(separator: " / ")
        var lines = ["\(name)\(root.isEmpty ? "" : " in \(root)"): \(total) rows (\(splits)), \(classes) classes"]
        let width = media.map(\.modality.count).max() ?? 0
        for one in media {
            let all = one.sound + one.missing + one.unreadable
            lines.append(
                "  \(Text.padded(one.modality, to: width))  \(one.sound) of \(all) \(reads ? "sound" : "there"), "
                    + "\(one.missing) missing"
                    + (reads ? ", \(one.unreadable) unreadable" : ""))
        }
        for kind in RowProblem.Kind.allCases {
            let found = problems.filter { $0.kind == kind }
            guard !found.isEmpty else { continue }
            lines.append("\(kind.rawValue): \(found.count)")
            lines += found.prefix(most).map { "  \($0.line)" }
            if found.count > most { lines.append("  … \(found.count - most) more (--all lists them)") }
        }
        if isSound {
            lines.append(reads ? "everything can be read" : "everything is there (without --quick it is read too)")
        }
        return lines.joined(separator: "\n")
    }

    public var table: Table {
        Table(fields: [
            ("name", .string(name)), ("root", .string(root)), ("classes", .int(classes)), ("read", .bool(reads)),
            ("rows", .fields(SplitName.allCases.map { ($0.rawValue, .int(rows[$0] ?? 0)) })),
            (
                "media",
                .fields(
                    media.map {
                        (
                            $0.modality,
                            .fields([
                                ("sound", .int($0.sound)), ("missing", .int($0.missing)),
                                ("unreadable", .int($0.unreadable)),
                            ])
                        )
                    })
            ),
            ("problems", .list(problems.map(\.value))),
        ])
    }
}
