import BSSCore
import CBSSKernels

/// One modality of a dataset: a row of numbers for every sample, all of one shape, contiguous.
public struct Modality {
    public enum Kind: String, CaseIterable, Sendable {
        /// [columns]
        case features
        /// [channels, frequency, time], a spectrogram
        case audio
        /// [channels, height, width]
        case image
        /// [steps, columns]
        case sequence
        /// [frames, channels, height, width], or [channels, frames, height, width] for 3D convolutions
        case video
        /// [3, length]: token ids, attention mask, segment of each token
        case text

        /// What an array of so many axes a sample is taken for.
        init?(rank: Int) {
            guard let kind = [1: Kind.features, 2: .sequence, 3: .image, 4: .video][rank] else { return nil }
            self = kind
        }

        /// Axes of one sample.
        var rank: Int {
            switch self {
            case .features: return 1
            case .sequence, .text: return 2
            case .audio, .image: return 3
            case .video: return 4
            }
        }
    }

    public let name: String
    public let kind: Kind
    /// Of one sample; of one that is evaluated where augmented ones have another.
    public let shape: [Int]
    /// [samples × size], sample after sample; empty where samples are read when they are asked for.
    public internal(set) var values: [Float]
    /// The same as their file has them, where float32 cannot hold them: what is subtracted and divided by is told by
    /// these, which are let go of then.
    var exact: [Double] = []
    /// Where samples are read from, if they are not in memory.
    public internal(set) var stream: ModalityStream?
    /// What was subtracted and divided by, if anything.
    public internal(set) var standardisation: Standardisation?
    /// What the list was taken to hold, where that was not said: "column 'wav', sound files".
    var origin: String?

    /// Where the media of samples in memory were read from.
    var paths: [String] = []

    /// The file (or folder of frames) of a sample, where it has one.
    public func file(_ sample: Int) -> String? {
        stream?.media[sample].path ?? (paths.indices.contains(sample) ? paths[sample] : nil)
    }

    /// Numbers in one sample.
    public var size: Int { shape.reduce(1, *) }
    public var count: Int { stream?.count ?? (size == 0 ? 0 : values.count / size) }

    public init(_ name: String, _ kind: Kind, shape: [Int], stream: ModalityStream) {
        self.name = name
        self.kind = kind
        self.shape = shape
        self.stream = stream
        values = []
    }

    public init(_ name: String, _ kind: Kind, shape: [Int], values: [Float]) {
        stream = nil
        self.name = name
        self.kind = kind
        self.shape = shape
        self.values = values
    }

    /// Of numbers that may be more exact than float32.
    init(_ name: String, _ kind: Kind, shape: [Int], exact: [Double]) {
        self.init(name, kind, shape: shape, values: exact.map { Float($0) })
        if zip(values, exact).contains(where: { Double($0) != $1 }) { self.exact = exact }
    }

    /// Copies the rows of the given samples, in that order, to `target` (`indices.count × size` numbers); in memory
    /// only.
    public func copyRows(_ indices: [Int], to target: UnsafeMutablePointer<Float>) {
        let size = self.size
        values.withUnsafeBufferPointer { from in
            indices.withUnsafeBufferPointer { rows in
                guard let values = from.baseAddress, let first = rows.baseAddress else { return }
                _ = first.withMemoryRebound(to: Int64.self, capacity: rows.count) {
                    bss_index_select(BSS_F32, 1, Int64(count), Int64(size), values, $0, Int64(rows.count), target)
                }
            }
        }
    }

    /// One sample as it is evaluated.
    func sample(_ index: Int) throws -> [Float] {
        try stream?.sample(index).values ?? rows([index])
    }

    /// The rows of the given samples, in that order; in memory only.
    public func rows(_ indices: [Int]) -> [Float] {
        guard !indices.isEmpty, size > 0 else { return [] }
        return [Float](unsafeUninitializedCapacity: indices.count * size) { to, filled in
            guard let start = to.baseAddress else { return }
            copyRows(indices, to: start)
            filled = indices.count * size
        }
    }
}
