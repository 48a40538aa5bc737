import BSSCore

/// An AVI file (RIFF) whose video is Motion JPEG: every frame is a JPEG file of its own.
///
/// Other codings are left to ffmpeg: `scripts/data` extracts their frames.
public struct AVI {
    /// The bytes of each frame of the first video stream.
    public let frames: [ArraySlice<UInt8>]

    /// - Throws: kind `.data`: foreign, truncated or damaged, or another coding than Motion JPEG.
    public init(bytes: [UInt8], source: String) throws {
        let file = Bytes(all: bytes, source: source, format: "avi")
        guard bytes.count >= 12, try file.ascii(0, 4, "magic") == "RIFF", try file.ascii(8, 4, "magic") == "AVI " else {
            throw file.damage("not an AVI file")
        }
        var frames: [ArraySlice<UInt8>] = []
        var stream = -1
        var video: (number: Int, coding: String)?
        /// Chunks between two positions; lists are entered, which stand three deep in good files.
        func walk(_ start: Int, _ end: Int, depth: Int = 0) throws {
            guard depth < 16 else { throw file.damage("lists within lists, \(depth) deep") }
            var at = start
            while at + 8 <= end {
                let kind = try file.ascii(at, 4, "chunk")
                let size = try file.u32(at + 4, "chunk")
                try file.need(size, at: at + 8, "chunk '\(kind)'")
                switch kind {
                case "LIST": try walk(at + 12, at + 8 + size, depth: depth + 1)
                case "strh":
                    stream += 1
                    if video == nil, try file.ascii(at + 8, 4, "stream header") == "vids" { video = (stream, "") }
                case "strf":
                    // BITMAPINFOHEADER: the coding's four letters stand at byte 16.
                    if video?.number == stream, size >= 20 {
                        video?.coding = try file.ascii(at + 8 + 16, 4, "stream format")
                    }
                default:
                    guard let video, kind.dropFirst(2) == "dc" || kind.dropFirst(2) == "db",
                        Int(kind.prefix(2)) == video.number
                    else { break }
                    // An empty chunk repeats the frame before it.
                    if size > 0 {
                        frames.append(bytes[at + 8..<at + 8 + size])
                    } else if let last = frames.last {
                        frames.append(last)
                    }
                }
                at += 8 + size + size % 2
            }
        }
        var at = 0
        // Files above 1 GB continue in further RIFF chunks.
        while at + 12 <= bytes.count, try file.ascii(at, 4, "magic") == "RIFF" {
            let size = try file.u32(at + 4, "size")
            try file.need(size, at: at + 8, "the file's contents")
            try walk(at + 12, at + 8 + size)
            at += 8 + size + size % 2
        }
        guard let video else { throw file.damage("holds no video stream") }
        guard ["MJPG", "mjpg"].contains(video.coding) else {
            throw BSSError(
                "read avi", "\(source): its video is coded as '\(video.coding)'; Motion JPEG is read",
                hint: "extract its frames with ffmpeg: see scripts/data", kind: .data)
        }
        self.frames = frames
    }
}
