import BSSCodecs
import BSSCore

/// Twitter2015: the sentiment towards a target that a tweet with a picture names.
///
/// `train.tsv`, `dev.tsv`, `test.tsv` as upstream has them (number, label 0 to 2, picture, tweet with $T$ for the
/// target, target; no quoting), or with a line of names that holds `Label`, `ImageID` and `String`. Pictures:
/// `twitter2015_images/<picture>`.
enum Twitter2015: AnnotatedCollection {
    static let name = "twitter2015", marker = "twitter2015_images"
    static let folderNames = ["twitter2015", "twitter-2015", "twitter_2015"]
    static let text = TextOptions(words: 20)
    static let form = Argument<String>(
        "text", default: "released",
        "released: words of letters alone, lower case, the first `words`; the target is not told ($T$ becomes t); "
            + "sentence: the tweet with its target put in; pair: that and the target as second text",
        check: .oneOf(["released", "sentence", "pair"]))
    static let size = Argument<Value>("image_size", default: .list([.int(384), .int(384)]), "{height, width}")
    static let normalise = Argument<Bool>(
        "normalise", default: true, "ImageNet's mean and deviation; false: values from 0 to 1, as released")

    static let part = Part<Dataset>(
        "twitter2015", "Twitter2015: three sentiments towards a target, picture and tweet.",
        text.arguments + [form, size, normalise] + HoldoutArgument.collection,
        source: "Zhang, Fu, Liu, Huang, AAAI 2018; Yu, Jiang, \"TomBERT\", IJCAI 2019",
        example: "local found, data = pcall(bss.data.twitter2015) print(found and data or \"not on the data path\")",
        build: dataset)

    static func outline(_ a: Arguments, _ folder: DataFolder) throws -> AnnotatedSet {
        var set = AnnotatedSet(a.operation, name: name, folder)
        set.classes = ["negative", "neutral", "positive"]
        let statistics = a[normalise] ? PicturePipeline.imageNet : (mean: [], std: [])
        guard let size = try MediaSize.read(a[size], "image_size", a.operation) else {
            throw BSSError(
                a.operation, "option 'image_size' expects {height, width}: the pictures of a batch need one size",
                kind: .usage)
        }
        let reader = PictureReader(pipeline: PicturePipeline(size: size, mean: statistics.mean, std: statistics.std))
        let form = a[form]
        let words = a[text.words]
        set.modalities = a[text.modalities].map { name in
            if name == "image" {
                return .init(
                    name: name, kind: .image, content: .media(reader) { .file("twitter2015_images/\($0.fields[0])") })
            }
            return text.modality(a) { row in
                if form == "released" { return (TextCleaning.letters(row.fields[1], words: words), nil) }
                let sentence = row.fields[1].split(separator: " ").map { $0 == "$T$" ? row.fields[2] : String($0) }
                    .joined(separator: " ")
                return (sentence, form == "pair" ? row.fields[2] : nil)
            }
        }
        return set
    }

    static func addRows(_ set: inout AnnotatedSet, _ a: Arguments) throws {
        for (split, file) in [(SplitName.train, "train.tsv"), (.val, "dev.tsv"), (.test, "test.tsv")] {
            let name = try set.folder.annotation([file])
            let lines = try set.folder.lines(name)
            let columns = header(lines.first?.text ?? "")
            for (text, number) in lines.dropFirst() {
                let fields = text.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
                let place = "\(name): line \(number)"
                // Five fields are upstream's order, whatever the line of names says (that of test.tsv is short of one).
                guard let at = fields.count == 5 ? Columns(label: 1, image: 2, text: 3, target: 4) : columns,
                    max(at.label, at.image, at.text, at.target ?? 0) < fields.count
                else {
                    set.problem(
                        .malformed, place: place,
                        "has \(fields.count) fields; number, label, picture, tweet and target were expected")
                    continue
                }
                let image = fields[at.image]
                guard let label = Int(fields[at.label]), (0...2).contains(label) else {
                    set.problem(
                        .unlabelled, id: image, place: place,
                        "has the label '\(fields[at.label])'; 0, 1 or 2 was expected")
                    continue
                }
                set.rows.append(
                    AnnotatedRow(
                        id: "\(split.rawValue) \(number - 1)", label: label, split: split, place: place,
                        fields: [image, fields[at.text], at.target.map { fields[$0] } ?? ""]))
            }
        }
    }

    private struct Columns {
        let label, image, text: Int, target: Int?
    }

    private static func header(_ line: String) -> Columns? {
        let names = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard let label = names.firstIndex(of: "Label"), let image = names.firstIndex(of: "ImageID"),
            let text = names.firstIndex(of: "String")
        else { return nil }
        return Columns(label: label, image: image, text: text, target: nil)
    }
}
