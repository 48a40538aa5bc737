import BSSCodecs
import BSSCore
import Testing
import _BSSTestSupport

@testable import BSSData

/// Files that claim more than they are: one clear error, at once, whatever they claim.
@Suite(.oneAtATime) struct FileClaimTests {
    /// Seconds that the body takes.
    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        let duration = try clock.measure(body)
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }

    private func npy(_ descr: String, _ shape: String) -> [UInt8] {
        let header = Array("{'descr': '\(descr)', 'fortran_order': False, 'shape': \(shape), }\n".utf8)
        return [0x93] + Array("NUMPY".utf8) + [1, 0] + little(UInt16(header.count)) + header
    }

    @Test(
        "arrays whose elements take no bytes, or that have none",
        arguments: [
            ("<U0", "(4611686018427387904,)"), ("|S0", "(4611686018427387904,)"), ("<U0", "(1000000000,)"),
            ("<f4", "(0, 4611686018427387904, 4611686018427387904)"), ("<f4", "(4611686018427387904, 0)"),
            ("<f4", "(1000000000000, 0)"), ("<U0", "(0, 1000000000000)"), ("|u1", "(72057594037927936, 512)"),
            ("<U4294967295", "(4294967296,)"),
        ])
    func emptyElements(_ descr: String, _ shape: String) {
        let said = message { _ = try Npy.parse(npy(descr, shape), source: "x.npy") }
        #expect(["impossibly large", "too many", "truncated"].contains { said.contains($0) }, "\(said)")
    }

    @Test func smallArraysWithoutElementsAreRead() throws {
        #expect(try Npy.parse(npy("<U0", "(3,)"), source: "x").strings == ["", "", ""])
        #expect(try Npy.parse(npy("<f4", "(0, 3, 224, 224)"), source: "x").floats == [])
    }

    @Test(arguments: ["[0,4611686018427387904,4611686018427387904]", "[4611686018427387904,0]", "[1000000000000,0]"])
    func emptyTensors(_ shape: String) {
        let header = Array("{\"w\":{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":[0,0]}}".utf8)
        let bytes = little(UInt64(header.count)) + header
        #expect(message { _ = try Safetensors(bytes: bytes, source: "x") }.contains("impossibly large"))
    }

    @Test(arguments: [4_294_967_291, 1] as [UInt32]) func samplingRates(_ rate: UInt32) throws {
        let folder = try ScratchFolder()
        try folder.write("a.wav", wave(rate: rate, data: little(Int16(1), Int16(2), Int16(3))))
        try folder.write("index.csv", "wav,label,split\na.wav,0,train\na.wav,1,train\n")
        let sound = Value.fields([("kind", .string("audio")), ("column", .string("wav"))])
        let said = message {
            _ = try makeDataset(
                "folder", [("root", .string(folder.path)), ("modalities", .fields([("sound", sound)]))])
        }
        #expect(said.contains("a.wav") && said.contains("\(rate) Hz"), "\(said)")
    }

    /// A header that claims `side` × `side` pixels, and next to no pixels.
    private func claiming(_ side: UInt32) -> [UInt8] {
        let good = png(width: 1, height: 1, colour: 0, rows: [[7]])
        var body = Array("IHDR".utf8) + [side, side].flatMap { little($0.byteSwapped) } + [8, 0, 0, 0, 0]
        body += little(Checksum.crc32(body).byteSwapped)
        return Array(good[..<12]) + body + good[33...]
    }

    @Test func picturesOfManyPixels() throws {
        for side in [16384, 65535, 0x7FFF_FFFF] as [UInt32] {
            let said = message { _ = try RasterImage.decode(claiming(side), source: "x.png") }
            #expect(said.contains("\(side) × \(side) pixels") && said.contains("too many"), "\(said)")
        }
        #expect(message { _ = try RasterImage.decode(claiming(2000), source: "x.png") }.contains("x.png"))
    }

    /// A progressive grey JPEG of flat blocks whose scans are 64 spectral bands, each nothing but runs of ends.
    private func scans(side: Int, _ count: Int) -> [UInt8] {
        func segment(_ marker: UInt8, _ body: [UInt8]) -> [UInt8] {
            [0xFF, marker, UInt8((body.count + 2) >> 8), UInt8((body.count + 2) & 255)] + body
        }
        func table(_ kind: UInt8, _ symbol: UInt8) -> [UInt8] {
            segment(0xC4, [kind, 1] + [UInt8](repeating: 0, count: 15) + [symbol])
        }
        var out: [UInt8] = [0xFF, 0xD8] + segment(0xDB, [0] + [UInt8](repeating: 1, count: 64))
        out += segment(
            0xC2, [8, UInt8(side >> 8), UInt8(side & 255), UInt8(side >> 8), UInt8(side & 255), 1, 1, 0x11, 0])
        out += table(0x00, 0) + table(0x10, 0xE0)
        let blocks = (side / 8) * (side / 8)
        out += segment(0xDA, [1, 1, 0, 0, 0, 0]) + [UInt8](repeating: 0, count: blocks / 8)
        // EOB14 and 14 bits: 2^14 + value blocks end; runs of 16384 blocks, as bits 0 0…0.
        let runs = (blocks + 16383) / 16384
        for band in 1..<count {
            out +=
                segment(0xDA, [1, 1, 0, UInt8(band), UInt8(band), 0])
                + [UInt8](repeating: 0, count: (15 * runs + 7) / 8)
        }
        return out + [0xFF, 0xD9]
    }

    @Test func picturesOfManyScans() throws {
        // A few scans are well.
        #expect(try RasterImage.decode(scans(side: 256, 64), source: "x.jpg").pixels.allSatisfy { $0 == 128 })
        let large = scans(side: 8192, 64)
        var said = ""
        let time = seconds { said = message { _ = try RasterImage.decode(large, source: "x.jpg") } }
        #expect(said.contains("scans of 8192 x 8192 pixels"), "\(said)")
        #expect(time < 20, "\(time) s")
    }

    @Test func listsWithinLists() {
        var inner: [UInt8] = []
        for _ in 0..<5000 { inner = Array("LIST".utf8) + little(UInt32(inner.count + 4)) + Array("movi".utf8) + inner }
        let file = Array("RIFF".utf8) + little(UInt32(inner.count + 4)) + Array("AVI ".utf8) + inner
        #expect(message { _ = try AVI(bytes: file, source: "x.avi") }.contains("deep"))
    }

    @Test func decodersStop() throws {
        defer { Cancellation.clear() }
        Cancellation.request()
        let grey = png(
            width: 100, height: 100, colour: 0, rows: (0..<100).map { _ in [UInt8](repeating: 7, count: 100) })
        let zeros = [UInt8](repeating: 0, count: 100_000)
        for (name, body) in [
            ("png", { _ = try RasterImage.decode(grey, source: "x") }),
            ("jpeg", { _ = try RasterImage.decode(scans(side: 64, 8), source: "x") }),
            (
                "zip",
                { _ = try ZipArchive(bytes: ZipArchive.bytes([("a", zeros)], deflated: true), source: "x").read("a") }
            ),
            ("csv", { _ = try CSVTable(text: Array(String(repeating: "a\n", count: 5000).utf8), source: "x") }),
        ] as [(String, () throws -> Void)] {
            do {
                try body()
                Issue.record("\(name) went on")
            } catch { #expect((error as? BSSError)?.kind == .cancelled, "\(name): \(error)") }
        }
    }

    /// An archive whose directory is changed: `patch` gets the entry's place there.
    private func archive(_ entries: [(String, [UInt8])], _ patch: (inout [UInt8], Int) -> Void) throws -> [UInt8] {
        var bytes = try ZipArchive.bytes(entries.map { (name: $0.0, bytes: $0.1) }, deflated: true)
        var at = 0
        let mark: [UInt8] = [0x50, 0x4B, 0x01, 0x02]
        while at + 46 < bytes.count {
            if bytes[at..<at + 4].elementsEqual(mark) { patch(&bytes, at) }
            at += 1
        }
        return bytes
    }

    @Test func archivesThatUnpackToTooMuch() throws {
        var random = RandomStream(seed: 1, name: "noise")
        let noise = (0..<1 << 20).map { _ in UInt8(truncatingIfNeeded: random.nextWord()) }
        // 800 MiB out of a megabyte: deflate could, files do not.
        let bomb = try archive([("a.npy", [UInt8](repeating: 0, count: 1 << 20)), ("b", noise)]) { bytes, at in
            bytes.replaceSubrange(at + 24..<at + 28, with: little(UInt32(800 << 20)))
        }
        #expect(message { _ = try Npz(bytes: bomb, source: "x.npz") }.contains("too many for a file of"))
        // Entries that lie over each other.
        let overlapping = try archive([("a", noise), ("b", noise)]) { bytes, at in
            bytes.replaceSubrange(at + 20..<at + 24, with: little(UInt32(2 << 20)))
        }
        #expect(message { _ = try ZipArchive(bytes: overlapping, source: "x") }.contains("overlap"))
    }

    @Test func manyColumnsTakeLinearTime() throws {
        let folder = try ScratchFolder()
        for count in [100_000, 300_000] {
            let names = (0..<count).map { "p\($0)" }.joined(separator: ",")
            let row = String(repeating: "1,", count: count)
            try folder.write("a.csv", "\(names),label\n\(row)a\n\(row)b\n\(row)a\n\(row)b\n")
            let time = try seconds {
                let data = try makeDataset(
                    "csv",
                    [
                        ("path", .string(folder.file("a.csv"))), ("modalities", .fields([("x", .string("p"))])),
                        ("split", .fields([("train", .number(0.5)), ("test", .number(0.5))])),
                    ])
                #expect(data.modalities[0].shape == [count])
            }
            #expect(time < 5, "\(count) columns: \(time) s")
        }
    }

    @Test func picklesOfCopiesOfCopies() throws {
        // An ordered dictionary of 2000 pairs, copied 5000 times into a list.
        var pickle: [UInt8] = [0x80, 2] + Array("](]".utf8)
        for i in 0..<2000 { pickle += Array("M".utf8) + little(UInt16(i)) + Array("N".utf8) + [0x86] + Array("a".utf8) }
        pickle += Array("q\0".utf8)
        for _ in 0..<5000 { pickle += Array("ccollections\nOrderedDict\nh\0".utf8) + [0x85] + Array("R".utf8) }
        pickle += Array("e.".utf8)
        let bytes = try ZipArchive.bytes([(name: "a/data.pkl", bytes: pickle)])
        #expect(message { _ = try TorchFile(bytes: bytes, source: "x.pt") }.contains("copies of copies"))
        // A long name, spelled once and put together 5000 times.
        var names: [UInt8] =
            [0x80, 4] + Array("X".utf8) + little(UInt32(100_000)) + [UInt8](repeating: 0x61, count: 100_000)
        names += Array("q\0".utf8)
        for _ in 0..<5000 { names += Array("h\0h\0".utf8) + [0x93] }
        let long = try ZipArchive.bytes([(name: "a/data.pkl", bytes: names + Array(".".utf8))])
        #expect(message { _ = try TorchFile(bytes: long, source: "x.pt") }.contains("copies of copies"))
    }
}
