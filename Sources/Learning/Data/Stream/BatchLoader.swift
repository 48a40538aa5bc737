import BSSCore

/// Batches of modalities whose media are read while training runs.
///
/// `announce` says which batches will be asked for; threads then read their samples in that order, ahead of training,
/// holding at most `limit` bytes. A batch that was not announced is read when it is asked for. Samples are pure
/// functions of the files, the options and the epoch's draws: batches are the same for any number of threads.
public final class BatchLoader {
    /// By modality; nil where samples lie in memory.
    private let streams: [ModalityStream?]
    private let threadCount: Int
    private let limit: Int
    private var visit: Visit?

    public init(_ streams: [ModalityStream?], threads: Int, limit: Int) {
        self.streams = streams
        threadCount = threads
        self.limit = limit
    }
    deinit { visit?.end() }

    /// The batches to come: `rows` in portions of `batchSize`, of each portion the streamed ones among `modalities` in
    /// turn.
    public func announce(_ modalities: [Int], rows: [Int], batchSize: Int, augments: Bool, random: RandomStream) {
        visit?.end()
        visit = nil
        let streamed = modalities.filter { streams[$0] != nil }
        guard !streamed.isEmpty, !rows.isEmpty, threadCount > 0 else { return }
        visit = Visit(
            streamed.compactMap { streams[$0] }, streamed, rows, batchSize, augments, random, limit: limit,
            threads: threadCount)
    }

    /// Samples of one streamed modality, one after the other, and the shape of each; nothing of a resident one.
    /// - Throws: kind `.data`, naming the file that cannot be read; samples of different shapes.
    public func samples(
        _ modality: Int, rows: [Int], augments: Bool, random: RandomStream
    ) throws -> (shape: [Int], blocks: [[Float]]) {
        guard let stream = streams[modality] else { return ([], []) }
        var shape: [Int] = []
        var blocks: [[Float]] = []
        blocks.reserveCapacity(rows.count)
        let planned = visit?.claim(modality, rows, augments, random)
        for (place, row) in rows.enumerated() {
            let block: SampleBlock
            if let planned, let visit {
                block = try visit.take(planned + place, helpUpTo: planned + rows.count)
            } else {
                try Cancellation.check("reading \(stream.name)")
                block = try stream.read(row, augments: augments, random: random)
            }
            if place == 0 { shape = block.shape }
            guard block.shape == shape else {
                throw stream.media[row].damage(
                    "gives shape \(block.shape) for '\(stream.name)', \(stream.media[rows[0]].name) gives \(shape)")
            }
            blocks.append(block.values)
        }
        return (shape, blocks)
    }
}

/// Announced batches and the threads that read them.
private final class Visit {
    private let modalities: [Int], rows: [Int]
    private let batchSize: Int, augments: Bool, key: UInt64
    private let lookahead: Lookahead<SampleBlock>
    private let threads: Threads
    private var batch = 0, place = 0

    init(
        _ streams: [ModalityStream], _ modalities: [Int], _ rows: [Int], _ batchSize: Int, _ augments: Bool,
        _ random: RandomStream, limit: Int, threads count: Int
    ) {
        (self.modalities, self.rows, self.batchSize, self.augments, key) = (
            modalities, rows, batchSize, augments, random.key
        )
        let kinds = streams.count
        let lookahead = Lookahead<SampleBlock>(count: rows.count * kinds, limit: limit, bytes: \.byteCount) { number in
            // Whole batches come first; within one, modality after modality.
            let first = number / (batchSize * kinds) * batchSize
            let size = min(batchSize, rows.count - first)
            let inside = number - first * kinds
            return try streams[inside / size].read(rows[first + inside % size], augments: augments, random: random)
        }
        self.lookahead = lookahead
        threads = Threads(count) { lookahead.work() }
    }

    func end() {
        lookahead.stop()
        threads.join()
    }

    /// The number of the first job of this request, if it is the one that is due.
    func claim(_ modality: Int, _ rows: [Int], _ augments: Bool, _ random: RandomStream) -> Int? {
        let first = batch * batchSize
        guard augments == self.augments, random.key == key, place < modalities.count, modalities[place] == modality,
            first < self.rows.count,
            rows.elementsEqual(self.rows[first..<min(first + batchSize, self.rows.count)])
        else { return nil }
        let number = first * modalities.count + place * rows.count
        place += 1
        if place == modalities.count { (batch, place) = (batch + 1, 0) }
        return number
    }

    func take(_ number: Int, helpUpTo end: Int) throws -> SampleBlock {
        try lookahead.take(number, helpUpTo: end, operation: "reading samples")
    }
}
