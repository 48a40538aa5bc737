import BSSCore

/// RIFF/WAVE audio: PCM of 8, 16, 24 and 32 bits, IEEE float of 32 and 64 bits, plain and extensible headers.
public struct WAV {
    public let sampleRate: Int
    public let channels: Int
    /// Interleaved samples; PCM is divided by 2^(bits - 1), so 16 bits are divided by 32768 (8-bit PCM is unsigned, 128 is silence).
    public let samples: [Float]

    public var frames: Int { samples.count / channels }

    /// The mean of the channels, [frames].
    public var mono: [Float] { Sound.mean(samples, channels: channels) }

    public static func read(_ path: String) throws -> WAV { try WAV(bytes: try Files.read(path), source: path) }

    /// - Throws: kind `.data`: foreign, truncated or inconsistent file, or a coding that is not read.
    public init(bytes: [UInt8], source: String) throws {
        let file = Bytes(all: bytes, source: source, format: "wav")
        guard bytes.count >= 12, try file.ascii(0, 4, "magic") == "RIFF", try file.ascii(8, 4, "magic") == "WAVE" else {
            throw file.damage("not a RIFF/WAVE file")
        }
        var format: (tag: Int, channels: Int, rate: Int, align: Int, bits: Int)?
        var at = 12
        while at + 8 <= bytes.count {
            let kind = try file.ascii(at, 4, "chunk")
            let size = try file.u32(at + 4, "chunk")
            if kind == "fmt " {
                guard size >= 16 else { throw file.damage("format chunk of \(size) bytes") }
                var tag = try file.u16(at + 8, "format")
                // WAVE_FORMAT_EXTENSIBLE: the sub-format's first two bytes are the plain tag.
                if tag == 0xFFFE { tag = try file.u16(at + 8 + 24, "extensible format") }
                format = (
                    tag, try file.u16(at + 10, "format"), try file.u32(at + 12, "format"),
                    try file.u16(at + 20, "format"),
                    try file.u16(at + 22, "format")
                )
            } else if kind == "data" {
                guard let format else { throw file.damage("sound data before the format chunk") }
                guard format.channels > 0, format.rate > 0 else {
                    throw file.damage("\(format.channels) channels at \(format.rate) Hz")
                }
                // Streams that were never finished carry 0xFFFFFFFF: everything that follows is sound.
                let length = size == 0xFFFF_FFFF ? bytes.count - at - 8 : size
                try file.need(length, at: at + 8, "sound data")
                guard format.bits % 8 == 0, format.align == format.channels * format.bits / 8, format.align > 0,
                    length % format.align == 0
                else {
                    throw file.damage(
                        "sound data of \(length) bytes does not divide into frames of \(format.channels) × \(format.bits) bits"
                    )
                }
                samples = try WAV.decode(file, at: at + 8, length, format.tag, format.bits)
                channels = format.channels
                sampleRate = format.rate
                return
            }
            at += 8 + size + size % 2
        }
        throw file.damage(format == nil ? "truncated: no format chunk" : "truncated: no sound data")
    }

    private static func decode(_ file: Bytes, at start: Int, _ length: Int, _ tag: Int, _ bits: Int) throws -> [Float] {
        let count = length / max(1, bits / 8)
        func made(_ sample: (UnsafeRawBufferPointer, Int) -> Float) -> [Float] {
            [Float](unsafeUninitializedCapacity: count) { to, filled in
                file.all.withUnsafeBytes { from in
                    let data = UnsafeRawBufferPointer(rebasing: from[start..<start + length])
                    for i in 0..<count { to[i] = sample(data, i) }
                }
                filled = count
            }
        }
        switch (tag, bits) {
        case (1, 8): return made { (Float($0[$1]) - 128) * 0x1p-7 }
        case (1, 16):
            return made {
                Float(Int16(littleEndian: $0.loadUnaligned(fromByteOffset: 2 * $1, as: Int16.self))) * 0x1p-15
            }
        case (1, 24):
            return made {
                let word = UInt32($0[3 * $1]) << 8 | UInt32($0[3 * $1 + 1]) << 16 | UInt32($0[3 * $1 + 2]) << 24
                return Float(Int32(bitPattern: word) >> 8) * 0x1p-23
            }
        case (1, 32):
            return made {
                Float(Int32(littleEndian: $0.loadUnaligned(fromByteOffset: 4 * $1, as: Int32.self))) * 0x1p-31
            }
        case (3, 32):
            return made {
                Float(bitPattern: UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: 4 * $1, as: UInt32.self)))
            }
        case (3, 64):
            return made {
                Float(
                    Double(bitPattern: UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 8 * $1, as: UInt64.self))))
            }
        default: throw file.damage("coding \(tag) with \(bits) bits is not read (PCM 8/16/24/32 and float 32/64 are)")
        }
    }
}
