import BSSCodecs
import BSSCore

/// Sarcasm: tweets with a picture, sarcastic or not.
///
/// Lists: `train_data.json`, `val_data.json` (where it exists), `test_data.json` (objects with image, text, label) as
/// released, or upstream's `train.txt`, `valid2.txt`, `test2.txt` (gzip too): a Python list a line, [picture, text,
/// label] with the label last. Pictures: `images/<picture>`, or `dataset_image/<picture>.jpg`.
enum Sarcasm: AnnotatedCollection {
    static let name = "sarcasm", marker = "dataset_image"
    static let folderNames = ["sarcasm", "Sarcasm", "data-of-multimodal-sarcasm-detection"]
    static let text = TextOptions(words: 50)
    static let filters = Argument<Bool>(
        "filter", default: true,
        "upstream's training list without the tweets that say what they are (sarcasm, irony, joke, <url> …): 29,040 "
            + "rows become the paper's 19,816"
    )
    static let size = Argument<Value>("image_size", default: .list([.int(224), .int(224)]), "{height, width}")
    static let augment = Argument<Bool>(
        "augment", default: true, "training pictures: crop of half the area or more, flip, and two random alterations")
    static let statistics = Argument<String>(
        "statistics", default: "imagenet", "mean and deviation of pictures: imagenet, or clip as released",
        check: .oneOf(["imagenet", "clip"]))
    /// Words of upstream's loader.
    static let telling: Set<String> = [
        "sarcasm", "sarcastic", "reposting", "<url>", "joke", "humour", "humor", "jokes", "irony", "ironic", "exgag",
    ]

    static let part = Part<Dataset>(
        "sarcasm", "Multimodal sarcasm detection: picture and tweet, two classes.",
        text.arguments + [filters, size, augment, statistics] + HoldoutArgument.collection,
        source: "Cai, Cai, Wan, ACL 2019",
        example: "local found, data = pcall(bss.data.sarcasm) print(found and data or \"not on the data path\")",
        build: dataset)

    static func outline(_ a: Arguments, _ folder: DataFolder) throws -> AnnotatedSet {
        var set = AnnotatedSet(a.operation, name: name, folder)
        set.classes = ["not sarcastic", "sarcastic"]
        guard let size = try MediaSize.read(a[size], "image_size", a.operation) else {
            throw BSSError(
                a.operation, "option 'image_size' expects {height, width}: the pictures of a batch need one size",
                kind: .usage)
        }
        let numbers = a[statistics] == "clip" ? PicturePipeline.clip : PicturePipeline.imageNet
        let isAugmented = a[augment]
        let reader = PictureReader(
            pipeline: PicturePipeline(
                size: size, interpolation: .bicubic, crop: isAugmented ? RandomCrop(scale: 0.5...1) : nil,
                flips: isAugmented,
                augmentation: isAugmented ? RandAugment() : nil, mean: numbers.mean, std: numbers.std))
        let words = a[text.words]
        set.modalities = a[text.modalities].map { name in
            if name == "image" {
                return .init(
                    name: name, kind: .image,
                    content: .media(reader) { row in
                        .either([.file("images/\(row.fields[0])"), .file("dataset_image/\(row.fields[0])")])
                    })
            }
            return text.modality(a) { (TextCleaning.caption($0.fields[1], words: words), nil) }
        }
        return set
    }

    static func addRows(_ set: inout AnnotatedSet, _ a: Arguments) throws {
        for (split, json, lists) in [
            (SplitName.train, "train_data.json", ["train.txt"]), (.val, "val_data.json", ["valid2.txt", "valid.txt"]),
            (.test, "test_data.json", ["test2.txt", "test.txt"]),
        ] {
            let texts = lists + lists.map { $0 + ".gz" }
            if let name = set.folder.first(of: [json]) {
                try addObjects(&set, name, split)
            } else if split != .val || set.folder.first(of: texts) != nil {
                try addLists(
                    &set, try set.folder.annotation(texts + [json]), split, filters: a[filters] && split == .train)
            }
        }
    }

