import BSSCore

/// Plain RIFF/WAVE audio: PCM of 8, 16, 24 and 32 bits, IEEE float of 32 and 64 bits, plain and extensible headers.
public struct WAV {
    public let sampleRate: Int
    public let channels: Int
    /// Interleaved samples; PCM is divided by 2^(bits - 1), so 16 bits are divided by 32768 (8-bit PCM is unsigned, 128
    /// is silence).
    public let samples: [Float]

    public var frames: Int { samples.count / channels }

    /// The mean of the channels, [frames].
    public var mono: [Float] { Sound.mean(samples, channels: channels) }

    public static func read(_ path: String) throws -> WAV { try WAV(bytes: try Files.readData(path), source: path) }

    /// - Throws: kind `.data`: foreign, truncated or inconsistent file, or a coding that only libsndfile reads (`Sound`
    ///   does).
    public init(bytes: [UInt8], source: String) throws {
        switch try WAV.parse(bytes, source: source) {
        case .plain(let wav): self = wav
        case .other(let kind): throw Bytes(all: bytes, source: source, format: "wav").damage("\(kind): not read here")
        }
    }

    /// What a RIFF/WAVE file turns out to be.
    enum Content {
        case plain(WAV)
        /// In a coding or a shape that is left to libsndfile; the words go on from the file's name.
        case other(String)
    }

    /// Sizes that programs write before they know better, when they write to a pipe: sox 0x7FFFF000, arecord 0x7FFFFFFF
    /// and 0x80000000 less a header, ffmpeg 0xFFFFFFFF. Everything that follows is sound.
    private static func isPlaceholder(_ size: Int) -> Bool {
        (0x7FFF_0000...0x8000_0000).contains(size) || size >= 0xFFFF_0000
    }

    private struct Format {
        let tag, channels, rate, align, bits, validBits: Int

        init(_ file: Bytes, at start: Int, size: Int) throws {
            guard size >= 16 else { throw file.damage("format chunk of \(size) bytes") }
            channels = try file.u16(start + 2, "format")
            rate = try file.u32(start + 4, "format")
            align = try file.u16(start + 12, "format")
            bits = try file.u16(start + 14, "format")
            // WAVE_FORMAT_EXTENSIBLE: the sub-format's first two bytes are the plain tag.
            let plain = try file.u16(start, "format")
            let isExtensible = plain == 0xFFFE && size >= 26
            tag = isExtensible ? try file.u16(start + 24, "extensible format") : plain
            let valid = isExtensible ? try file.u16(start + 18, "extensible format") : 0
            validBits = valid == 0 ? bits : valid
        }

        /// PCM of whole bytes and floats, in frames without gaps.
        var isPlain: Bool {
            let isKnown = tag == 1 ? [8, 16, 24, 32].contains(bits) : tag == 3 && [32, 64].contains(bits)
            return isKnown && validBits == bits && align == channels * bits / 8
        }
    }

    /// - Throws: kind `.data`: foreign, truncated or inconsistent.
    static func parse(_ bytes: [UInt8], source: String) throws -> Content {
        let file = Bytes(all: bytes, source: source, format: "wav")
        guard bytes.count >= 12, try file.ascii(0, 4, "magic") == "RIFF", try file.ascii(8, 4, "magic") == "WAVE" else {
            throw file.damage("not a RIFF/WAVE file")
        }
        var format: Format?
        var at = 12
        while at + 8 <= bytes.count {
            let kind = try file.ascii(at, 4, "chunk")
            let size = try file.u32(at + 4, "chunk")
            if kind == "fmt " {
                format = try Format(file, at: at + 8, size: size)
            } else if kind == "data" {
                guard let format else { throw file.damage("sound data before the format chunk") }
                guard format.channels > 0, format.rate > 0 else {
                    throw file.damage("\(format.channels) channels at \(format.rate) Hz")
                }
                let left = bytes.count - at - 8
                let isOpen = size > left && isPlaceholder(size)
                if !isOpen { try file.need(size, at: at + 8, "sound data") }
                guard format.isPlain else {
                    return .other("is a WAV file of coding \(format.tag) with \(format.validBits) bits")
                }
                if size == 0, left > 0 { return .other("is a WAV file that was never closed") }
                let length = isOpen ? left / format.align * format.align : size
                guard length % format.align == 0 else {
                    throw file.damage(
                        "sound data of \(length) bytes does not divide into frames of \(format.channels) × "
                            + "\(format.bits) bits"
                    )
                }
                return .plain(
                    WAV(
                        sampleRate: format.rate, channels: format.channels,
                        samples: try decode(file, at: at + 8, length, format.tag, format.bits)))
            }
            at += 8 + size + size % 2
        }
        throw file.damage(format == nil ? "truncated: no format chunk" : "truncated: no sound data")
    }

    private init(sampleRate: Int, channels: Int, samples: [Float]) {
        self.sampleRate = sampleRate
        self.channels = channels
        self.samples = samples
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
        default: throw file.damage("coding \(tag) with \(bits) bits is not plain")
        }
    }
}
