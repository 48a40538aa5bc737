import BSSCodecs
import BSSCore
import Testing
import _BSSTestSupport

/// `run:extremes` shows the samples themselves.
@Suite struct ExtremesTests {
    private func program() throws -> BuiltProgram {
        let program = try BuiltProgram()
        var list = "picture,sound,label\n"
        for i in 0..<24 {
            let shade = UInt8(i % 2 == 0 ? 40 : 200)
            let pixels = (0..<12 * 10 * 3).map { UInt8(truncatingIfNeeded: Int(shade) + $0 % 7 * i) }
            let picture = RasterImage(width: 12, height: 10, channels: 3, pixels: pixels)
            try Files.write(picture.png(), to: "\(program.folder)/p\(i).png")
            let wave = (0..<1200).map { Int16(8000 * Math.sin(Double($0 * (i % 2 == 0 ? 3 : 9)) / 10)) }
            try Files.write(ExtremesTests.wav(wave), to: "\(program.folder)/s\(i).wav")
            list += "p\(i).png,s\(i).wav,\(i % 2 == 0 ? "even" : "odd")\n"
        }
        try program.write("index.csv", list)
        return program
    }

    private static func wav(_ samples: [Int16]) -> [UInt8] {
        func word(_ value: Int, _ bytes: Int) -> [UInt8] { (0..<bytes).map { UInt8(value >> (8 * $0) & 255) } }
        let body = samples.flatMap { word(Int($0) & 0xFFFF, 2) }
        let form = word(16, 4) + word(1, 2) + word(1, 2) + word(8000, 4) + word(16000, 4) + word(2, 2) + word(16, 2)
        return Array("RIFF".utf8) + word(36 + body.count, 4) + Array("WAVEfmt ".utf8) + form + Array("data".utf8)
            + word(body.count, 4) + body
    }

    @Test("PNG files that are written are read back, pixel for pixel")
    func png() throws {
        for channels in [1, 3] {
            let pixels = (0..<7 * 5 * channels).map { UInt8(truncatingIfNeeded: $0 * 37) }
            let picture = RasterImage(width: 7, height: 5, channels: channels, pixels: pixels)
            let read = try RasterImage.decode(picture.png(), source: "test")
            #expect(read.width == 7 && read.height == 5)
            let expected = channels == 3 ? pixels : pixels.flatMap { [$0, $0, $0] }
            #expect(read.pixels == expected)
        }
    }

    @Test("the samples' files as text, their pictures and spectrograms in notebooks and pages")
    func filesAndPictures() throws {
        let program = try program()
        defer { program.remove() }
        try program.write(
            "n.lua",
            """
            -- %%
            local data = bss.data.folder{ root = ".", modalities = { picture = "picture", sound = "sound" } }
            run = bss.train{ data = data, epochs = 2, batch_size = 8, scheduler = "heuristic", record = false }
            -- %%
            run:extremes{ count = 2 }
            -- %%
            assert(run:extremes().lowest[1].files.picture:match "p%d+%.png$")
            assert(run:extremes{ count = 3 }.highest[3].score <= run:extremes{ count = 3 }.highest[1].score)
            """)
        let run = try program.run(["nb", "run", "--quiet", "n.lua"])
        #expect(run.code == 0, "\(run.summary)")
        let text = try Files.readText("\(program.folder)/n.lua")
        #expect(text.contains("--> lowest") && text.contains(".wav"))
        #expect(text.components(separatedBy: "<image ").count == 9)
        #expect(text.contains("<title>Samples with the lowest and highest balance scores"))
        let page = try program.run(["nb", "export", "--quiet", "n.lua", "-o", "n.html"])
        #expect(page.code == 0)
        let html = try Files.readText("\(program.folder)/n.html")
        #expect(html.contains("alt=\"Samples with the lowest and highest balance scores"))
    }

    @Test("data without anything to see has no drawing")
    func withoutPictures() throws {
        try ScriptFeatureTests.check(
            """
            local run = bss.train{ data = bss.data.synthetic{ samples = 120 }, epochs = 1, scheduler = "heuristic" }
            assert(run:extremes():svg() == nil and tostring(run:extremes()):find("highest", 1, true))
            """)
    }

    @Test("what a newcomer types for a table with pictures: lists of columns, another name of the labels")
    func ownTables() throws {
        let program = try program()
        defer { program.remove() }
        let list = try Files.readText("\(program.folder)/index.csv").split(separator: "\n")
        let rows = list.dropFirst().enumerated().map { "\($1),\($0),\($0 * 2)" }
        try program.write("t.csv", (["picture,sound,target,x,y"] + rows).joined(separator: "\n") + "\n")
        let lists = try program.script(
            """
            local d = bss.data.folder{ root = "\(program.folder)", list = "t.csv", label = "target",
              modalities = { picture = "picture", body = { "x", "y" } } }
            assert(d:kind "body" == "features" and d:shape("body")[1] == 2 and d:kind "picture" == "image")
            """)
        #expect(lists.code == 0, "\(lists.summary)")
        let file = try program.script(
            """
            local d = bss.data.folder{ "\(program.folder)/t.csv", label = "target",
              modalities = { "picture", "sound" } }
            assert(d.modalities[2] == "sound" and d:kind "picture" == "image")
            local n = bss.data.csv{ "\(program.folder)/t.csv", label = "target", modalities = { a = "x*", b = "y" } }
            assert(n.modalities[1] == "a")
            """)
        #expect(file.code == 0, "\(file.summary)")
        let unnamed = try program.script(
            "bss.data.csv{ path = '\(program.folder)/t.csv', modalities = { body = { 'x', 'y' } } }")
        #expect(unnamed.code == 8 && unnamed.errors.contains("option 'label' names the column"), "\(unnamed.summary)")
    }
}