    private static func addObjects(_ set: inout AnnotatedSet, _ name: String, _ split: SplitName) throws {
        let bytes = try set.folder.read(name)
        guard let list = try set.folder.explained({ try JSON.parse(bytes: bytes, source: "JSON") }).table,
            list.keys.isEmpty
        else {
            throw BSSError(
                set.operation, "\(name): a list of objects with image, text and label was expected", kind: .data)
        }
        for (index, value) in list.items.enumerated() {
            let place = "\(name): entry \(index + 1)"
            let entry = value.table
            guard let image = entry?["image"]?.string, let text = entry?["text"]?.string else {
                set.problem(.malformed, place: place, "has no image and text")
                continue
            }
            let file = image.split(separator: "/").last.map(String.init) ?? image
            let label = entry?["label"].flatMap { $0.int ?? $0.string.flatMap { Int($0) } }
            add(&set, file, text, label, described: entry?["label"].map { JSON.lua($0) } ?? "", split, place)
        }
    }

    private static func addLists(_ set: inout AnnotatedSet, _ name: String, _ split: SplitName, filters: Bool) throws {
        for (line, number) in try set.folder.lines(name) {
            let place = "\(name): line \(number)"
            guard let entry = PythonList.parse(line), entry.count >= 3, let image = entry[0].string,
                let text = entry[1].string
            else {
                set.problem(.malformed, place: place, "is no Python list of picture, text and label")
                continue
            }
            if filters, text.split(whereSeparator: \.isWhitespace).contains(where: { telling.contains(String($0)) }) {
                continue
            }
            add(
                &set, image + ".jpg", text, entry.last?.int, described: entry.last.map { JSON.lua($0) } ?? "", split,
                place)
        }
    }

    private static func add(
        _ set: inout AnnotatedSet, _ file: String, _ text: String, _ label: Int?, described: String, _ split: SplitName,
        _ place: String
    ) {
        let id = String(file.prefix { $0 != "." })
        guard let label, (0...1).contains(label) else {
            return set.problem(.unlabelled, id: id, place: place, "has the label \(described); 0 or 1 was expected")
        }
        set.rows.append(AnnotatedRow(id: id, label: label, split: split, place: place, fields: [file, text]))
    }
}

/// A flat Python list of texts and integers, as `repr` writes it. Nothing is evaluated.
enum PythonList {
    /// - Returns: nil for anything else.
    static func parse(_ line: String) -> [Value]? {
        let text = Array(line.unicodeScalars)
        var at = 0
        var items: [Value] = []
        func skip() { while at < text.count, text[at].properties.isWhitespace { at += 1 } }
        func quoted() -> String? {
            let quote = text[at]
            var out = String.UnicodeScalarView()
            at += 1
            while at < text.count, text[at] != quote {
                guard text[at] == "\\" else {
                    out.append(text[at])
                    at += 1
                    continue
                }
                guard at + 1 < text.count else { return nil }
                let kind = text[at + 1]
                at += 2
                if let digits = ["x": 2, "u": 4, "U": 8][kind] {
                    guard at + digits <= text.count,
                        let code = UInt32(String(String.UnicodeScalarView(text[at..<at + digits])), radix: 16),
                        let scalar = Unicode.Scalar(code)
                    else { return nil }
                    out.append(scalar)
                    at += digits
                } else {
                    out.append(["n": "\n", "t": "\t", "r": "\r"][kind] ?? kind)
                }
            }
            guard at < text.count else { return nil }
            at += 1
            return String(out)
        }
        skip()
        guard at < text.count, text[at] == "[" else { return nil }
        at += 1
        while true {
            skip()
            guard at < text.count else { return nil }
            if text[at] == "]" { break }
            if text[at] == "'" || text[at] == "\"" {
                guard let value = quoted() else { return nil }
                items.append(.string(value))
            } else {
                let start = at
                while at < text.count, text[at] == "-" || ("0"..."9").contains(text[at]) { at += 1 }
                guard let number = Int(String(String.UnicodeScalarView(text[start..<at]))) else { return nil }
                items.append(.int(number))
            }
            skip()
            guard at < text.count, text[at] == "," || text[at] == "]" else { return nil }
            if text[at] == "," { at += 1 }
        }
        at += 1
        skip()
        return at == text.count ? items : nil
    }
}
