import BSSCodecs
import BSSCore
import Testing
import _BSSTestSupport

@testable import BSSData

/// One way from a list to samples: in memory or streamed, whole or with rows left out.
@Suite(.serialized) struct MediaPipelineTests {
    private let count = 12

    /// Twelve rows: sounds, pictures, arrays, text files, numbers and text; four speakers.
    private func fill(_ folder: ScratchFolder, split: Bool = true) throws {
        var list = "label,wav,png,npy,txt,age,words,speaker\(split ? ",split" : "")\n"
        for i in 0..<count {
            let tone = (0..<800 + 40 * i).flatMap { little(Int16(truncatingIfNeeded: $0 * 701 * (i + 1))) }
            try folder.write("s/\(i).wav", wave(data: tone))
            try folder.write("p/\(i).png", png(width: 2, height: 2, colour: 0, rows: [[UInt8(i), 9], [5, 200]]))
            try folder.write("a/\(i).npy", NpyArray((0..<6).map { Float($0 * i) }, shape: [3, 2]))
            try folder.write("t/\(i).txt", "red bird number \(i % 2 == 0 ? "even" : "odd")")
            let name = split ? ",\(i < 8 ? "train" : i < 10 ? "val" : "test")" : ""
            list += "\(i % 2),s/\(i).wav,p/\(i).png,a/\(i).npy,t/\(i).txt,\(20 + i),one bird,\(i / 3)\(name)\n"
        }
        try folder.write("index.csv", list)
    }

    private func make(_ folder: ScratchFolder, _ more: [(String, Value)] = []) throws -> Dataset {
        let columns: Value = .fields([("sound", .string("wav")), ("look", .string("png")), ("seq", .string("npy"))])
        var options: [(String, Value)] = [("root", .string(folder.path))] + more
        if !more.contains(where: { $0.0 == "modalities" }) { options.append(("modalities", columns)) }
        return try makeDataset("folder", options)
    }

