import BSSCodecs
import BSSCore
import Foundation
import Testing
import _BSSTestSupport

@testable import BSSData

/// Files as people bring them: read as other programs read them, or named for what they are.
@Suite(.oneAtATime) struct BroughtFileTests {
    // MARK: Sound

    /// A WAVE file with a format chunk of its own.
    private func wave(format: [UInt8], data: [UInt8], size: UInt32? = nil, frames: UInt32? = nil) -> [UInt8] {
        func chunk(_ name: String, _ body: [UInt8], _ size: UInt32? = nil) -> [UInt8] {
            Array(name.utf8) + little(size ?? UInt32(body.count)) + body
        }
        let fact = frames.map { chunk("fact", little($0)) } ?? []
        let body = Array("WAVE".utf8) + chunk("fmt ", format) + fact + chunk("data", data, size)
        return chunk("RIFF", body)
    }
    private func format(_ tag: UInt16, rate: UInt32 = 8000, bytes: UInt32, align: UInt16, bits: UInt16) -> [UInt8] {
        little(tag, UInt16(1)) + little(rate, bytes) + little(align, bits)
    }
    private func samples(_ bytes: [UInt8]) throws -> [Float] { try Sound(bytes: bytes, source: "x.wav").samples }

    @Test func compandedWaves() throws {
        // ITU-T G.711: the ends of the scales, and their zeros.
        let law = format(7, bytes: 8000, align: 1, bits: 8)
        #expect(try samples(wave(format: law, data: [0xFF, 0x80, 0x00])).map { $0 * 32768 } == [0, 32124, -32124])
        let a = format(6, bytes: 8000, align: 1, bits: 8)
        #expect(try samples(wave(format: a, data: [0xD5, 0xAA, 0x2A])).map { $0 * 32768 } == [8, 32256, -32256])
    }

    @Test func compressedWaves() throws {
        // IMA ADPCM: a block that starts at 1000 and changes by an eighth of the smallest step, 0, at each of its
        // samples.
        let ima = format(0x11, bytes: 4055, align: 256, bits: 4) + little(UInt16(2), UInt16(505))
        let block = little(Int16(1000)) + [0, 0] + [UInt8](repeating: 0, count: 252)
        let decoded = try samples(wave(format: ima, data: block, frames: 505))
        #expect(decoded.count == 505 && decoded.allSatisfy { abs($0 * 32768 - 1000) < 8 })
        // GSM 6.10: 65 bytes are 320 samples; the library may fill up with a block of silence.
        let gsm = format(0x31, bytes: 1625, align: 65, bits: 0) + little(UInt16(2), UInt16(320))
        let speech = try samples(wave(format: gsm, data: [UInt8](repeating: 0, count: 130), frames: 640))
        #expect(speech.count >= 640 && speech.count % 320 == 0)
    }

    @Test func samplesOfTwelveAndTwentyBits() throws {
        let twelve = format(1, bytes: 16000, align: 2, bits: 12)
        #expect(try samples(wave(format: twelve, data: little(Int16(16384), Int16(-32768)))) == [0.5, -1])
        let twenty = format(1, bytes: 24000, align: 3, bits: 20)
        #expect(try samples(wave(format: twenty, data: [0, 0, 0x40, 0, 0, 0x80])) == [0.5, -1])
        // Extensible, with 20 valid bits in 24.
        let guid: [UInt8] = [1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]
        let extensible =
            format(0xFFFE, bytes: 24000, align: 3, bits: 24) + little(UInt16(22), UInt16(20)) + little(UInt32(4)) + guid
        #expect(try samples(wave(format: extensible, data: [0, 0, 0x40, 0, 0, 0x80])) == [0.5, -1])
    }

    @Test(arguments: [0x7FFF_F000, 0x7FFF_F024, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF_FFDC] as [UInt32])
    func lengthsOfPipes(_ size: UInt32) throws {
        let pcm = format(1, bytes: 16000, align: 2, bits: 16)
        let data = little(Int16(16384), Int16(-32768), Int16(0))
        #expect(try samples(wave(format: pcm, data: data, size: size)) == [0.5, -1, 0])
        // Half a frame at the end is not one.
        #expect(try samples(wave(format: pcm, data: data + [1], size: size)) == [0.5, -1, 0])
    }

    @Test func otherWrongLengthsAreErrors() throws {
        let pcm = format(1, bytes: 16000, align: 2, bits: 16)
        for size in [10, 100, 0x7000_0000] as [UInt32] {
            #expect(message { _ = try samples(wave(format: pcm, data: [0, 0], size: size)) }.contains("truncated"))
        }
    }

    // MARK: Pictures

