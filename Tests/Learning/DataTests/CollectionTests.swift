import BSSCodecs
import BSSCore
import Testing

@testable import BSSData

/// The known collections from small folders of the same layout.
@Suite(.serialized) struct CollectionTests {
    private func mosi(_ folder: ScratchFolder) throws {
        for (name, columns) in [("text", 3), ("audio", 2), ("video", 4)] {
            try folder.write(
                "\(name).npy", NpyArray((0..<4 * columns).map { Float($0 * $0 % 11) }, shape: [4, columns]))
        }
        try folder.write("label.npy", NpyArray([0, 1, 1, 0]))
        try folder.write("split.npy", NpyArray(["train", "train", "val", "test"]))
        try folder.write(
            "utterances.csv",
            "row,utterance_id,video_id,label,split,transcript\n0,a,v,0,train,X\n1,b,v,1,train,\"Y, "
                + "Z\"\n2,c,v,1,val,X\n3,d,v,0,test,X\n"
        )
    }

    @Test func mosiOfAnotherSize() throws {
        let folder = try ScratchFolder()
        try mosi(folder)
        let data = try makeDataset("mosi", [("root", .string(folder.path)), ("modalities", .list(["video", "text"]))])
        #expect(data.modalities.map(\.name) == ["video", "text"] && data.ids == ["a", "b", "c", "d"])
        #expect(data.configuration["name"]?.string == "mosi" && data.root == folder.path)
        let again = try makeDataset(
            "mosi", [("root", .string(folder.path)), ("modalities", .list(["video", "text"]))])
        #expect(try again.treeHash == data.treeHash && data.treeHash.count == 64)
    }

