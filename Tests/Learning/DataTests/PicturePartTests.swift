import BSSCodecs
import BSSCore
import BSSData
import Testing
import _BSSTestSupport

/// A part of a picture is decoded alone, and has the pixels that the whole picture has there.
@Suite struct PicturePartTests {
    /// Parts of every kind: at edges, of one pixel, of all.
    private func parts(of image: RasterImage, _ count: Int) -> [RasterImage.Part] {
        var random = RandomStream(seed: 4, name: "parts")
        var parts = [RasterImage.Part(top: 0, left: 0, height: image.height, width: image.width)]
        for i in 0..<count {
            let height = 1 + random.integer(below: i % 3 == 0 ? min(image.height, 9) : image.height)
            let width = 1 + random.integer(below: i % 3 == 0 ? min(image.width, 9) : image.width)
            let top = i % 5 == 0 ? image.height - height : random.integer(below: image.height - height + 1)
            parts.append(
                .init(top: top, left: random.integer(below: image.width - width + 1), height: height, width: width))
        }
        return parts
    }

    private func compare(_ bytes: [UInt8], _ name: String) throws {
        let whole = try RasterImage.decode(bytes, source: name)
        for part in parts(of: whole, 150) {
            let alone = try RasterImage.decode(bytes, source: name) { _, _ in part }
            #expect(alone.width == part.width && alone.height == part.height)
            #expect(alone.pixels == whole.taking(part).pixels, "\(name), \(part)")
        }
    }

    @Test("photographs: 4:4:4, 4:2:0, progressive, grey", arguments: ["444", "420", "progressive", "gray"])
    func photographs(_ kind: String) throws {
        guard FixtureFolder.isPresent else { return FixtureFolder.reportAbsence("parts of photographs, \(kind)") }
        try compare(Files.read("\(FixtureFolder.location)/signal/photo_\(kind).jpg"), kind)
    }

    @Test("what is damaged or cut off outside the part is an error all the same")
    func damage() throws {
        let bytes = MediaBytes.jpeg(width: 64, height: 96) { x, y in (x * 40 % 256, y * 80 % 256, x * y % 256) }
        try compare(bytes, "x.jpg")
        let top = RasterImage.Part(top: 0, left: 0, height: 8, width: 64)
        for cut in [3, 10, 20] {
            #expect(throws: BSSError.self, "\(cut) bytes") {
                try RasterImage.decode(Array(bytes.dropLast(cut)), source: "x.jpg") { _, _ in top }
            }
        }
        for at in 2..<bytes.count {
            var damaged = bytes
            damaged[at] ^= 0x55
            do {
                let picture = try RasterImage.decode(damaged, source: "x.jpg") { width, height in
                    .init(top: height / 2, left: width / 2, height: 1, width: width - width / 2)
                }
                #expect(picture.pixels.count == picture.width * 3, "byte \(at)")
            } catch { #expect("\(error)".contains("x.jpg"), "byte \(at): \(error)") }
        }
    }
}
