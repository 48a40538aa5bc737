import BSSCodecs
import BSSCore

/// CREMA-D: actors who say sentences with one of six emotions.
///
/// `train.csv` and `test.csv` (clip, code; no line of names), `AudioWAV/<clip>.wav`, `Image-01-FPS/<clip>/` with
/// frames.
enum CremaD: AnnotatedCollection {
    static let name = "crema_d", marker = "AudioWAV"
    static let folderNames = ["crema_d", "crema-d", "CREMA-D", "CREMAD"]
    static let options = ClipOptions(rate: 22050, seconds: 20, frames: 1, least: 1, side: 224)
    /// The released class numbers.
    static let emotions = [
        ("NEU", "neutral"), ("HAP", "happy"), ("SAD", "sad"), ("FEA", "fear"), ("DIS", "disgust"), ("ANG", "anger"),
    ]

    static let part = Part<Dataset>(
        "crema_d",
        "CREMA-D: six acted emotions, speech (log-spectrogram) and face (frames); clips of 2 to 3 seconds are "
            + "repeated to 20 as released.",
        options.arguments,
        source: "Cao et al., IEEE Trans. Affective Computing 5, 2014; lists of Peng et al. (OGM-GE), CVPR 2022",
        example: "local found, data = pcall(bss.data.crema_d) print(found and data or \"not on the data path\")",
        build: dataset)

    static func outline(_ a: Arguments, _ folder: DataFolder) throws -> AnnotatedSet {
        var set = AnnotatedSet(a.operation, name: name, folder)
        set.classes = emotions.map(\.1)
        set.modalities = try options.modalities(
            a, sound: { .file("AudioWAV/\($0.id).wav") }, folder: { .frames("Image-01-FPS/\($0.id)", least: $1) })
        return set
    }

    static func addRows(_ set: inout AnnotatedSet, _ a: Arguments) throws {
        let folder = set.folder
        let known = Dictionary(uniqueKeysWithValues: emotions.enumerated().map { ($1.0, $0) })
        for (split, file) in [(SplitName.train, "train.csv"), (.test, "test.csv")] {
            let name = try folder.annotation([file])
            let bytes = try folder.read(name)
            for (fields, line) in try folder.explained({ try CSVTable.rows(text: bytes, source: name) }) {
                let place = "\(name): line \(line)"
                guard fields.count >= 2, !fields[0].isEmpty else {
                    set.problem(.malformed, place: place, "has \(fields.count) fields; clip and emotion were expected")
                    continue
                }
                set.add(id: fields[0], className: fields[1], split: split, place: place, known: known)
            }
        }
    }
}
