import BSSCore

/// A modality whose samples are read from their media when they are asked for.
public final class ModalityStream: @unchecked Sendable {
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

    /// One sample. Its draws depend on `random` (of the epoch), the sample and, but for shared ones, the modality
    /// alone: not on batches, threads or the order of samples.
    func read(_ sample: Int, augments: Bool, random: RandomStream) throws -> SampleBlock {
        let shared = random.child("sample \(sample)")
        return try reader.read(
            media[sample], SampleUse(augments: augments, random: shared.child(name), shared: shared, cache: cache))
    }
}