    /// 9 × 8 pixels, written by libjpeg-turbo; the hash of what Pillow 13 reads from each (`convert("RGB")`).
    private static let jpegs = [
        (
            "CMYK", "d564dee9dab96835",
            """
            /9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAWEBETFBUVFQwPFx\
            gWFBgSFBUU/8AAFAgACAAJBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAcIBv/EAB0QAAEDBQEAAAAAAAAAAAAAAAAGBxYi\
            M0FRYqH/2gAOBEMATQBZAEsAAD8AmJrUjZo1gF2tSNmjWDGNakbNGsFctapLNehsiPHg2RHjwbIjx4Nkk7P/2Q==
            """
        ),
        (
            "YCCK", "b5bdebe8cdfb4f7d",
            """
            /9j/7gAOQWRvYmUAZAAAAAAC/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAWEBETFBUVFQwPFx\
            gWFBgSFBUU/9sAQwEDBAQFBAUJBQUJFA0LDRQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU/8AA\
            FAgACAAJBAEiAAIRAQMRAQQiAP/EABYAAQEBAAAAAAAAAAAAAAAAAAAHCP/EAB0QAAEDBQEAAAAAAAAAAAAAAAAGBxYiM0FRYqH/xAAUAQ\
            EAAAAAAAAAAAAAAAAAAAAG/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAA4EAQACEQMRBAAAPwC4Okrr1e8kTl3foAcIGuWtUlmvRbJJ2Af/\
            2Q==
            """
        ),
        (
            "arithmetic", "d6f3f65d1b9bd647",
            """
            /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA\
            8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/\
            yQARCAAIAAkDASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwD/AMs7SSvpwTzrGNRTTWI1Yc2k7Uww/9k=
            """
        ),
        (
            "arithmetic, progressive", "d6f3f65d1b9bd647",
            """
            /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA\
            8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/\
            ygARCAAIAAkDASIAAhEBAxEB/8wABgAQARD/2gAMAwEAAhADEAAAAf8AlpYGT2uA/8wABBAF/9oACAEBAAEFAhYkMptA/8wABBEF/9oACA\
            EDAQE/AcD/zAAEEQX/2gAIAQIBAT8BwP/MAAQQBf/aAAgBAQAGPwL/zAAEEAX/2gAIAQEAAT8h1hOg/9oADAMBAAIAAwAAABD8/8wABBEF\
            /9oACAEDAQE/EMD/zAAEEQX/2gAIAQIBAT8QwP/MAAQQBf/aAAgBAQABPxBMfFup/9k=
            """
        ),
    ]

