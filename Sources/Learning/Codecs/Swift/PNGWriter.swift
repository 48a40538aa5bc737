import CBSSCodecs

extension RasterImage {
    /// The picture as a PNG file; the same pixels give the same bytes.
    ///
    /// Source: ISO/IEC 15948 (PNG), 8 bits a channel, no filters; zlib (RFC 1950).
    public func png() -> [UInt8] {
        precondition(channels == 1 || channels == 3)
        var header: [UInt8] = []
        for size in [width, height] { header.append(bigEndian: UInt32(size)) }
        header += [8, channels == 3 ? 2 : 0, 0, 0, 0]
        var rows: [UInt8] = []
        for row in 0..<height { rows += [0] + pixels[row * width * channels..<(row + 1) * width * channels] }
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        for (name, body) in [("IHDR", header), ("IDAT", RasterImage.zlib(rows)), ("IEND", [])] {
            file.append(bigEndian: UInt32(body.count))
            let chunk = Array(name.utf8) + body
            file += chunk
            file.append(bigEndian: Checksum.crc32(chunk))
        }
        return file
    }

    private static func zlib(_ data: [UInt8]) -> [UInt8] {
        let body = [UInt8](unsafeUninitializedCapacity: data.count + data.count / 1000 + 64) { to, filled in
            filled = data.withUnsafeBufferPointer {
                max(0, Int(bss_deflate($0.baseAddress, $0.count, to.baseAddress, to.count)))
            }
        }
        // Adler-32.
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in data {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        var out: [UInt8] = [0x78, 0x9C] + body
        out.append(bigEndian: b << 16 | a)
        return out
    }
}

extension [UInt8] {
    fileprivate mutating func append(bigEndian value: UInt32) {
        for shift in [24, 16, 8, 0] as [UInt32] { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}
