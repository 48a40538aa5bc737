import BSSCore

/// Options of every dataset of media; their defaults differ between collections and lists of one's own.
struct MediaOptions: Sendable {
    let missing: Argument<String>
    let unreadable: Argument<String>
    let stream: Argument<Bool>

    /// The paper's collections: large, augmented, and as their released loaders read them.
    static let collection = MediaOptions(missing: "skip", streams: true)
    /// Lists of one's own, and small collections.
    static let listed = MediaOptions(missing: "error", streams: false)

    static let workers = Argument<Int>(
        "workers", default: 2,
        "while streaming: threads that read samples ahead; results do not depend on it, 0 reads when needed",
        check: .range(0...256))
    static let ahead = Argument<Int>(
        "ahead_mib", default: 256, "while streaming: MiB of samples that may wait in memory",
        check: .range(1...1 << 20))
    static let cache = Argument<String?>(
        "cache", default: nil,
        "folder for decoded media (memory-mapped); a changed file or option makes its entries anew")

    private init(missing: String, streams: Bool) {
        let choices = "counted, printed, and listed in data.skipped and run.json) or error"
        self.missing = Argument(
            "missing", default: missing, "rows whose media are not there: skip (\(choices)",
            check: .oneOf(["skip", "error"]))
        unreadable = Argument(
            "unreadable", default: "error",
            "rows whose media cannot be decoded: skip (\(choices); to skip, streamed media are all read once before",
            check: .oneOf(["skip", "error"]))
        stream = Argument(
            "stream", default: streams,
            "true: samples are read while training, memory does not grow with the set; false: all at once")
    }

    var arguments: [any AnyArgument] {
        [stream, missing, unreadable, MediaOptions.workers, MediaOptions.ahead, MediaOptions.cache]
    }
}

/// Drawing validation samples where a collection has none.
enum HoldoutArgument {
    static let val = Argument<Double>(
        "val", default: 0,
        "share of the training rows drawn by class for validation, where the collection has no such split",
        check: Check("from 0, less than 1") { $0 >= 0 && $0 < 1 })
    static let seed = Argument<Int>("split_seed", default: 1, "seed of that draw", check: .anyInteger)
    /// What the collections have beside their own options.
    static let collection: [any AnyArgument] =
        MediaOptions.collection.arguments + [val, seed, DataArgument.root]
}
