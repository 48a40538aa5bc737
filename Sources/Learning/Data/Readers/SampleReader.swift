import BSSCodecs
import BSSCore

/// How a medium becomes the numbers of one sample.
///
/// A reader is a pure function: same files, options and draws, same bits, on any thread, in any order. It holds
/// constant tables only.
protocol SampleReader: Sendable {
    /// Every option that changes what `MediaCache` would keep; nil: nothing of it is worth keeping.
    var cacheKey: String? { get }
    /// The shape of a sample where it is the same for all; nil where the first sample tells.
    func shape(augments: Bool) -> [Int]?
    /// Whether training sees something else than evaluation: what no sample in memory can be.
    var draws: Bool { get }
    func read(_ medium: Medium, _ use: SampleUse) throws -> SampleBlock
    /// Throws where anything of the medium cannot be read, also what one sample would not need.
    func check(_ medium: Medium) throws
}

extension SampleReader {
    var draws: Bool { false }
    func check(_ medium: Medium) throws { _ = try read(medium, SampleUse()) }
}

/// A file, or a folder of frames.
struct Medium: Sendable {
    /// The dataset's folder: one text for all media.
    let root: String
    /// The path inside that folder, as messages call it; or an absolute one.
    let name: String
    /// For entries of annotation files that say which part of a recording is meant: frames first ..< end.
    var range: Range<Int>?
    /// The file's bytes, where somebody has read it already.
    var bytes: [UInt8]?

    init(root: String, name: String, bytes: [UInt8]? = nil) {
        self.root = root
        self.name = name
        self.bytes = bytes
    }

    /// Where it is.
    var path: String { name.hasPrefix("/") || root.isEmpty ? name : "\(root)/\(name)" }

    func contents() throws -> [UInt8] {
        if let bytes { return bytes }
        do { return try Files.readData(path) } catch var error as BSSError {
            if error.message.hasPrefix(path) { error.message = name + error.message.dropFirst(path.count) }
            throw error
        }
    }

    /// A file of this folder.
    func file(_ entry: String) -> Medium { Medium(root: root, name: "\(name)/\(entry)") }

    func damage(_ reason: String) -> BSSError { BSSError("read", "\(name): \(reason)", kind: .data) }

    /// Pictures of a folder, sorted by name.
    static func pictures(in folder: String) throws -> [String] { try Files.list(folder).filter(isPicture) }
    static func isPicture(_ name: String) -> Bool {
        guard let dot = name.lastIndex(of: ".") else { return false }
        return ["jpg", "jpeg", "png"].contains(name[name.index(after: dot)...].lowercased())
    }
}

/// What a sample is read for: whether it is augmented, with which draws, and where decoded media are kept.
struct SampleUse {
    var augments = false
    /// Draws of this sample, epoch and modality.
    var random = RandomStream(seed: 0, name: "sample")
    /// Draws of this sample and epoch that its modalities share (one crop for all).
    var shared = RandomStream(seed: 0, name: "sample")
    var cache: MediaCache?

    /// A picture as decoded from its file, RGB; `part` chooses from width and height what is wanted, nil for all.
    func picture(
        _ medium: Medium, alpha: RasterImage.Alpha = .dropped,
        part: (_ width: Int, _ height: Int) -> RasterImage.Part? = { _, _ in nil }
    ) throws -> RasterImage {
        guard let cache else {
            return try RasterImage.decode(try medium.contents(), source: medium.name, alpha: alpha, part: part)
        }
        let block = try cache.block(medium.path) {
            SampleBlock(try RasterImage.decode(try medium.contents(), source: medium.name, alpha: alpha))
        }
        guard case .picture(let image) = block.content else {
            throw medium.damage("its cached copy in \(cache.path) is no picture")
        }
        return part(image.width, image.height).map(image.taking) ?? image
    }
}
