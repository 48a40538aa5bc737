import BSSCore
import CBSSCodecs
import Glibc

/// A recording: plain WAV by our own reader (it needs no library, and gives libsndfile's numbers); companded and
/// compressed WAV, FLAC, Ogg Vorbis and the other formats of libsndfile where that library is installed.
public struct Sound: Sendable {
    public let sampleRate: Int
    public let channels: Int
    /// Interleaved, in [-1, 1] for integer codings.
    public let samples: [Float]

    public var frames: Int { samples.count / channels }

    /// The mean of the channels, [frames].
    public var mono: [Float] { Sound.mean(samples, channels: channels) }

    static func mean(_ samples: [Float], channels: Int) -> [Float] {
        if channels == 1 { return samples }
        let count = samples.count / channels
        let scale = 1 / Float(channels)
        return [Float](unsafeUninitializedCapacity: count) { to, filled in
            samples.withUnsafeBufferPointer { x in
                for frame in 0..<count {
                    var sum: Float = 0
                    for channel in 0..<channels { sum += x[frame * channels + channel] }
                    to[frame] = sum * scale
                }
            }
            filled = count
        }
    }

    public static func read(_ path: String) throws -> Sound { try Sound(bytes: try Files.readData(path), source: path) }

    /// - Throws: kind `.data`: foreign, truncated or damaged, or a format that needs a library which is not installed.
    public init(bytes: [UInt8], source: String) throws {
        guard !bytes.isEmpty else { throw BSSError("read sound", "\(source): the file is empty", kind: .data) }
        guard bytes.starts(with: Array("RIFF".utf8)) else {
            (sampleRate, channels, samples) = try Sound.library(bytes, source, "is no WAV file but another format")
            return
        }
        switch try WAV.parse(bytes, source: source) {
        case .plain(let wav): (sampleRate, channels, samples) = (wav.sampleRate, wav.channels, wav.samples)
        case .other(let kind): (sampleRate, channels, samples) = try Sound.library(bytes, source, kind)
        }
    }

    /// By libsndfile; `kind` says what it is that only the library reads.
    private static func library(_ bytes: [UInt8], _ source: String, _ kind: String) throws -> (Int, Int, [Float]) {
        func damage(_ reason: String, hint: String? = nil) -> BSSError {
            BSSError("read sound", "\(source): \(reason)", hint: hint, kind: .data)
        }
        var sound = bss_sound()
        var task = bss_sound_task()
        task.is_cancelled = DecodingBudget.isCancelled
        task.most = Int64(DecodingBudget(fileBytes: bytes.count).limit / 4)
        let status = bytes.withUnsafeBufferPointer { bss_sound_read($0.baseAddress, $0.count, &task, &sound) }
        let words = withUnsafeBytes(of: &task.reason) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        switch status {
        case BSS_SOUND_OK: break
        case BSS_SOUND_CANCELLED: throw BSSError.cancelled("read sound")
        case BSS_SOUND_NO_LIBRARY:
            throw damage(
                "\(kind), which is read by libsndfile, and that library is not installed",
                hint: "apt-get install libsndfile1")
        case BSS_SOUND_NO_MEMORY: throw damage("not enough memory for its samples")
        case BSS_SOUND_TOO_LARGE: throw damage("more than \(task.most) samples in \(bytes.count) bytes")
        default: throw damage(words.isEmpty ? "is no sound file that can be read" : words)
        }
        let samples = Array(UnsafeBufferPointer(start: sound.samples, count: Int(sound.frames) * Int(sound.channels)))
        free(sound.samples)
        if sound.frames < sound.claimed, sound.claimed < Int64.max / 2 {
            throw damage("truncated: \(sound.frames) of \(sound.claimed) samples can be read")
        }
        return (Int(sound.rate), Int(sound.channels), samples)
    }
}