    @Test func theDataPathFindsFolders() throws {
        let folder = try ScratchFolder()
        let inner = try ScratchFolder()
        try mosi(inner)
        let before = DataPath.folders
        defer { DataPath.folders = before }
        DataPath.folders = [folder.path]
        #expect(
            message { _ = try makeDataset("mosi") }.contains(
                "bss.data.mosi: no folder 'mosi-trimodal' or 'mosi': looked in \(folder.path)"))
        DataPath.folders = [folder.path, inner.path]
        #expect(try makeDataset("mosi").count == 4)
        try Files.makeFolder(folder.file("mosi-trimodal"))
        // A folder of the right name comes first, even where it turns out to be empty.
        #expect(message { _ = try makeDataset("mosi") }.contains("text.npy: No such file"))
    }

    @Test func mosiMistakes() throws {
        let folder = try ScratchFolder()
        func text(_ change: () throws -> Void) throws -> String {
            try mosi(folder)
            try change()
            return message { _ = try makeDataset("mosi", [("root", .string(folder.path))]) }
        }
        #expect(
            try text { try folder.write("audio.npy", NpyArray([Float](repeating: 0, count: 6), shape: [3, 2])) }
                .contains("audio.npy has 3 rows for 'audio', label.npy has 4"))
        #expect(
            try text { try folder.write("text.npy", Array(try Files.read(folder.file("text.npy")).dropLast(3))) }
                .contains("bss.data.mosi: text.npy: truncated"))
        #expect(
            try text { try folder.write("label.npy", NpyArray([0, 1, 0, 0])) }.contains(
                "utterances.csv: line 4 has the label 1, label.npy has 0 there"))
        #expect(
            try text { try folder.write("utterances.csv", "row,utterance_id,label\n0,a,0\n1,b,1\n2,a,1\n3,d,0\n") }
                .contains("row 3: the id 'a' is that of row 1 too"))
        #expect(
            message { _ = try makeDataset("mosi", [("root", .string(folder.file("nowhere")))]) }.contains(
                "is not a folder"))
        #expect(
            message { _ = try makeDataset("mosi", [("modalities", .list(["text", "vision"]))]) }.contains(
                "out of text, audio and video"))
    }

    private func digits(_ folder: ScratchFolder, rows: String? = nil) throws {
        try folder.write(
            "pairs.csv",
            rows
                ?? """
                id,label,audio,image,speaker,take,split,split_speaker
                0,5,audio/a.wav,image/a.png,s,0,train,train
                1,6,audio/b.wav,image/b.png,s,0,train,test
                2,5,audio/c.wav,image/c.png,s,0,test,train
                3,6,audio/c.wav,image/a.png,s,0,val,train

                """
        )
        for (index, name) in ["a", "b", "c"].enumerated() {
            let sound = (0..<900 + 300 * index).flatMap { little(Int16(truncatingIfNeeded: $0 * 911 * (index + 1))) }
            try folder.write("audio/\(name).wav", wave(rate: index == 2 ? 16000 : 8000, data: sound))
            try folder.write(
                "image/\(name).png", png(width: 3, height: 2, colour: 0, rows: [[0, 51, 255], [1, 2, UInt8(index)]]))
        }
    }

    @Test func spokenDigitsBothSplits() throws {
        let folder = try ScratchFolder()
        try digits(folder)
        let data = try makeDataset("av_digits", [("root", .string(folder.path)), ("standardise", .bool(false))])
        #expect(data.modalities.map(\.shape) == [[1, 24, 24], [1, 2, 3]] && data.classNames == ["5", "6"])
        #expect(data.train == [0, 1] && data.val == [3] && data.test == [2])
        #expect(data.modalities[1].rows([0]) == [0, 0.2, 1, 1 / 255, 2 / 255, 0])
        #expect(
            try makeDataset("av_digits", [("root", .string(folder.path)), ("split", .string("split_speaker"))]).test
                == [1])
        // The paper's own pipeline: 22050 Hz, repeated to 3 s, n_fft 512, hop 353, no resizing.
        let paper = try makeDataset(
            "av_digits",
            [
                ("root", .string(folder.path)), ("modalities", .list(["audio"])), ("fit", .string("tile")),
                ("sample_rate", .int(22050)), ("seconds", .number(3)),
                ("n_fft", .int(512)), ("hop", .int(353)), ("log_offset", .number(1e-7)), ("audio_size", .bool(false)),
            ])
        #expect(paper.modalities.map(\.shape) == [[1, 257, 188]])
    }

    @Test func spokenDigitsMistakes() throws {
        let folder = try ScratchFolder()
        func text(_ options: [(String, Value)] = [], _ change: () throws -> Void) throws -> String {
            try digits(folder)
            try change()
            return message { _ = try makeDataset("av_digits", [("root", .string(folder.path))] + options) }
        }
        #expect(
            try text { try folder.write("audio/b.wav", Array(try Files.read(folder.file("audio/b.wav")).prefix(100))) }
                .contains("bss.data.av_digits: pairs.csv: line 3: audio/b.wav: truncated: sound data needs"))
        #expect(
            try text { try folder.write("image/c.png", "nonsense") }.contains(
                "pairs.csv: line 4: image/c.png: not a PNG or JPEG image"))
        #expect(
            try text { try folder.write("image/b.png", png(width: 1, height: 1, colour: 0, rows: [[0]])) }
                .contains("line 3: image/b.png gives shape [1, 1, 1], the first file of 'image' gives [1, 2, 3]"))
        #expect(
            try text { try digits(folder, rows: "id,label,audio,image,split\n0,1,audio/x.wav,image/a.png,train\n") }
                .contains("line 2: "))
        #expect(
            try text {
                try digits(
                    folder,
                    rows:
                        """
                        id,label,audio,image,split
                        0,1,audio/a.wav,image/a.png,train
                        1,one,audio/a.wav,image/a.png,train

                        """
                )
            }.contains("pairs.csv: line 3, column 'label': an integer was expected, got 'one'"))
        #expect(
            try text([("split", .string("split_speakers"))]) {}.contains(
                "no column 'split_speakers' (did you mean 'split_speaker'?"))
        #expect(try text([("audio_size", .int(3))]) {}.contains("option 'audio_size' expects {height, width}"))
        #expect(try text([("audio_size", .bool(false))]) {}.contains("a size is needed"))
    }

    @Test func mfeatViewsOfTheFile() throws {
        let folder = try ScratchFolder()
        func view(_ d: Int) -> NpyArray { NpyArray((0..<4 * d).map { Float($0 % 5) }, shape: [4, d]) }
        try Npz.write(
            [
                ("mor", view(2)), ("fou", view(3)), ("new", view(1)), ("label", NpyArray([0, 1, 0, 1])),
                ("split", NpyArray(["train", "train", "val", "test"])),
            ], to: folder.file("mfeat.npz"), deflated: true)
        #expect(
            try makeDataset("mfeat", [("root", .string(folder.path))]).modalities.map(\.name) == ["fou", "mor", "new"])
        #expect(
            message { _ = try makeDataset("mfeat", [("root", .string(folder.path)), ("views", .list(["fuo"]))]) }
                .contains("did you mean 'fou'?"))
    }

    @Test func scriptsSeeADataset() throws {
        let folder = try ScratchFolder()
        try mosi(folder)
        let part = try Dataset.part(named: "mosi")
        let values = try part.function.call([.fields([("root", .string(folder.path))])])
        guard case .object(let object)? = values.first, let data = object as? Dataset else {
            Issue.record("bss.data.mosi gives no dataset")
            return
        }
        func property(_ name: String) throws -> Value { try #require(data.objectType.property(name)).get(data) }
        #expect(try property("modalities").table?.items.compactMap(\.string) == ["text", "audio", "video"])
        #expect(try property("classes").int == 2)
        guard case .object(let split) = try property("train") else { return }
        #expect(try split.objectType.operators["__len"]?([.object(split)]).int == 2)
        #expect(try split.element(2)?.table?["id"]?.string == "b")
        #expect(try split.element(2)?.table?["text"]?.table?.items.count == 3)
        #expect(try split.element(3) == nil)
        #expect(data.summary.contains("mosi: 4 samples (2 train / 1 val / 1 test), 2 classes, 3 modalities"))
        #expect(data.member("audio")?.table?["kind"]?.string == "features")
        // A dataset that a script holds can be handed to another constructor.
        let configured = try Configured<Dataset>(value: .object(data))
        #expect(configured.product === data && configured.name == "mosi")
        #expect(configured.configuration["modalities"]?.table?.items.count == 3)
    }

    @Test func mediaFoldersOfOnesOwn() throws {
        let folder = try ScratchFolder()
        try digits(folder)
        try folder.write(
            "index.csv",
            "name,label,label_name,split,sound,picture,note\na,0,zero,train,audio/a.wav,image/a.png,\"Red, red "
                + "bird\"\nb,1,one,train,audio/b.wav,image/b.png,blue "
                + "bird\nc,0,zero,test,audio/c.wav,image/c.png,green\n"
        )
        func make(_ modalities: [(String, Value)], _ extra: [(String, Value)] = []) throws -> Dataset {
            try makeDataset("folder", [("root", .string(folder.path)), ("modalities", .fields(modalities))] + extra)
        }
        let data = try make(
            [
                ("sound", .fields([("kind", .string("audio")), ("size", .list([8, 8].map { Value.int($0) }))])),
                (
                    "look",
                    .fields([
                        ("kind", .string("image")), ("column", .string("picture")),
                        ("size", .list([4, 4].map { Value.int($0) })),
                    ])
                ),
                ("lips", .fields([("kind", .string("frames")), ("column", .string("picture")), ("frames", .int(2))])),
                ("note", .fields([("kind", .string("text")), ("min_count", .int(1))])),
            ], [("id", .string("name"))])
        #expect(data.modalities.map(\.shape) == [[1, 8, 8], [3, 4, 4], [2, 1, 3], [3]])
        #expect(data.classNames == ["zero", "one"] && data.ids == ["a", "b", "c"])
        // Words of train: bird, blue, red. Sample c has none of them.
        let note = data.modalities[3]
        #expect(note.rows([2]) == [0, 0, 0] && note.standardisation == nil)
        let square = note.rows([0, 1]).reduce(0) { $0 + $1 * $1 } / 6
        #expect(abs(square - 1) < 1e-5)
        #expect(
            message { _ = try make([("x", .fields([("kind", .string("smell"))]))]) }.contains(
                "expects string one of \"audio\", \"image\""))
        #expect(
            message { _ = try make([("picture", .fields([("kind", .string("frames")), ("frames", .int(3))]))]) }
                .contains("line 2: image/a.png: 2 rows do not divide into 3 frames"))
        #expect(
            message { _ = try make([("picture", .fields([("kind", .string("image")), ("sise", .int(3))]))]) }.contains(
                "did you mean 'size'?"))
        try folder.write(
            "index.csv",
            """
            label,label_name,split,picture
            0,zero,train,image/a.png
            1,one,train,image/b.png
            1,two,test,image/c.png

            """
        )
        #expect(
            message { _ = try make([("picture", .fields([("kind", .string("image"))]))]) }.contains(
                "index.csv: line 4: label 1 is called 'two', before it was 'one'"))
    }
}
