import BSSCodecs
import BSSCore

/// Small files of real formats, made for tests.
public enum MediaBytes {
    /// A baseline JPEG, 4:4:4, of 8 × 8 blocks of one colour each.
    public static func jpeg(
        width: Int, height: Int, _ colour: (_ column: Int, _ row: Int) -> (Int, Int, Int)
    ) -> [UInt8] {
        func segment(_ marker: UInt8, _ body: [UInt8]) -> [UInt8] {
            [0xFF, marker, UInt8((body.count + 2) >> 8), UInt8((body.count + 2) & 255)] + body
        }
        func sides(_ n: Int) -> [UInt8] { [UInt8(n >> 8), UInt8(n & 255)] }
        var out: [UInt8] = [0xFF, 0xD8] + segment(0xDB, [0] + [UInt8](repeating: 1, count: 64))
        out += segment(0xC0, [8] + sides(height) + sides(width) + [3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
        // DC: the standard's table K.3; AC: nothing but the end of a block, as the code 0.
        let counts: [UInt8] = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
        out += segment(0xC4, [0x00] + counts + (0...11).map { UInt8($0) })
        out += segment(0xC4, [0x10, 1] + [UInt8](repeating: 0, count: 15) + [0])
        out += segment(0xDA, [3, 1, 0, 2, 0, 3, 0, 0, 63, 0])
        var codes: [(code: Int, length: Int)] = []
        var code = 0
        for (index, count) in counts.enumerated() {
            for _ in 0..<count {
                codes.append((code, index + 1))
                code += 1
            }
            code <<= 1
        }
        var held = 0
        var bits = 0
        func put(_ value: Int, _ length: Int) {
            for bit in stride(from: length - 1, through: 0, by: -1) {
                held = held << 1 | (value >> bit & 1)
                bits += 1
                if bits == 8 {
                    out.append(UInt8(held))
                    if held == 0xFF { out.append(0) }
                    (held, bits) = (0, 0)
                }
            }
        }
        var last = [0, 0, 0]
        for row in 0..<(height + 7) / 8 {
            for column in 0..<(width + 7) / 8 {
                let (r, g, b) = colour(column, row)
                let luma = 0.299 * Double(r) + 0.587 * Double(g) + 0.114 * Double(b)
                for (c, value) in [luma, 128 + (Double(b) - luma) / 1.772, 128 + (Double(r) - luma) / 1.402]
                    .enumerated()
                {
                    let dc = Int(((value - 128) * 8).rounded())
                    let difference = dc - last[c]
                    last[c] = dc
                    var size = 0
                    while abs(difference) >> size > 0 { size += 1 }
                    put(codes[size].code, codes[size].length)
                    if size > 0 { put(difference > 0 ? difference : difference + (1 << size) - 1, size) }
                    put(0, 1)
                }
            }
        }
        while bits != 0 { put(1, 1) }
        return out + [0xFF, 0xD9]
    }

    /// Mono 16-bit PCM.
    public static func wav(rate: Int, _ samples: [Double]) -> [UInt8] {
        var data: [UInt8] = []
        for sample in samples { data.appendLittle(UInt16(bitPattern: Int16(max(-32767, min(32767, sample * 32767))))) }
        var out = Array("RIFF".utf8)
        out.appendLittle(UInt32(36 + data.count))
        out += Array("WAVEfmt ".utf8)
        out.appendLittle(UInt32(16))
        for value in [1, 1] { out.appendLittle(UInt16(value)) }
        for value in [rate, rate * 2] { out.appendLittle(UInt32(value)) }
        for value in [2, 16] { out.appendLittle(UInt16(value)) }
        out += Array("data".utf8)
        out.appendLittle(UInt32(data.count))
        return out + data
    }

    /// A sine wave.
    public static func tone(_ hertz: Double, rate: Int, seconds: Double) -> [UInt8] {
        wav(
            rate: rate,
            (0..<Int(Double(rate) * seconds)).map { 0.5 * Math.sin(2 * .pi * hertz * Double($0) / Double(rate)) })
    }

    /// A Motion JPEG AVI of the given frames; another `coding` gives a file that needs another decoder.
    public static func avi(_ frames: [[UInt8]], coding: String = "MJPG") -> [UInt8] {
        func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
            var out = Array(name.utf8)
            out.appendLittle(UInt32(body.count))
            return out + body + [UInt8](repeating: 0, count: body.count % 2)
        }
        let header = chunk("avih", [UInt8](repeating: 0, count: 56))
        let stream = chunk("strh", Array("vidsMJPG".utf8) + [UInt8](repeating: 0, count: 48))
        let format = chunk(
            "strf", [UInt8](repeating: 0, count: 16) + Array(coding.utf8) + [UInt8](repeating: 0, count: 20))
        let streams = chunk("LIST", Array("strl".utf8) + stream + format)
        let movie = frames.flatMap { chunk("00dc", $0) }
        return chunk(
            "RIFF",
            Array("AVI ".utf8) + chunk("LIST", Array("hdrl".utf8) + header + streams)
                + chunk("LIST", Array("movi".utf8) + movie))
    }
}

extension Array where Element == UInt8 {
    fileprivate mutating func appendLittle<T: FixedWidthInteger>(_ value: T) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}
