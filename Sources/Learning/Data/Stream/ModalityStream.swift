import BSSCore

/// A modality whose samples are read from their media when they are asked for.
public final class ModalityStream: Sendable {
    let name: String
    let reader: any SampleReader
    let media: [Medium]
    let cache: MediaCache?

    public var count: Int { media.count }

    init(_ name: String, _ reader: any SampleReader, _ media: [Medium], cache: MediaCache? = nil) {
        self.name = name
        self.reader = reader
        self.media = media
        self.cache = cache
    }

    /// The media at some places.
    func picked(_ places: [Int]) -> ModalityStream {
        ModalityStream(name, reader, places.map { media[$0] }, cache: cache)
    }

    /// The same media by another reader.
    func read(by reader: any SampleReader) -> ModalityStream {
        ModalityStream(name, reader, media, cache: cache)
    }

    /// One sample as it is evaluated.
    func sample(_ index: Int) throws -> SampleBlock {
        try read(index, augments: false, random: RandomStream(seed: 0, name: "sample"))
    }

    /// One sample. Its draws depend on `random` (of the epoch), the sample and, but for shared ones, the modality
    /// alone: not on batches, threads or the order of samples.
    func read(_ sample: Int, augments: Bool, random: RandomStream) throws -> SampleBlock {
        let shared = random.child("sample \(sample)")
        return try reader.read(
            media[sample], SampleUse(augments: augments, random: shared.child(name), shared: shared, cache: cache))
    }
}
