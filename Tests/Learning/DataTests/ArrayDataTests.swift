import BSSCodecs
import BSSCore
import Testing

@testable import BSSData

@Suite struct ArrayDataTests {
    private let labels = NpyArray([3, 7, 3, 7, 3, 7]),
        splits = NpyArray(["train", "train", "train", "valid", "test", "train"])
    private func columns(_ n: Int, _ d: Int) -> NpyArray { NpyArray((0..<n * d).map { Float($0) }, shape: [n, d]) }

    private func npz(
        _ folder: ScratchFolder, _ arrays: [(name: String, array: NpyArray)], _ extra: [(String, Value)] = []
    ) throws -> Dataset {
        try Npz.write(arrays, to: folder.file("set.npz"))
        return try makeDataset(
            "npz", [("path", .string(folder.file("set.npz"))), ("standardise", .bool(false))] + extra)
    }

    @Test func npzWithEveryKindOfModality() throws {
        let folder = try ScratchFolder()
        let data = try npz(
            folder,
            [
                ("x", columns(6, 2)), ("steps", NpyArray((0..<36).map { Double($0) }, shape: [6, 3, 2])),
                ("picture", NpyArray((0..<24).map { UInt8($0) }, shape: [6, 1, 2, 2])),
                ("one", NpyArray([1, 2, 3, 4, 5, 6])), ("label", labels), ("split", splits),
                ("name", NpyArray(["a", "b", "c", "d", "e", "f"])),
            ], [("id", .string("name"))])
        #expect(data.modalities.map(\.name) == ["x", "steps", "picture", "one"])
        #expect(data.modalities.map(\.kind) == [.features, .sequence, .image, .features])
        #expect(data.modalities.map(\.shape) == [[2], [3, 2], [1, 2, 2], [1]])
        #expect(data.train == [0, 1, 2, 5] && data.val == [3] && data.test == [4])
        #expect(data.classNames == ["3", "7"] && data.labels == [0, 1, 0, 1, 0, 1])
        #expect(data.ids == ["a", "b", "c", "d", "e", "f"])
        #expect(data.modalities[0].rows([4, 0]) == [8, 9, 0, 1])
        #expect(data.files.map(\.path) == ["set.npz"] && data.name == "set")
    }

