import BSSCore

/// NVGesture: 25 hand gestures in a car, as colour, depth and optical flow, 80 frames each.
///
/// Lists `nvgesture_{train,test}_correct_cvpr2016_v2.lst` (or `…_correct_v2.lst`): `path:DIR depth:NAME:START:END
/// color:NAME:START:END duo_left:… label:1…25`. Media: `DIR/<name>/` with frames called by their number, or
/// `DIR/<name>.avi` (Motion JPEG); flow: `Video_data/flow_data/{train,test}/<row>.npy`, rows from 0.
enum NVGesture: AnnotatedCollection {
    static let name = "nvgesture", marker = "Video_data"
    static let folderNames = ["nvgesture", "NVGesture", "nvGesture"]
    static let modalities = DataArgument.modalities(["rgb", "flow", "depth"])
    static let frames = Argument<Int>(
        "frames", default: 64, "frames of a training sample: a window whose start is drawn anew in every epoch",
        check: .range(1...80))
    static let evaluated = Argument<Int>(
        "eval_frames", default: 80, "frames in evaluation: the middle of the 80", check: .range(1...80))
    static let side = Argument<Int>("side", default: 256, "frames are resized to side × side", check: .range(1...4096))
    static let crop = Argument<Int>(
        "crop", default: 224,
        "and cut to crop × crop: one square for all modalities, drawn in training, the centre else",
        check: .range(1...4096))
    static let order = Argument<String>(
        "channel_order", default: "rgb", "rgb, or bgr as released (with the mean and deviation of rgb)",
        check: .oneOf(["rgb", "bgr"]))
    static let flow = Argument<String>(
        "flow_window", default: "same", "same: the frames of the other modalities; all: always 80, as released",
        check: .oneOf(["same", "all"]))
    static let available = 80

    static let part = Part<Dataset>(
        "nvgesture", "NVGesture: 25 gestures as colour, optical flow and depth, [channels, frames, height, width].",
        [modalities, frames, evaluated, side, crop, order, flow] + HoldoutArgument.collection,
        source: "Molchanov, Yang, Gupta, Kim, Tyree, Kautz, CVPR 2016",
        example: "local found, data = pcall(bss.data.nvgesture) print(found and data or \"not on the data path\")",
        build: dataset)

    static func outline(_ a: Arguments, _ folder: DataFolder) throws -> AnnotatedSet {
        guard a[crop] <= a[side] else {
            throw BSSError(a.operation, "option 'crop' expects at most side = \(a[side]), got \(a[crop])", kind: .usage)
        }
        var set = AnnotatedSet(a.operation, name: name, folder)
        set.classes = (1...25).map { "gesture \($0)" }
        let cut = ClipCut(
            available: available, length: a[frames], evaluationLength: a[evaluated], side: a[side], crop: a[crop])
        set.modalities = a[modalities].map { name in
            if name == "flow" {
                return .init(
                    name: name, kind: .video,
                    content: .media(FlowReader(cut: cut, takesAllFrames: a[flow] == "all")) { .file($0.fields[2]) })
            }
            let reader = ClipReader(cut: cut, isDepth: name == "depth", isBGR: name == "rgb" && a[order] == "bgr")
            let field = name == "rgb" ? 0 : 1
            return .init(
                name: name, kind: .video,
                content: .media(reader) { row in
                    // A folder of extracted frames needs only those that the list names.
                    let start = Int(row.fields[field + 3]) ?? 0
                    return .part(
                        .either([.frames(row.fields[field], least: available), .file(row.fields[field] + ".avi")]),
                        start..<start + available)
                })
        }
        return set
    }

    static func addRows(_ set: inout AnnotatedSet, _ a: Arguments) throws {
        for split in [SplitName.train, .test] {
            let name = try set.folder.annotation(
                ["cvpr2016_v2", "v2"].map { "nvgesture_\(split.rawValue)_correct_\($0).lst" })
            for (index, (text, number)) in try set.folder.lines(name).enumerated() {
                let place = "\(name): line \(number)"
                do { set.rows.append(try row(text, index, split, place)) } catch let wrong as Wrong {
                    set.problem(wrong.kind, place: place, wrong.reason)
                }
            }
        }
    }

    private struct Wrong: Error {
        let kind: RowProblem.Kind, reason: String
    }

    /// Fields of the row: colour and depth recordings without extension, flow file, first frames of colour and depth.
    private static func row(_ text: String, _ index: Int, _ split: SplitName, _ place: String) throws -> AnnotatedRow {
        var values: [String: [String]] = [:]
        for entry in text.split(separator: " ") {
            let parts = entry.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            values[parts[0]] = Array(parts.dropFirst())
        }
        func recording(_ sensor: String) throws -> (name: String, start: Int) {
            guard let parts = values[sensor], parts.count == 3, let start = Int(parts[1]), let end = Int(parts[2]),
                start >= 0, end >= 0
            else {
                throw Wrong(kind: .malformed, reason: "has no entry \(sensor):NAME:START:END")
            }
            guard end - start == available else {
                throw Wrong(kind: .malformed, reason: "\(sensor) has \(end - start) frames, \(available) were expected")
            }
            return (parts[0], start)
        }
        guard var path = values["path"]?.first, !path.isEmpty else {
            throw Wrong(kind: .malformed, reason: "has no entry path:DIR")
        }
        if path.hasPrefix("./") { path = String(path.dropFirst(2)) }
        let colour = try recording("color")
        let depth = try recording("depth")
        guard let label = values["label"]?.first.flatMap({ Int($0) }), (1...25).contains(label) else {
            throw Wrong(
                kind: .unlabelled, reason: "has the label '\(values["label"]?.first ?? "")'; 1 to 25 was expected")
        }
        let id = path.split(separator: "/").suffix(2).joined(separator: "/")
        return AnnotatedRow(
            id: id, label: label - 1, split: split, place: place,
            fields: [
                "\(path)/\(colour.name)", "\(path)/\(depth.name)",
                "Video_data/flow_data/\(split.rawValue)/\(index).npy", String(colour.start), String(depth.start),
            ])
    }
}
