import BSSCodecs
import BSSCore
import BSSData
import BSSPlot

/// The samples at both ends of the balance scores: a list as text, with their pictures where a notebook shows it.
final class ExtremesObject: HostObject {
    struct Sample {
        /// In the training split, from 0.
        let position: Int
        /// In the data.
        let row: Int
        let id, label: String
        let score: Double
        /// By modality.
        let files: Table

        var table: Table {
            Table(fields: [
                ("position", .int(position + 1)), ("id", .string(id)), ("class", .string(label)),
                ("score", .number(score)), ("files", .table(files)),
            ])
        }
    }

    private let lowest, highest: [Sample]
    private let data: Dataset

    init(lowest: [Sample], highest: [Sample], of data: Dataset) {
        (self.lowest, self.highest, self.data) = (lowest, highest, data)
    }

    var objectType: ObjectType { ExtremesObject.type }
    func resultData() throws -> Value? { .table(table) }

    private var table: Table {
        Table(fields: [
            ("lowest", .list(lowest.map { .table($0.table) })), ("highest", .list(highest.map { .table($0.table) })),
        ])
    }

    var summary: String {
        let head = ["", "position", "id", "class", "score", "files"]
        let rows = [("lowest", lowest), ("highest", highest)].flatMap { name, samples in
            samples.enumerated().map { place, sample in
                [
                    place == 0 ? name : "", "\(sample.position + 1)", Text.shown(sample.id), Text.shown(sample.label),
                    Text.fixed(sample.score, 4), sample.files.fields.compactMap(\.value.string).joined(separator: "  "),
                ]
            }
        }
        let columns = rows.allSatisfy { $0[5].isEmpty } ? 5 : 6
        let widths = (0..<columns).map { column in ([head] + rows).map { Text.columns($0[column]) }.max() ?? 0 }
        return ([head] + rows).map { row in
            var line = zip(row, widths).map { Text.padded($0, to: $1) }.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }

    // MARK: Pictures

    private static let tile = 132.0

    /// A tile a sample: its pictures, its class and score, its file's name; nil: no modality can be seen.
    /// - Throws: kind `.data`: a file that cannot be read.
    private func svg() throws -> String? {
        let visible = data.modalities.filter { [.image, .audio, .video].contains($0.kind) }
        guard !visible.isEmpty else { return nil }
        let side = ExtremesObject.tile - 12
        let height = Double(visible.count) * (side + 4) + 56
        let count = max(lowest.count, highest.count)
        var page = PictureSheet(
            width: Double(count) * ExtremesObject.tile + 12, height: 2 * (height + 26) + 8,
            title: "Samples with the lowest and highest balance scores: "
                + (lowest + highest).map { "\($0.id) (\($0.label)) \(Text.fixed($0.score, 4))" }.joined(separator: ", ")
        )
        var top = 8.0
        for (name, samples) in [("lowest balance", lowest), ("highest balance", highest)] {
            page.text(name, 8, top + 14, size: 13)
            for (place, sample) in samples.enumerated() {
                let left = 8 + Double(place) * ExtremesObject.tile
                var y = top + 24
                for modality in visible {
                    if let picture = try modality.picture(of: sample.row) {
                        page.picture(picture.png(), left, y, side)
                    }
                    y += side + 4
                }
                let files = sample.files.fields.compactMap(\.value.string)
                let name = files.first?.split(separator: "/").last.map(String.init) ?? sample.id
                page.text("class \(sample.label): \(Text.fixed(sample.score, 4))", left, y + 12, size: 12)
                page.text(Text.cut(name, to: 20), left, y + 28, size: 11)
            }
            top += height + 26
        }
        return page.document
    }

    static let type = ObjectType(
        "extremes", help: "Samples with the lowest and highest balance scores; a notebook shows their pictures.",
        methods: [
            Function(
                "svg", "The samples' pictures and spectrograms with class, score and file; nil where there are none.",
                returns: "string or nil",
                example: "bss.train{ data = bss.data.synthetic{ samples = 300 }, epochs = 2, "
                    + "scheduler = \"heuristic\" }:extremes():svg()"
            ) { a in [try a.receiver(as: ExtremesObject.self).svg().map { .string($0) } ?? .null] }
        ],
        properties: [
            Property("lowest", "{ position, id, class, score, files = { modality = path } }, the lowest score first.") {
                (e: ExtremesObject) in e.table["lowest"] ?? .null
            },
            Property("highest", "The same, the highest score first.") { (e: ExtremesObject) in
                e.table["highest"] ?? .null
            },
        ])
}