    @Test func jpegsOfOtherKinds() throws {
        for (name, hash, text) in Self.jpegs {
            let image = try RasterImage.decode([UInt8](try #require(Data(base64Encoded: text))), source: name)
            #expect(image.width == 9 && image.height == 8 && Checksum.sha256(image.pixels).hasPrefix(hash), "\(name)")
        }
    }

    @Test(arguments: jpegs.indices) func jpegsThatWereCutShort(_ which: Int) throws {
        let whole = [UInt8](try #require(Data(base64Encoded: Self.jpegs[which].2)))
        for cut in [2, 3, 6, 12] {
            let said = message { _ = try RasterImage.decode(Array(whole.dropLast(cut)), source: "x.jpg") }
            #expect(said.contains("x.jpg: truncated"), "\(cut) bytes: \(said)")
        }
    }

    @Test func pngsThatLibpngTolerates() throws {
        func pixels(_ bytes: [UInt8]) throws -> [UInt8] { try RasterImage.decode(bytes, source: "x.png").pixels }
        let rows: [[UInt8]] = [[1, 2, 3, 4, 5, 6]]
        let plain = png(width: 2, height: 1, colour: 2, rows: rows)
        // A comment with a wrong checksum, a profile that is none, bytes behind the end, no end at all.
        var damaged = png(width: 2, height: 1, colour: 2, rows: rows, chunks: [("tEXt", Array("Title\0x".utf8))])
        damaged[8 + 25 + 8 + 7] ^= 0xFF
        #expect(try pixels(damaged) == rows[0])
        #expect(try pixels(png(width: 2, height: 1, colour: 2, rows: rows, chunks: [("iCCP", [1, 2, 3])])) == rows[0])
        #expect(try pixels(plain + Array("more".utf8)) == rows[0])
        #expect(try pixels(Array(plain.dropLast(12))) == rows[0])
        // A palette index without a colour is black.
        let short = png(width: 2, height: 1, colour: 3, rows: [[0, 9]], chunks: [("PLTE", [9, 8, 7])])
        #expect(try pixels(short) == [9, 8, 7, 0, 0, 0])
    }

    // MARK: What lies there instead

    @Test func otherThingsUnderTheirNames() throws {
        let folder = try ScratchFolder()
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
        let cases = [
            (pointer, "is a Git LFS pointer, not the file of 12345 bytes"),
            ("\r\n<!DOCTYPE html><html><body>Sign in</body></html>", "is an HTML page"),
            ("<HTML>404</HTML>", "is an HTML page"),
            ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "is a server's error message"),
        ]
        for (text, wanted) in cases {
            for name in ["a.npz", "a.npy", "a.csv", "a.wav", "a.png", "a.safetensors", "a.pt"] {
                let path = try folder.write(name, text)
                let said = message {
                    switch name.split(separator: ".").last {
                    case "npz": _ = try Npz(path)
                    case "npy": _ = try Npy.read(path)
                    case "csv":
                        _ = try makeDataset(
                            "csv", [("path", .string(path)), ("modalities", .fields([("x", .string("p"))]))])
                    case "wav": _ = try Sound.read(path)
                    case "png": _ = try RasterImage.read(path)
                    case "safetensors": _ = try Safetensors(path)
                    default: _ = try TorchFile(path)
                    }
                }
                #expect(said.contains(wanted) && said.contains(name), "\(name): \(said)")
            }
        }
    }

    // MARK: Text

    private func table(_ bytes: [UInt8]) throws -> CSVTable { try CSVTable(text: bytes, source: "t.csv") }

    @Test func linesThatEndOtherwise() throws {
        let t = try table(Array("a,b\r1,\"x\ry\"\r\r2,z".utf8))
        #expect(t.columns == ["a", "b"] && t.rows == [["1", "x\ry"], ["2", "z"]] && t.lines == [2, 5])
        #expect(TextLines.split(Array("a\rb\r".utf8)).map(\.text) == ["a", "b", ""])
        #expect(TextLines.split(Array("\u{FEFF}a\r\nb".utf8)).map(\.text) == ["a", "b"])
    }

    @Test func textOfSixteenBits() throws {
        let text = "a,b\n1,é\n2,🙂\n"
        let little = text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        let big = text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        for bytes in [
            [0xFF, 0xFE] + little, [0xFE, 0xFF] + big, Array("a,b\n1,2\n".utf16.flatMap { [UInt8($0 & 255), 0] }),
        ] {
            #expect(try table(bytes).columns == ["a", "b"])
        }
        #expect(try table([0xFF, 0xFE] + little).strings("b") == ["é", "🙂"])
        #expect(try table([0xFE, 0xFF] + big).strings("b") == ["é", "🙂"])
    }

    @Test func bytesThatAreNoText() throws {
        // Two Latin-1 letters stay two labels.
        let t = try table(Array("label\ncaf".utf8) + [0xE9, 0x0A] + Array("caf".utf8) + [0xE8, 0x0A])
        #expect(try t.strings("label") == ["caf\\xe9", "caf\\xe8"])
        #expect(Text.shown("a\u{10FEFF}é\u{10FE80}") == "a\\xffé\\x80" && Text.shown("é") == "é")
        #expect(Value.string("\u{10FEFF}").described == "string \"\\xff\"")
        #expect(Text.decoded([0x61, 0xFF, 0xC3, 0xA9, 0xC3] as [UInt8]) == "a\\xffé\\xc3")
    }

    @Test(arguments: ["1\u{0}2", "1.5\u{0}", "\u{0}", "0x1p3", "0x10", "1_000", "1e", "--1", "1 2", "infinite", ""])
    func whatIsNoNumber(_ text: String) {
        #expect(Text.double(text) == nil)
        #expect(!message { _ = try table(Array("x,y\n\(text),1\n".utf8)).doubles("x") }.isEmpty)
    }

    @Test func noTextHoldsANul() {
        for text in ["label\na\u{0}\n", "label\n\"a\u{0}\"\n", "la\u{0}bel\na\n"] {
            #expect(message { _ = try table(Array(text.utf8)) }.contains("a NUL byte"))
        }
    }

    @Test func whatIsANumber() {
        for (text, value) in [
            ("1", 1), ("-1.5e3", -1500), ("+.5", 0.5), ("5.", 5), ("-inf", -Double.infinity), ("Infinity", .infinity),
        ] {
            #expect(Text.double(text) == value, "\(text)")
        }
        #expect(Text.double("NaN")?.isNaN == true)
    }

    @Test func byteOrderMarks() throws {
        #expect(try JSON.parse(bytes: Array("\u{FEFF}{\"a\": 1}".utf8), source: "x").table?["a"]?.int == 1)
        let folder = try ScratchFolder()
        #expect(try Files.readText(folder.write("x.lua", "\u{FEFF}-- %%\nx = 1")) == "-- %%\nx = 1")
    }

    @Test func keysThatComeTwice() throws {
        let text = Array("{\"a\": 1, \"a\": 2}".utf8)
        #expect(try JSON.parse(bytes: text, source: "x").table?["a"]?.int == 2)
        #expect(message { _ = try JSON.parse(bytes: text, source: "x", refusesRepeatedKeys: true) }.contains("twice"))
        let entry = "{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":"
        let header = Array("{\"w\":\(entry)[0,1]},\"w\":\(entry)[1,2]}}".utf8)
        #expect(
            message { _ = try Safetensors(bytes: little(UInt64(header.count)) + header + [1, 2], source: "x") }
                .contains(
                    "the key \"w\" comes twice"))
    }

    @Test func pathsWithANul() {
        #expect(message { _ = try Files.read("/dev/null\u{0}.csv") }.contains("NUL"))
    }
}
