import BSSCodecs
import BSSCore

/// Every sample of a modality, read at once.
struct ResidentSamples {
    /// Of one sample; empty where none could be read.
    private(set) var shape: [Int] = []
    /// Which media could be read, ascending, and their samples one after the other.
    private var places: [Int] = []
    private var values: [Float] = []
    private(set) var files: [FileRecord] = []
    /// The media that could not be read, and why.
    private(set) var failures: [(place: Int, reason: String)] = []

    private typealias Read = Result<(block: SampleBlock, file: FileRecord), any Error>

    /// Reads several media at once; what waits in memory beside the samples does not grow with their number.
    /// - Parameter describe: how a message names the row of a medium.
    /// - Throws: a sample of another shape than the first; more than memory holds; Ctrl-C.
    init(_ stream: ModalityStream, name: String, operation: String, describe: (Int) -> String) throws {
        let clock = LoadingClock("reading \(stream.name) of \(name)", of: stream.count)
        if let known = stream.reader.shape(augments: false) { try reserve(known, stream, operation) }
        var first = 0
        while first < stream.count {
            // The first sample tells the size, where nothing else does; then as many as 256 MiB hold.
            let portion = size.map { max(1, min(64, (1 << 28) / max(1, 4 * $0))) } ?? 1
            let read = try Parallel.map(min(portion, stream.count - first), operation: operation) { [first] in
                ResidentSamples.read(stream, first + $0)
            }
            for (offset, result) in read.enumerated() {
                do {
                    let (block, file) = try result.get()
                    try append(block, file, first + offset, stream, operation, describe)
                } catch let error as BSSError where error.kind == .data {
                    failures.append((first + offset, error.message))
                }
            }
            first += read.count
            clock.report(first)
        }
    }

    /// Numbers in a sample, as far as they are known.
    private var size: Int?

    private mutating func reserve(_ shape: [Int], _ stream: ModalityStream, _ operation: String) throws {
        let size = shape.reduce(1, *)
        try Memory.reserve(
            stream.count, of: 4 * size, operation,
            "\(stream.count) samples \(shape) of '\(stream.name)' (stream = true reads them while training)")
        self.size = size
    }

    private static func read(_ stream: ModalityStream, _ place: Int) -> Read {
        Result {
            var medium = stream.media[place]
            // Hashed as it is read; a folder of frames when somebody asks.
            var file = FileRecord(path: medium.name, size: 0, sha256: "")
            if !Files.isFolder(medium.path) {
                let bytes = try medium.contents()
                file = FileRecord(path: medium.name, size: bytes.count, sha256: Checksum.sha256(bytes))
                medium.bytes = bytes
            }
            return (try stream.reader.read(medium, SampleUse(cache: stream.cache)), file)
        }
    }

    private mutating func append(
        _ block: SampleBlock, _ file: FileRecord, _ place: Int, _ stream: ModalityStream, _ operation: String,
        _ describe: (Int) -> String
    ) throws {
        if places.isEmpty {
            shape = block.shape
            try reserve(shape, stream, operation)
            values.reserveCapacity(stream.count * block.values.count)
        }
        guard block.shape == shape else {
            throw BSSError(
                operation,
                "\(describe(place)): \(file.path) gives shape \(block.shape), "
                    + "the first file of '\(stream.name)' gives \(shape)", kind: .usage)
        }
        places.append(place)
        values += block.values
        files.append(file)
    }

    /// The samples of the media that `isKept` keeps.
    func values(where isKept: (Int) -> Bool) -> [Float] {
        if places.allSatisfy(isKept) { return values }
        let size = shape.reduce(1, *)
        return places.indices.filter { isKept(places[$0]) }.flatMap { values[$0 * size..<($0 + 1) * size] }
    }
}
