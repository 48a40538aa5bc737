import BSSCore
import Glibc

/// Which media of a set are there.
struct LocatedMedia {
    /// Indices into the set's modalities that have media, or files.
    let columns: [Int]
    /// By row and column; nil where a row lacks one.
    var media: [[Medium?]]
    /// What is missing, once a row and modality.
    var problems: [RowProblem]

    /// The column of a modality.
    func column(_ modality: Int) -> Int? { columns.firstIndex(of: modality) }
}

extension AnnotatedSet {
    /// Looks for the media of every row; nothing is read.
    func located() throws -> LocatedMedia {
        let columns = modalities.indices.filter { modalities[$0].find != nil }
        let finders = columns.compactMap { modalities[$0].find }
        let clock = LoadingClock("looking for media of \(name)", of: rows.count)
        let sources = rows.map { row in finders.map { $0(row) } }
        let finder = MediaFinder(root: folder.path)
        let found = try Parallel.map(rows.count, portion: 1024, operation: operation, progress: clock.report) { i in
            sources[i].map(finder.medium)
        }
        var problems: [RowProblem] = []
        let media = zip(rows, found).map { row, results in
            zip(columns, results).map { column, result -> Medium? in
                switch result {
                case .success(let medium): return medium
                case .failure(let missing):
                    problems.append(missing.problem(row, modalities[column].name))
                    return nil
                }
            }
        }
        return LocatedMedia(columns: columns, media: media, problems: problems)
    }

}

/// Looks for media below a dataset's folder.
private struct MediaFinder: Sendable {
    let root: String

    /// The medium, or why there is none.
    func medium(_ source: AnnotatedSet.Source) -> Result<Medium, MissingMedium> {
        switch source {
        case .file(let name): return file(name)
        case .frames(let name, let least): return frames(name, least)
        case .part(let source, let range):
            return medium(source).map { medium in
                var medium = medium
                medium.range = range
                return medium
            }
        case .either(let sources):
            var first: Result<Medium, MissingMedium>?
            for source in sources {
                let found = medium(source)
                if case .success = found { return found }
                if first == nil { first = found }
            }
            return first ?? .failure(MissingMedium("", .missing, "no file was named"))
        }
    }

    private func file(_ name: String) -> Result<Medium, MissingMedium> {
        guard !name.isEmpty else { return .failure(MissingMedium("", .missing, "no file is named")) }
        let medium = Medium(root: root, name: name)
        var info = stat()
        guard !name.utf8.contains(0), stat(medium.path, &info) == 0 else {
            return .failure(MissingMedium(name, .missing, "is not there"))
        }
        guard info.st_mode & S_IFMT == S_IFREG else {
            return .failure(MissingMedium(name, .unreadable, "is no file"))
        }
        guard info.st_size > 0 else { return .failure(MissingMedium(name, .unreadable, "the file is empty")) }
        return .success(medium)
    }

    private func frames(_ name: String, _ least: Int) -> Result<Medium, MissingMedium> {
        let medium = Medium(root: root, name: name)
        guard Files.isFolder(medium.path) else {
            return .failure(MissingMedium(name, .missing, "the folder of frames is not there"))
        }
        do {
            let count = try Medium.pictures(in: medium.path).count
            guard count < least else { return .success(medium) }
            return .failure(MissingMedium(name, .missing, "holds \(count) pictures, \(least) or more are needed"))
        } catch { return .failure(MissingMedium(name, .unreadable, (error as? BSSError)?.message ?? "\(error)")) }
    }
}

/// Why a medium cannot be had.
struct MissingMedium: Error {
    let path: String
    let kind: RowProblem.Kind
    let reason: String
    init(_ path: String, _ kind: RowProblem.Kind, _ reason: String) {
        (self.path, self.kind, self.reason) = (path, kind, reason)
    }

    func problem(_ row: AnnotatedRow, _ modality: String) -> RowProblem {
        RowProblem(
            kind: kind, id: row.id, place: row.place, path: path, modality: modality,
            reason: path.isEmpty ? "\(reason) for '\(modality)'" : reason)
    }
}
