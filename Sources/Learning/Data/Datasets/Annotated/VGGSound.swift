import BSSCodecs
import BSSCore

/// VGGSound: 309 classes of sounds in clips of 10 seconds.
///
/// Lists: `train.csv` and `test.csv` of two columns (file, label) or as the released loader reads them (label in the
/// second, id after one character to drop in the third), or upstream's `vggsound.csv` (video, start second, label,
/// split). Classes: `label_encoding.json` (label → number), else the first column of `stat.csv`, else the labels of the
/// lists; sorted. Media: `AudioWAV/<clip>.wav`, `Image-01-FPS/<clip>/`.
enum VGGSound: AnnotatedCollection {
    static let name = "vggsound", marker = "label_encoding.json"
    static let folderNames = ["vggsound", "VGGSound", "vgg-sound"]
    static let options = ClipOptions(rate: 35400, seconds: 20, frames: 1, least: 4, side: 384)
    static let count = Argument<Int>(
        "num_classes", default: 309, "309; 310 adds a class without samples, as the released code has it",
        check: .range(2...100_000))

    static let part = Part<Dataset>(
        "vggsound",
        "VGGSound: 309 sounds, recording (log-spectrogram; 10 seconds are repeated to 20 as released) and frame.",
        options.arguments + [count],
        source: "Chen, Xie, Vedaldi, Zisserman, \"VGGSound\", ICASSP 2020",
        example: "local found, data = pcall(bss.data.vggsound) print(found and data or \"not on the data path\")",
        build: dataset)

    static func outline(_ a: Arguments, _ folder: DataFolder) throws -> AnnotatedSet {
        var set = AnnotatedSet(a.operation, name: name, folder)
        set.classes = (0..<a[count]).map { "class \($0)" }
        set.modalities = try options.modalities(
            a, sound: { .file("AudioWAV/\($0.id).wav") }, folder: { .frames("Image-01-FPS/\($0.id)", least: $1) })
        return set
    }

    static func addRows(_ set: inout AnnotatedSet, _ a: Arguments) throws {
        let folder = set.folder
        var read: [(id: String, label: String, split: SplitName, place: String)] = []
        let whole = folder.first(of: ["train.csv"]) == nil ? folder.first(of: ["vggsound.csv"]) : nil
        let lists: [(SplitName?, String)] =
            try whole.map { [(nil, $0)] } ?? [
                (.train, try folder.annotation(["train.csv", "vggsound.csv"])),
                (.test, try folder.annotation(["test.csv"])),
            ]
        for (split, name) in lists {
            let bytes = try folder.read(name)
            for (fields, line) in try folder.explained({ try CSVTable.rows(text: bytes, source: name) }) {
                let place = "\(name): line \(line)"
                guard let (id, label, own) = row(fields, isWhole: split == nil), !id.isEmpty, let split = split ?? own
                else {
                    set.problem(
                        .malformed, place: place,
                        "'\(fields.joined(separator: ","))' is no row of "
                            + "\(split == nil ? "video, start, label and split" : "file and label")"
                    )
                    continue
                }
                read.append((id, label, split, place))
            }
        }
        let known = try encoding(folder, read.map(\.label), count: a[count], &set)
        for row in read { set.add(id: row.id, className: row.label, split: row.split, place: row.place, known: known) }
    }

    private static func row(_ fields: [String], isWhole: Bool) -> (String, String, SplitName?)? {
        if isWhole {
            guard fields.count == 4, let start = Int(fields[1]) else { return nil }
            let second = String(start)
            return (
                "\(fields[0])_\(String(repeating: "0", count: max(0, 6 - second.count)))\(second)", fields[2],
                SplitName(text: fields[3])
            )
        }
        if fields.count == 2 {
            let stem = fields[0].hasSuffix(".mp4") ? String(fields[0].dropLast(4)) : fields[0]
            return (stem, fields[1], nil)
        }
        return fields.count >= 3 ? (String(fields[2].dropFirst()), fields[1], nil) : nil
    }

    /// Class numbers by name; fills `classes` up to `count`.
    private static func encoding(
        _ folder: DataFolder, _ labels: [String], count: Int, _ set: inout AnnotatedSet
    ) throws -> [String: Int] {
        var known: [String: Int] = [:]
        if let name = folder.first(of: ["label_encoding.json"]) {
            let bytes = try folder.read(name)
            guard let table = try folder.explained({ try JSON.parse(bytes: bytes, source: "JSON") }).table,
                table.items.isEmpty
            else {
                throw BSSError(set.operation, "\(name): an object of label and number was expected", kind: .data)
            }
            for (label, value) in table.fields {
                guard let number = value.int, (0..<count).contains(number) else {
                    throw BSSError(
                        set.operation,
                        "\(name): '\(label)' is \(JSON.lua(value)); a number from 0 to \(count - 1) was expected",
                        hint: "see num_classes", kind: .data)
                }
                known[label] = number
            }
        } else {
            var names = labels
            if let name = folder.first(of: ["stat.csv"]) {
                let bytes = try folder.read(name)
                names = try folder.explained { try CSVTable.rows(text: bytes, source: name) }.compactMap {
                    $0.fields.first
                }
            }
            for (number, label) in KineticsSounds.classes(names, isSorted: true).enumerated() { known[label] = number }
        }
        guard known.count <= count else {
            throw BSSError(set.operation, "there are \(known.count) classes, num_classes is \(count)", kind: .data)
        }
        for (label, number) in known { set.classes[number] = label }
        return known
    }
}
