import BSSCodecs
import BSSCore

/// Kinetics-Sounds: clips of 10 seconds, 31 actions that can be heard and seen.
///
/// Lists: `my_train.txt`, `my_test.txt` (clip, seconds, class number), or `train.csv`, `test.csv` and, where it exists,
/// `val.csv` with the columns `label` and `youtube_id`. Media: `<split>_wav/<clip>.wav` and
/// `<split>_img/Image-01-FPS/<clip>/` as released, or `AudioWAV/` and `Image-01-FPS/` for all splits.
enum KineticsSounds: AnnotatedCollection {
    static let name = "kinetics_sounds", marker = "train_wav"
    static let folderNames = ["kinetics_sounds", "kinetics-sounds", "kinetics-sound", "KS"]
    static let options = ClipOptions(rate: 35400, seconds: 10, frames: 3, least: 4, side: 224)
    static let order = Argument<String>(
        "class_order", default: "sorted",
        "how class names are numbered: sorted, or first_seen in the training list (as released, there after dropping "
            + "rows without media)",
        check: .oneOf(["sorted", "first_seen"]))

    static let part = Part<Dataset>(
        "kinetics_sounds", "Kinetics-Sounds: 31 actions, sound (log-spectrogram) and three frames.",
        options.arguments + [order],
        source:
            "Arandjelović, Zisserman, \"Look, Listen and Learn\", ICCV 2017; lists of Peng et al. (OGM-GE), CVPR 2022",
        example:
            "local found, data = pcall(bss.data.kinetics_sounds) print(found and data or \"not on the data path\")",
        build: dataset)

    static func outline(_ a: Arguments, _ folder: DataFolder) throws -> AnnotatedSet {
        var set = AnnotatedSet(a.operation, name: name, folder)
        set.classes = (0..<31).map(String.init)
        set.modalities = try options.modalities(
            a,
            sound: { .either([.file("\($0.split.rawValue)_wav/\($0.id).wav"), .file("AudioWAV/\($0.id).wav")]) },
            folder: {
                .either([
                    .frames("\($0.split.rawValue)_img/Image-01-FPS/\($0.id)", least: $1),
                    .frames("Image-01-FPS/\($0.id)", least: $1),
                ])
            })
        return set
    }

    static func addRows(_ set: inout AnnotatedSet, _ a: Arguments) throws {
        let folder = set.folder
        var read: [(id: String, label: String, split: SplitName, place: String)] = []
        for (split, files) in [
            (SplitName.train, ["my_train.txt", "train.csv"]), (.val, ["my_val.txt", "val.csv"]),
            (.test, ["my_test.txt", "test.csv"]),
        ] {
            guard let name = split == .val ? folder.first(of: files) : try folder.annotation(files) else { continue }
            if name.hasSuffix(".csv") {
                let table = try folder.csv(name)
                let (ids, labels) = try folder.explained {
                    (try table.strings("youtube_id"), try table.strings("label"))
                }
                for row in ids.indices {
                    read.append((ids[row], labels[row], split, "\(name): line \(table.lines[row])"))
                }
                continue
            }
            let bytes = try folder.read(name)
            for (fields, line) in try folder.explained({ try CSVTable.rows(text: bytes, source: name) }) {
                let place = "\(name): line \(line)"
                if fields.count == 3, !fields[0].isEmpty, Int(fields[2]) != nil {
                    read.append((fields[0], fields[2], split, place))
                } else {
                    set.problem(
                        .malformed, place: place,
                        "'\(fields.joined(separator: ","))' is no row of clip, seconds and class number")
                }
            }
        }
        set.classes = classes(read.filter { $0.split == .train }.map(\.label), isSorted: a[order] == "sorted")
        let known = Dictionary(uniqueKeysWithValues: set.classes.enumerated().map { ($1, $0) })
        for row in read { set.add(id: row.id, className: row.label, split: row.split, place: row.place, known: known) }
    }

    /// Distinct labels: numbers by value, text by its bytes, or in the order in which they occur.
    static func classes(_ labels: [String], isSorted: Bool) -> [String] {
        var seen: Set<String> = []
        let distinct = labels.filter { seen.insert($0).inserted }
        guard isSorted else { return distinct }
        let numbers = distinct.compactMap { label in Int(label).map { (number: $0, label: label) } }
        if numbers.count == distinct.count { return numbers.sorted { $0.number < $1.number }.map(\.label) }
        return distinct.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
