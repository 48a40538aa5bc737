import BSSCodecs
import BSSCore
import Testing

@testable import BSSData

@Suite struct MediaTests {
    @Test func everyWaveCodingIsRead() throws {
        func samples(_ bytes: [UInt8]) throws -> [Float] { try WAV(bytes: bytes, source: "x.wav").samples }
        #expect(try samples(wave(data: little(Int16(16384), Int16(-32768)))) == [0.5, -1])
        #expect(try samples(wave(bits: 8, data: [192, 0])) == [0.5, -1])
        #expect(try samples(wave(bits: 24, data: [0, 0, 0x40, 0, 0, 0x80])) == [0.5, -1])
        #expect(try samples(wave(bits: 32, data: little(Int32(1 << 30), Int32.min))) == [0.5, -1])
        #expect(try samples(wave(tag: 3, bits: 32, data: little(Float(0.25).bitPattern))) == [0.25])
        #expect(try samples(wave(tag: 3, bits: 64, data: little(Double(0.25).bitPattern))) == [0.25])
        #expect(try samples(wave(data: little(Int16(16384)), isExtensible: true)) == [0.5])
        #expect(try samples(wave(tag: 3, bits: 32, data: little(Float(0.25).bitPattern), isExtensible: true)) == [0.25])
    }

    @Test func channelsAreMixedAndOddChunksPadded() throws {
        let list = Array("LIST".utf8) + little(UInt32(3)) + [1, 2, 3, 0]
        let stereo = try WAV(
            bytes: wave(
                channels: 2, rate: 44100, data: little(Int16(16384), Int16(0), Int16(-32768), Int16(-32768)),
                before: list), source: "x.wav")
        #expect(stereo.mono == [0.25, -1] && stereo.sampleRate == 44100 && stereo.frames == 2)
    }

    @Test func damagedWavesAreErrors() throws {
        let good = wave(data: little(Int16(1), Int16(2), Int16(3)))
        #expect(
            message { _ = try WAV(bytes: Array(good.dropLast(2)), source: "a.wav") }.contains(
                "a.wav: truncated: sound data needs 6 bytes"))
        #expect(message { _ = try WAV(bytes: wave(tag: 85, data: [0, 0]), source: "a.wav") }.contains("coding 85"))
        #expect(message { _ = try WAV(bytes: wave(channels: 0, data: []), source: "a.wav") }.contains("0 channels"))
        for length in 0..<good.count {
            #expect(!message { _ = try WAV(bytes: Array(good.prefix(length)), source: "x") }.isEmpty)
        }
    }

    @Test func pngColourTypes() throws {
        func pixels(_ bytes: [UInt8], _ alpha: RasterImage.Alpha = .dropped) throws -> [UInt8] {
            try RasterImage.decode(bytes, source: "x.png", alpha: alpha).pixels
        }
        #expect(try pixels(png(width: 2, height: 1, colour: 0, rows: [[7, 200]])) == [7, 7, 7, 200, 200, 200])
        #expect(try pixels(png(width: 1, height: 2, colour: 2, rows: [[1, 2, 3], [4, 5, 6]])) == [1, 2, 3, 4, 5, 6])
        #expect(
            try pixels(png(width: 3, height: 1, depth: 1, colour: 0, rows: [[0b1010_0000]])) == [
                255, 255, 255, 0, 0, 0, 255, 255, 255,
            ])
        #expect(
            try pixels(png(width: 2, height: 1, depth: 4, colour: 0, rows: [[0x1F]])) == [17, 17, 17, 255, 255, 255])
        #expect(
            try pixels(png(width: 2, height: 1, colour: 3, rows: [[1, 0]], chunks: [("PLTE", [9, 8, 7, 6, 5, 4])])) == [
                6, 5, 4, 9, 8, 7,
            ])
        let rgba = png(width: 1, height: 1, colour: 6, rows: [[100, 0, 50, 51]])
        #expect(try pixels(rgba) == [100, 0, 50])
        #expect(try pixels(rgba, .onWhite) == [224, 204, 214])
        #expect(try pixels(png(width: 1, height: 1, colour: 4, rows: [[100, 0]]), .onWhite) == [255, 255, 255])
    }

    /// v * 255 / 65535, rounded: ISO/IEC 15948, section 13.12.
    @Test func sixteenBitsAreScaled() throws {
        func row(_ values: [Int]) -> [UInt8] { values.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] } }
        let values = [0, 9, 128, 129, 256, 1000, 32768, 65406, 65407, 65535]
        let wanted = values.map { UInt8((Double($0) * 255 / 65535).rounded()) }
        #expect(wanted == [0, 0, 0, 1, 1, 4, 128, 254, 255, 255])
        let grey = try RasterImage.decode(
            png(width: UInt32(values.count), height: 1, depth: 16, colour: 0, rows: [row(values)]), source: "x.png")
        #expect(grey.pixels == wanted.flatMap { [$0, $0, $0] })
        let colour = try RasterImage.decode(
            png(width: 3, height: 1, depth: 16, colour: 2, rows: [row(Array(values[1...9]))]), source: "x.png")
        #expect(colour.pixels == Array(wanted[1...9]))
    }

    @Test func damagedImagesAreErrors() throws {
        let good = png(width: 2, height: 2, colour: 2, rows: [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]])
        // Behind the pixels, nothing has to be there: as libpng, a file without its end is read.
        let pixels = try RasterImage.decode(good, source: "x.png").pixels
        for length in 0..<good.count {
            let cut = try? RasterImage.decode(Array(good.prefix(length)), source: "x.png").pixels
            #expect(cut == (length < good.count - 12 ? nil : pixels), "\(length) of \(good.count)")
        }
        for at in 8..<good.count - 12 {
            var flipped = good
            flipped[at] ^= 0x10
            #expect(message { _ = try RasterImage.decode(flipped, source: "x.png") }.contains("x.png"), "byte \(at)")
        }
        #expect(
            message { _ = try RasterImage.decode(Array("GIF89a".utf8), source: "x.gif") }.contains(
                "not a PNG or JPEG image"))
        #expect(
            message { _ = try RasterImage.decode([0xFF, 0xD8, 0xFF], source: "x.jpg") }.contains("x.jpg: truncated"))
    }

    @Test func croppingAndFlipping() {
        let image = RasterImage(width: 3, height: 2, channels: 1, pixels: [1, 2, 3, 4, 5, 6])
        #expect(image.flippedHorizontally.pixels == [3, 2, 1, 6, 5, 4])
        #expect(image.cropped(top: -1, left: 1, height: 3, width: 3).pixels == [0, 0, 0, 2, 3, 0, 5, 6, 0])
        #expect(image.cropped(top: 5, left: 5, height: 1, width: 1).pixels == [0])
        #expect(image.centreCropped(height: 1, width: 1).pixels == [2])
        #expect(image.resized(width: 3, height: 2).pixels == image.pixels)
    }
}
