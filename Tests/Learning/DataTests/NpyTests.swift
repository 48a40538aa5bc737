import BSSCodecs
import BSSCore
import Testing

@testable import BSSData

@Suite struct NpyTests {
    /// A file as numpy writes it, with the given header entries and data.
    private func file(
        _ descr: String, _ shape: String, fortran: Bool = false, version: UInt8 = 1, _ data: [UInt8]
    ) -> [UInt8] {
        let header = Array(
            "{'descr': '\(descr)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }\n".utf8)
        let length = version == 1 ? little(UInt16(header.count)) : little(UInt32(header.count))
        return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + header + data
    }

    @Test func everyElementTypeIsRead() throws {
        func numbers(_ descr: String, _ data: [UInt8]) throws -> [Double]? {
            try Npy.parse(file(descr, "(2,)", data), source: "x").doubles
        }
        #expect(try numbers("<f4", little(Float(1.5).bitPattern, Float(-2).bitPattern)) == [1.5, -2])
        #expect(try numbers("<f8", little(Double(1.5).bitPattern, Double(-2).bitPattern)) == [1.5, -2])
        #expect(try numbers("<f2", little(UInt16(0x3C00), UInt16(0xC000))) == [1, -2])
        #expect(try numbers("<i2", little(Int16(7), Int16(-7))) == [7, -7])
        #expect(try numbers("<i4", little(Int32(7), Int32(-7))) == [7, -7])
        #expect(try numbers("<i8", little(Int64(7), Int64(-7))) == [7, -7])
        #expect(try numbers("|i1", [7, 249]) == [7, -7])
        #expect(try numbers("|u1", [7, 249]) == [7, 249])
        #expect(try numbers("<u2", little(UInt16(7), UInt16(60000))) == [7, 60000])
        #expect(try numbers("<u4", little(UInt32(7), UInt32(4_000_000_000))) == [7, 4_000_000_000])
        #expect(try numbers("|b1", [1, 0]) == [1, 0])
        #expect(
            try numbers(">f4", Array(little(Float(1.5).bitPattern.byteSwapped, Float(-2).bitPattern.byteSwapped))) == [
                1.5, -2,
            ])
        #expect(try numbers(">i8", Array(little(Int64(7).byteSwapped, Int64(-7).byteSwapped))) == [7, -7])
        #expect(
            try Npy.parse(file("<f8", "(1,)", version: 3, little(Double(4).bitPattern)), source: "x").doubles == [4])
        #expect(try Npy.parse(file("<f8", "()", version: 2, little(Double(4).bitPattern)), source: "x").shape == [])
    }

    @Test func textIsRead() throws {
        let words = ["é", "train"].flatMap { text in
            (0..<5).flatMap { i in
                little(UInt32(i < text.unicodeScalars.count ? Array(text.unicodeScalars)[i].value : 0))
            }
        }
        #expect(try Npy.parse(file("<U5", "(2,)", words), source: "x").strings == ["é", "train"])
        #expect(try Npy.parse(file("|S3", "(2,)", Array("ab\0xyz".utf8)), source: "x").strings == ["ab", "xyz"])
    }

    @Test func fortranOrderBecomesCOrder() throws {
        // numpy.asfortranarray([[1, 2, 3], [4, 5, 6]]) is stored column by column.
        let array = try Npy.parse(file("|u1", "(2, 3)", fortran: true, [1, 4, 2, 5, 3, 6]), source: "x")
        #expect(array.shape == [2, 3] && array.integers == [1, 2, 3, 4, 5, 6])
        let cube = try Npy.parse(file("|u1", "(2, 2, 2)", fortran: true, [0, 4, 2, 6, 1, 5, 3, 7]), source: "x")
        #expect(cube.integers == Array(0..<8))
    }

    @Test func whatIsWrittenReadsBack() throws {
        let folder = try ScratchFolder()
        let arrays: [(name: String, array: NpyArray)] = [
            ("f", NpyArray([Float(0.1), .infinity, .nan, -0.0], shape: [2, 2])),
            ("d", NpyArray([Double.pi], shape: [])), ("i", NpyArray([1, -2, 3])),
            ("u", NpyArray([UInt8(0), 255])), ("b", NpyArray([true, false])), ("s", NpyArray(["", "träin", "x"])),
            ("empty", NpyArray([Float](), shape: [0, 3])),
        ]
        for deflated in [false, true] {
            try Npz.write(arrays, to: folder.file("a.npz"), deflated: deflated)
            let npz = try Npz(folder.file("a.npz"))
            #expect(npz.names == arrays.map(\.name))
            for (name, array) in arrays {
                let back = try npz.array(name)
                #expect(back.shape == array.shape && back.dtype == array.dtype, "\(name)")
                #expect(Npy.bytes(back) == Npy.bytes(array), "\(name)")
            }
        }
    }

    @Test func damageIsOneClearError() throws {
        let good = file("<f4", "(2, 3)", [UInt8](repeating: 0, count: 24))
        #expect(
            message { _ = try Npy.parse(Array(good.dropLast(4)), source: "x.npy") }.contains(
                "x.npy: truncated: float32[2, 3] needs 24 bytes of data, the file has 20"))
        #expect(message { _ = try Npy.parse(Array(good.prefix(9)), source: "x.npy") }.contains("not an npy file"))
        #expect(message { _ = try Npy.parse(file("|O", "(2,)", []), source: "x.npy") }.contains("pickled"))
        #expect(message { _ = try Npy.parse(file("<c8", "(2,)", []), source: "x.npy") }.contains("'<c8'"))
        #expect(
            message { _ = try Npy.parse(file("<f4", "(9223372036854775807, 9)", []), source: "x.npy") }.contains(
                "impossibly large"))
        for length in 0..<good.count {
            #expect(!message { _ = try Npy.parse(Array(good.prefix(length)), source: "x") }.isEmpty)
        }
    }

    @Test func damagedArchivesAreErrors() throws {
        let data = Npy.bytes(NpyArray((0..<500).map { Float($0 % 7) }))
        for deflated in [false, true] {
            let good = try ZipArchive.bytes([("a.npy", data), ("b.npy", data)], deflated: deflated)
            #expect(try ZipArchive(bytes: good, source: "z").read("b.npy") == data)
            for cut in stride(from: 0, to: good.count, by: 13) {
                #expect(
                    !message { _ = try ZipArchive(bytes: Array(good.prefix(cut)), source: "z").read("a.npy") }.isEmpty)
            }
            var flipped = good
            flipped[60] ^= 0xFF
            #expect(message { _ = try ZipArchive(bytes: flipped, source: "z").read("a.npy") }.contains("a.npy"))
        }
        #expect(
            message { _ = try Npz(bytes: try ZipArchive.bytes([("a.npy", data)]), source: "z.npz").array("c") }
                .contains("no array 'c' (it holds a)"))
    }

    @Test func zip64EntriesAreRead() throws {
        // One stored entry whose sizes and position stand in the extra field, as numpy's force_zip64 writes them.
        let data: [UInt8] = [1, 2, 3]
        let name = Array("x".utf8)
        let all = UInt32.max
        let crc = Checksum.crc32(data)
        let local =
            little(UInt32(0x0403_4b50)) + little(UInt16(45), 0, 0, 0, 0) + little(crc, all, all) + little(UInt16(1), 20)
            + name
            + little(UInt16(1), 16) + little(UInt64(3), 3) + data
        let central =
            little(UInt32(0x0201_4b50)) + little(UInt16(45), 45, 0, 0, 0, 0) + little(crc, all, all)
            + little(UInt16(1), 28, 0, 0, 0) + little(UInt32(0), all)
            + name + little(UInt16(1), 24) + little(UInt64(3), 3, 0)
        let end =
            little(UInt32(0x0605_4b50)) + little(UInt16(0), 0, 1, 1)
            + little(UInt32(central.count), UInt32(local.count)) + little(UInt16(0))
        #expect(try ZipArchive(bytes: local + central + end, source: "z").read("x") == data)
    }

    @Test func checksumsAreTheStandardOnes() {
        #expect(Checksum.crc32(Array("123456789".utf8)) == 0xCBF4_3926)
        #expect(Checksum.sha256([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            Checksum.sha256(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Checksum.sha256([UInt8](repeating: 0x61, count: 1_000_000))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }
}