    @Test func streamedSamplesHaveTheBitsOfResidentOnes() throws {
        let folder = try ScratchFolder()
        try fill(folder)
        for standardise in [true, false] {
            let resident = try make(folder, [("standardise", .bool(standardise))])
            let streamed = try make(folder, [("standardise", .bool(standardise)), ("stream", .bool(true))])
            #expect(resident.modalities.allSatisfy { $0.stream == nil })
            #expect(streamed.modalities.allSatisfy { $0.stream != nil && $0.values.isEmpty })
            #expect(try resident.treeHash == streamed.treeHash && resident.ids == streamed.ids)
            for (a, b) in zip(resident.modalities, streamed.modalities) {
                #expect(a.shape == b.shape && a.kind == b.kind, "\(a.name)")
                #expect(a.standardisation?.mean == b.standardisation?.mean)
                #expect(a.standardisation?.deviation == b.standardisation?.deviation)
                for i in 0..<count { #expect(try a.sample(i) == b.sample(i), "\(a.name) \(i)") }
            }
        }
    }

    @Test func aCollectionStaysInMemoryWhereNothingIsDrawn() throws {
        let scratch = try ScratchFolder()
        let mini = try MiniatureData("crema_d", in: scratch.path).folder
        func make(_ more: [(String, Value)]) throws -> Dataset {
            let small: [(String, Value)] = [("seconds", .number(0.5)), ("image_size", .list([.int(16), .int(16)]))]
            return try makeDataset("crema_d", [("root", .string(mini))] + small + more)
        }
        let still: [(String, Value)] = [("augment", .bool(false)), ("frame_pick", .string("first"))]
        let streamed = try make(still)
        let resident = try make(still + [("stream", .bool(false))])
        for (a, b) in zip(resident.modalities, streamed.modalities) {
            #expect(a.stream == nil && b.stream != nil)
            for i in 0..<streamed.count { #expect(try a.sample(i) == b.sample(i)) }
        }
        #expect(message { _ = try make([("stream", .bool(false))]) }.contains("'video' draws them in every epoch"))
    }

    @Test func columnsSayWhatTheyWereTakenFor() throws {
        let folder = try ScratchFolder()
        try fill(folder)
        var notes: [String] = []
        LoadingReport.note = { notes.append($0) }
        defer { LoadingReport.note = nil }
        let data = try make(
            folder, [("modalities", .list(["wav", "png", "npy", "txt", "age", "words"].map { Value.string($0) }))])
        #expect(data.modalities.map(\.kind) == [.audio, .image, .sequence, .features, .features, .features])
        #expect(data.modalities.map(\.shape) == [[1, 24, 24], [3, 2, 2], [3, 2], [5], [1], [2]])
        let taken = [
            "sound files", "pictures", "NumPy files, one a sample", "text, as weighted words", "numbers",
            "text, as weighted words",
        ]
        for (modality, kind) in zip(data.modalities, taken) {
            let said = "column '\(modality.name)' was taken for \(kind)"
            #expect(modality.origin == said && data.summary.contains(said))
            #expect(notes.contains { $0.contains("modality '\(modality.name)': \(said)") }, "\(notes)")
        }
        // Text files count with what they hold.
        let before = try data.treeHash
        try folder.write("t/3.txt", "blue fish number odd")
        #expect(try make(folder, [("modalities", .list([Value.string("txt")]))]).treeHash != before)
        try folder.write("index.csv", "label,file,split\n0,s/1.wav,train\n1,p/1.png,train\n")
        let mixed = message { _ = try make(folder, [("modalities", .list([Value.string("file")]))]) }
        #expect(mixed.contains("column 'file' names 's/1.wav', which would be sound files, and 'p/1.png'"), "\(mixed)")
    }

    @Test(arguments: [false, true]) func rowsThatAreLeftOutAreCountedAndListed(streams: Bool) throws {
        let folder = try ScratchFolder()
        try fill(folder)
        Files.remove(folder.file("s/2.wav"))
        try folder.write("p/5.png", "no picture")
        let stream: [(String, Value)] = [("stream", .bool(streams))]
        let skip = Value.string("skip")
        let missing = message { _ = try make(folder, stream) }
        #expect(missing.contains("index.csv: line 4: s/2.wav: is not there"), "\(missing)")
        #expect(missing.contains("missing = \"skip\""), "\(missing)")
        if !streams {
            let broken = message { _ = try make(folder, stream + [("missing", skip)]) }
            #expect(broken.contains("index.csv: line 7: p/5.png: not a PNG or JPEG image"), "\(broken)")
        }
        var notes: [String] = []
        LoadingReport.note = { notes.append($0) }
        defer { LoadingReport.note = nil }
        let data = try make(folder, stream + [("missing", skip), ("unreadable", skip)])
        #expect(data.count == 10 && data.ids == ["1", "2", "4", "5", "7", "8", "9", "10", "11", "12"])
        #expect(
            data.skipped.map(\.path) == ["s/2.wav", "p/5.png"] && data.skipped.map(\.kind) == [.missing, .unreadable])
        let said = notes.first { $0.contains("2 rows left out: 1 with missing media, 1 with unreadable media of 12") }
        #expect(said?.contains("line 4: s/2.wav: is not there") == true, "\(notes)")
        #expect(
            try data.modality("seq").sample(2)
                == make(folder, stream + [("missing", skip), ("unreadable", skip)])
                .modality("seq").sample(2))
        // A class that loses all its rows is an error, not a smaller dataset.
        for i in stride(from: 1, to: count, by: 2) { Files.remove(folder.file("s/\(i).wav")) }
        let lost = message { _ = try make(folder, stream + [("missing", skip), ("unreadable", skip)]) }
        #expect(lost.contains("no row of its class '1' is left"), "\(lost)")
    }

    @Test func moreThanMemoryHoldsIsRefusedBeforeItIsAskedFor() throws {
        let folder = try ScratchFolder()
        try folder.write("a.png", png(width: 1, height: 1, colour: 0, rows: [[7]]))
        let rows = (0..<4000).map { "\($0 % 2),a.png,train\n" }.joined()
        try folder.write("index.csv", "label,p,split\n" + rows)
        let size = Value.list([.int(8192), .int(8192)])
        let modality = Value.fields([("kind", .string("image")), ("size", size)])
        let said = message { _ = try make(folder, [("modalities", .fields([("p", modality)]))]) }
        #expect(said.contains("of memory for 4000 samples [3, 8192, 8192] of 'p'"), "\(said)")
    }
}
