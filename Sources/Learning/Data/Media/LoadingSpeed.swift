import BSSCore
import Glibc

/// `data:loading_speed{…}`: how fast samples can be read, for choosing `workers`, `cache` and sizes.
enum LoadingSpeed {
    private static let modality = Argument<String?>(
        "modality", default: nil, "one modality alone; without it, all that are read while training")
    private static let split = Argument<String>(
        "split", default: "train", "which samples", check: .oneOf(SplitName.allCases.map(\.rawValue)))
    private static let batch = Argument<Int>("batch_size", default: 32, "samples a batch", check: .atLeast(1))
    private static let workers = Argument<Int>(
        "workers", default: 0, "threads that read ahead; 0: this thread alone", check: .range(0...256))
    private static let augment = Argument<Bool>("augment", default: true, "as in training")

    static let method = Function(
        "loading_speed",
        "Reads every sample of a split once, as an epoch would, and keeps none: { samples, seconds, per_second, "
            + "bytes }.",
        [modality, split, batch, workers, augment], returns: "table",
        example: "print(bss.data.synthetic{samples = 60}:loading_speed().samples)"
    ) { a in
        let data = try a.receiver(as: Dataset.self)
        let rows = data.indices(SplitName(rawValue: a[split]) ?? .train)
        let chosen = try a[modality].map { [try data.index(ofModality: $0)] } ?? Array(data.modalities.indices)
        let streamed = chosen.filter { data.modalities[$0].stream != nil }
        let loader = BatchLoader(data.modalities.map(\.stream), threads: a[workers], limit: data.loading.limit)
        let random = RandomStream(seed: 1, name: "augment")
        let start = Clock.seconds()
        var bytes = 0
        loader.announce(streamed, rows: rows, batchSize: a[batch], augments: a[augment], random: random)
        for first in stride(from: 0, to: rows.count, by: a[batch]) {
            for index in streamed {
                let part = Array(rows[first..<min(rows.count, first + a[batch])])
                bytes += try loader.samples(index, rows: part, augments: a[augment], random: random).blocks.reduce(0) {
                    $0 + 4 * $1.count
                }
            }
        }
        let seconds = max(Clock.seconds() - start, 1e-9)
        return [
            .fields([
                ("samples", .int(rows.count)), ("seconds", .number(seconds)),
                ("per_second", .number(Double(rows.count) / seconds)), ("bytes", .int(bytes)),
            ])
        ]
    }
}
