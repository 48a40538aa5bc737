import BSSCodecs
import BSSCore
import Testing

@testable import BSSData

/// Splits of one's own samples: named, drawn by class, drawn by group.
@Suite struct SplitTests {
    private static let shares = Value.fields([("train", .number(0.6)), ("val", .number(0.2)), ("test", .number(0.2))])

    /// 60 rows, ten speakers of unequal size, two classes.
    private let speakers = (0..<60).map { "s\(($0 * $0 + $0 / 7) % 10)" }
    private let labels = (0..<60).map { $0 % 2 }

    /// A dataset of each way to bring one's own numbers.
    private func make(_ part: String, _ folder: ScratchFolder, _ options: [(String, Value)]) throws -> Dataset {
        let x = (0..<60).map { Float($0) }
        switch part {
        case "npz":
            let arrays = [
                ("x", NpyArray(x, shape: [60, 1])), ("label", NpyArray(labels)), ("speaker", NpyArray(speakers)),
            ]
            try Npz.write(arrays, to: folder.file("d.npz"), deflated: false)
            return try makeDataset(
                "npz", [("path", .string(folder.file("d.npz"))), ("modalities", .list(["x"]))] + options)
        case "npy":
            try folder.write("x.npy", NpyArray(x, shape: [60, 1]))
            try folder.write("label.npy", NpyArray(labels))
            try folder.write("speaker", NpyArray(speakers))
            return try makeDataset(
                "npy", [("root", .string(folder.path)), ("modalities", .fields([("x", .string("x.npy"))]))] + options)
        default:
            let rows = (0..<60).map { "\(x[$0]),\(labels[$0]),\(speakers[$0])\n" }.joined()
            try folder.write("index.csv", "x,label,speaker\n" + rows)
            if part == "folder" {
                let modalities = Value.fields([("x", .fields([("kind", .string("numbers"))]))])
                return try makeDataset(
                    "folder", [("root", .string(folder.path)), ("modalities", modalities)] + options)
            }
            let modalities = Value.fields([("x", .list(["x"]))])
            let path = Value.string(folder.file("index.csv"))
            return try makeDataset("csv", [("path", path), ("modalities", modalities)] + options)
        }
    }

    @Test(arguments: ["csv", "npz", "npy", "folder"]) func noGroupIsInTwoSplits(_ part: String) throws {
        let folder = try ScratchFolder()
        let group: [(String, Value)] = [("split", Self.shares), ("group", .string("speaker"))]
        for seed in 1...5 {
            let data = try make(part, folder, group + [("seed", .int(seed))])
            let sets = SplitName.allCases.map { Set(data.indices($0).map { speakers[$0] }) }
            #expect(sets.allSatisfy { !$0.isEmpty } && sets.map(\.count).reduce(0, +) == Set(speakers).count, "\(sets)")
            #expect((28...46).contains(data.train.count), "\(data.train.count)")
        }
        #expect(try make(part, folder, group).test == make(part, folder, group).test)
        let plain = try make(part, folder, [("split", Self.shares)])
        #expect([plain.train.count, plain.val.count, plain.test.count] == [36, 12, 12])
        // Without the option: 0.7, 0.1, 0.2.
        let usual = try make(part, folder, [])
        #expect([usual.train.count, usual.val.count, usual.test.count] == [42, 6, 12])
        let wrong = message { _ = try make(part, folder, [("split", .fields([("train", .number(2))]))]) }
        #expect(wrong.contains("option 'split' expects fractions"), "\(wrong)")
    }

    @Test func splitsOfTheFileAreCheckedForGroups() throws {
        let folder = try ScratchFolder()
        let rows = "a,0,train,p\nb,1,train,q\nc,0,test,p\n"
        try folder.write("index.csv", "name,label,split,speaker\n" + rows)
        func make(_ more: [(String, Value)]) throws -> Dataset {
            let name = Value.fields([("kind", .string("text")), ("min_count", .int(1))])
            return try makeDataset(
                "folder", [("root", .string(folder.path)), ("modalities", .fields([("name", name)]))] + more)
        }
        #expect(try make([]).train == [0, 1])
        let said = message { _ = try make([("group", .string("speaker"))]) }
        #expect(said.contains("line 4: the group 'p' is in test, line 2 has it in train"), "\(said)")
        let few = message { _ = try make([("group", .string("label")), ("split", Self.shares)]) }
        #expect(few.contains("2 groups cannot be shared out over 3 splits"), "\(few)")
        let unknown = message { _ = try make([("group", .string("speakers"))]) }
        #expect(unknown.contains("did you mean 'speaker'?"), "\(unknown)")
    }

    @Test func everySplitGetsAGroupHoweverSmallItsShare() throws {
        let groups = ["a", "b", "c", "d", "e"]
        let drawn = try Splitting.grouped([0, 0, 0, 0, 0], groups, val: 0.01, test: 0.2, seed: 3, "test")
        #expect(SplitName.allCases.allSatisfy { drawn.contains($0) }, "\(drawn)")
    }
}