    @Test func modalitiesCanBeNamedAnew() throws {
        let folder = try ScratchFolder()
        let data = try npz(
            folder,
            [
                ("x", columns(6, 4)), ("z", NpyArray((0..<24).map { Float($0) }, shape: [6, 2, 2])), ("label", labels),
                ("split", splits),
            ],
            [
                (
                    "modalities",
                    .fields([
                        ("text", .string("x")),
                        ("sound", .fields([("array", .string("z")), ("kind", .string("audio"))])),
                    ])
                )
            ])
        #expect(
            data.modalities.map(\.name) == ["text", "sound"] && data.modalities[1].shape == [1, 2, 2]
                && data.modalities[1].kind == .audio)
    }

    @Test func npyFilesAndTextLabels() throws {
        let folder = try ScratchFolder()
        try folder.write("t.npy", columns(6, 2))
        try folder.write("label.npy", NpyArray(["cat", "ant", "cat", "ant", "cat", "ant"]))
        let options: [(String, Value)] = [
            ("root", .string(folder.path)), ("modalities", .fields([("t", .string("t.npy"))])),
        ]
        let data = try makeDataset(
            "npy", options + [("split", .fields([("train", .number(0.5)), ("test", .number(0.5))]))])
        #expect(data.classNames == ["ant", "cat"] && data.labels == [1, 0, 1, 0, 1, 0])
        #expect(data.val.isEmpty && data.train.count + data.test.count == 6)
        #expect(data.storedLabels.compactMap(\.string) == ["ant", "cat"])
    }

    @Test func csvColumnsByListAndByPrefix() throws {
        let folder = try ScratchFolder()
        try folder.write("t.csv", "id,label,split,a1,a2,b\nx,0,train,1,2,3\ny,1,train,4,5,6\nz,0,test,7,8,9\n")
        let data = try makeDataset(
            "csv",
            [
                ("path", .string(folder.file("t.csv"))),
                ("modalities", .fields([("a", .string("a")), ("b", .list(["b"]))])), ("standardise", .bool(false)),
            ])
        #expect(data.modalities.map(\.shape) == [[2], [1]] && data.ids == ["x", "y", "z"])
        #expect(data.modalities[0].values == [1, 2, 4, 5, 7, 8] && data.train == [0, 1] && data.test == [2])
    }

    @Test func constantColumnsAreCentredOnly() throws {
        let folder = try ScratchFolder()
        let x = NpyArray([Float](arrayLiteral: 1e6, 1, 1e6, 2, 1e6, 3, 1e6, 100, 7, 100, 1e6, 4), shape: [6, 2])
        try Npz.write([("x", x), ("label", labels), ("split", splits)], to: folder.file("set.npz"))
        let data = try makeDataset("npz", [("path", .string(folder.file("set.npz")))])
        let s = try #require(data.modalities[0].standardisation)
        #expect(s.constantColumns == [0] && s.deviation[0] == 1 && s.mean == [1e6, 2.5])
        #expect(data.modalities[0].values[0] == 0 && data.modalities[0].values[8] == -999_993)
    }

    @Test("numbers that float32 cannot hold are standardised before they are rounded")
    func largeNumbers() throws {
        let folder = try ScratchFolder()
        let times = (1...40).map { 1_700_000_000 + 2 * $0 }
        let rows = times.enumerated().map { "\($1),\($0 % 2),train\n" }.joined()
        try folder.write("t.csv", "time,label,split\n" + rows)
        let labels = NpyArray((0..<40).map { $0 % 2 })
        let splits = NpyArray([String](repeating: "train", count: 40))
        try Npz.write([("time", NpyArray(times)), ("label", labels), ("split", splits)], to: folder.file("i.npz"))
        let wide = NpyArray(times.map { Double($0) })
        try Npz.write([("time", wide), ("label", labels), ("split", splits)], to: folder.file("d.npz"))
        for (part, file) in [("csv", "t.csv"), ("npz", "i.npz"), ("npz", "d.npz")] {
            let data = try makeDataset(
                part, [("path", .string(folder.file(file))), ("modalities", .fields([("time", .string("time"))]))])
            let s = try #require(data.modalities[0].standardisation)
            // As NumPy has it: the standard deviation of 2, 4, …, 80 is √533.
            #expect(s.mean == [1_700_000_041] && abs(s.deviation[0] - 533.0.squareRoot()) < 1e-9, "\(file)")
            let first = data.modalities[0].values[0]
            #expect(first == Float(-39 / 533.0.squareRoot()) && data.modalities[0].exact.isEmpty, "\(file)")
        }
    }

    // MARK: One error naming file, row and reason

    @Test func wrongContentsAreExplained() throws {
        let folder = try ScratchFolder()
        func text(
            _ x: NpyArray, _ label: NpyArray? = nil, _ split: NpyArray? = nil, _ extra: [(String, Value)] = []
        ) -> String {
            message { _ = try npz(folder, [("x", x), ("label", label ?? labels), ("split", split ?? splits)], extra) }
        }
        var bad = (0..<12).map { Float($0) }
        bad[5] = .nan
        #expect(
            text(NpyArray(bad, shape: [6, 2]))
                == "bss.data.npz: set.npz/x: row 3, value 2 of 'x' is nan; finite numbers were expected")
        bad[5] = -.infinity
        #expect(text(NpyArray(bad, shape: [6, 2])).contains("is -inf"))
        #expect(text(columns(5, 2)).contains("set.npz/x has 5 rows for 'x', set.npz/label has 6"))
        #expect(
            text(columns(6, 2), NpyArray([1.0, 2, 1, 2.5, 1, 2])).contains(
                "set.npz/label: row 4: label 2.5 is not an integer"))
        #expect(
            text(columns(6, 2), NpyArray([1, 2, 1, 2, 9, 2])).contains(
                "row 5: label 9 never occurs in the split 'train'"))
        #expect(text(columns(6, 2), NpyArray([1, 1, 1, 1, 1, 1])).contains("every sample has the label 1"))
        #expect(text(columns(6, 2), NpyArray(["a", "b", "", "b", "a", "b"])).contains("row 3: the label is empty"))
        #expect(
            text(columns(6, 2), labels, NpyArray(["train", "trian", "train", "val", "test", "train"])).contains(
                "set.npz/split: row 2: unknown split 'trian'"))
        #expect(
            text(columns(6, 2), labels, NpyArray(["val", "val", "val", "val", "test", "val"])).contains(
                "no sample belongs to the split 'train'"))
        #expect(
            text(columns(6, 2), labels, NpyArray(["train", "train", "train", "val", "test"])).contains(
                "5 split entries for 6 labels"))
        #expect(
            text(columns(6, 2), labels, splits, [("id", .string("label"))]).contains(
                "row 3: the id '3' is that of row 1 too"))
        #expect(
            text(NpyArray(["a", "b", "c", "d", "e", "f"]), nil, nil, [("modalities", .list(["x"]))]).contains(
                "holds text; numbers were expected"))
        #expect(
            text(columns(6, 2), labels, splits, [("modalities", .list(["y"]))]).contains(
                "no array 'y' (it holds x, label, split)"))
        #expect(text(columns(6, 2), labels, splits, [("label", .string("lable"))]).contains("no array 'lable'"))
        #expect(
            text(
                columns(6, 2), labels, splits, [("split", .fields([("train", .number(0.9)), ("test", .number(0.9))]))]
            ).contains("sum to 1"))
        #expect(text(columns(6, 2), labels, splits, [("split", .int(3))]).contains("option 'split' expects"))
    }

    @Test func missingAndTruncatedFilesAreExplained() throws {
        let folder = try ScratchFolder()
        let absent = message { _ = try makeDataset("npz", [("path", .string(folder.file("none.npz")))]) }
        #expect(absent.contains("bss.data.npz: ") && absent.contains("none.npz: No such file"))
        try Npz.write([("x", columns(6, 2)), ("label", labels), ("split", splits)], to: folder.file("set.npz"))
        let bytes = try Files.read(folder.file("set.npz"))
        try folder.write("cut.npz", Array(bytes.prefix(bytes.count / 2)))
        #expect(
            message { _ = try makeDataset("npz", [("path", .string(folder.file("cut.npz")))]) }.contains(
                "cut.npz: not a zip archive, or truncated"))
        try folder.write("t.csv", "label,a\n0,1\n1,x\n")
        let csv = message {
            _ = try makeDataset(
                "csv", [("path", .string(folder.file("t.csv"))), ("modalities", .fields([("a", .list(["a"]))]))])
        }
        #expect(csv == "bss.data.csv: t.csv: line 3, column 'a': a number was expected, got 'x'")
        try folder.write("n.csv", "label,a\n0,1\n1,nan\n0,2\n1,3\n")
        let nan = message {
            _ = try makeDataset(
                "csv", [("path", .string(folder.file("n.csv"))), ("modalities", .fields([("a", .list(["a"]))]))])
        }
        #expect(nan.contains("n.csv: line 3, value 1 of 'a' is nan"))
    }
}
