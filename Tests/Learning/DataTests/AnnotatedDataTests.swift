import BSSCodecs
import BSSCore
import Foundation
import Testing
import _BSSTestSupport

@testable import BSSData

/// The paper's six collections from miniature folders of their real layouts.
@Suite(.serialized) struct AnnotatedDataTests {
    /// Options that keep miniature samples small.
    static let small: [String: [(String, Value)]] = {
        let clips: [(String, Value)] = [("seconds", .number(0.5)), ("image_size", .list([.int(16), .int(16)]))]
        let texts: [(String, Value)] = [("image_size", .list([.int(16), .int(16)])), ("text_length", .int(12))]
        let gestures: [(String, Value)] = [
            ("frames", .int(8)), ("eval_frames", .int(10)), ("side", .int(24)), ("crop", .int(16)),
        ]
        return [
            "crema_d": clips, "kinetics_sounds": clips, "vggsound": clips, "twitter2015": texts, "sarcasm": texts,
            "nvgesture": gestures,
        ]
    }()

    private func make(_ name: String, _ folder: String, _ more: [(String, Value)] = []) throws -> Dataset {
        try makeDataset(name, Self.small[name]! + [("root", .string(folder))] + more)
    }

    @Test(arguments: MiniatureData.names) func loadsWithItsClassesSplitsAndShapes(name: String) throws {
        let scratch = try ScratchFolder()
        let data = try make(name, MiniatureData(name, in: scratch.path).folder)
        let expected: [String: (train: Int, val: Int, test: Int, classes: Int, shapes: [[Int]])] = [
            "crema_d": (18, 0, 6, 6, [[1, 257, 32], [3, 16, 16]]),
            "kinetics_sounds": (16, 0, 8, 4, [[1, 257, 51], [3, 3, 16, 16]]),
            "vggsound": (12, 0, 6, 309, [[1, 257, 51], [3, 16, 16]]),
            "twitter2015": (12, 3, 6, 3, [[3, 16, 16], [3, 12]]),
            "sarcasm": (12, 4, 6, 2, [[3, 16, 16], [3, 12]]),
            "nvgesture": (6, 0, 3, 25, [[3, 10, 16, 16], [2, 10, 16, 16], [1, 10, 16, 16]]),
        ]
        let e = expected[name]!
        #expect(
            data.train.count == e.train && data.val.count == e.val && data.test.count == e.test
                && data.classCount == e.classes)
        #expect(data.modalities.map(\.shape) == e.shapes)
        #expect(data.skipped.isEmpty && Set(data.ids).count == data.count)
        for modality in data.modalities {
            let sample = try modality.sample(0)
            #expect(
                sample.count == modality.size && sample.allSatisfy(\.isFinite) && Set(sample).count > 1,
                "\(modality.name)")
        }
        #expect(try make(name, scratch.path + "/\(name)").treeHash == data.treeHash)
    }

    @Test(arguments: MiniatureData.names) func checksASoundFolder(name: String) throws {
        let scratch = try ScratchFolder()
        let folder = try MiniatureData(name, in: scratch.path).folder
        let check = try DataCheck.run(name, Table(fields: Self.small[name]! + [("root", .string(folder))]), reads: true)
        #expect(check.isSound, "\(check.text())")
        #expect(check.text().contains("everything can be read"))
    }

    @Test func everyDefectIsNamedWithItsPath() throws {
        let scratch = try ScratchFolder()
        let mini = try MiniatureData("crema_d", in: scratch.path)
        let jpeg = try Files.read(mini.path("Image-01-FPS/1000_IEO_NEU_XX/00000.jpg"))
        try mini.write("Image-01-FPS/1000_IEO_NEU_XX/00000.jpg", Array(jpeg.prefix(jpeg.count - 20)))
        try mini.write("AudioWAV/1000_IEO_HAP_XX.wav", [UInt8]())
        try FileManager.default.removeItem(atPath: mini.path("Image-01-FPS/1000_IEO_SAD_XX"))
        let data = try make("crema_d", mini.folder, [("frame_pick", .string("first"))])
        #expect(data.train.count == 16 && data.skipped.count == 2)
        #expect(data.skipped.map(\.path) == ["AudioWAV/1000_IEO_HAP_XX.wav", "Image-01-FPS/1000_IEO_SAD_XX"])
        #expect(
            data.skipped[0].line == "annotations/train.csv: line 2: AudioWAV/1000_IEO_HAP_XX.wav: the file is empty")
        #expect(
            data.summary.contains(
                "2 rows left out: 1 with missing media, 1 with unreadable media (data.skipped lists them)"))
        let strict = message { _ = try make("crema_d", mini.folder, [("missing", .string("error"))]) }
        #expect(strict.contains("AudioWAV/1000_IEO_HAP_XX.wav: the file is empty; 1 more media are missing"))
        let bad = try #require(data.ids.firstIndex(of: "1000_IEO_NEU_XX"))
        #expect(
            message { _ = try data.modality("video").sample(bad) }.contains(
                "Image-01-FPS/1000_IEO_NEU_XX/00000.jpg: truncated"))
        let check = try DataCheck.run("crema_d", Table(fields: [("root", .string(mini.folder))]), reads: true)
        #expect(
            Set(check.problems.map(\.path)) == [
                "AudioWAV/1000_IEO_HAP_XX.wav", "Image-01-FPS/1000_IEO_SAD_XX", "Image-01-FPS/1000_IEO_NEU_XX",
            ])
        #expect(
            check.media.map { [$0.sound, $0.missing, $0.unreadable] } == [[23, 0, 1], [22, 1, 1]], "\(check.text())")
        let quick = try DataCheck.run("crema_d", Table(fields: [("root", .string(mini.folder))]), reads: false)
        #expect(quick.problems.count == 2)
    }

    @Test func aWrongClassIsNamed() throws {
        let scratch = try ScratchFolder()
        let mini = try MiniatureData("crema_d", in: scratch.path)
        try mini.write(
            "annotations/train.csv",
            try Files.readText(mini.path("annotations/train.csv")).replacingOccurrences(
                of: "1000_IEO_SAD_XX,SAD", with: "1000_IEO_SAD_XX,SAT") + "lonely\n")
        let text = message { _ = try make("crema_d", mini.folder) }
        #expect(
            text.contains(
                "annotations/train.csv: line 3: '1000_IEO_SAD_XX' has the unknown class 'SAT'; did the file mean "
                    + "'SAD'?; 1 more rows are wrong"
            ))
        #expect(text.contains("bss-lua data check crema_d lists them all"))
        let check = try DataCheck.run("crema_d", Table(fields: [("root", .string(mini.folder))]), reads: true)
        #expect(check.problems.map(\.kind) == [.unlabelled, .malformed])
        #expect(check.text().contains("line 19: has 1 fields; clip and emotion were expected"))
    }

    @Test func otherCollectionsNameTheirMistakes() throws {
        let scratch = try ScratchFolder()
        func wrong(_ name: String, _ file: String, _ change: (String) -> String) throws -> String {
            let mini = try MiniatureData(name, in: scratch.path)
            // Without it the lists themselves say which classes there are.
            if name == "vggsound" {
                try mini.write(
                    "label_encoding.json", #"{"playing harp": 0, "bird chirping, tweeting": 1, "rapping": 2}"#)
            }
            try mini.write(file, change(try Files.readText(mini.path(file))))
            return message { _ = try make(name, mini.folder) }
        }
        #expect(
            try wrong("kinetics_sounds", "my_train.txt") { $0 + "x,10\n" }.contains(
                "my_train.txt: line 17: 'x,10' is no row of clip, seconds and class number"))
        #expect(
            try wrong("kinetics_sounds", "my_test.txt") { $0 + "x,10,7\n" }.contains("'x' has the unknown class '7'"))
        #expect(
            try wrong("vggsound", "test.csv") { $0 + "x.mp4,playing harps\n" }.contains(
                "test.csv: line 7: 'x' has the unknown class 'playing harps'; did the file mean 'playing harp'?"))
        #expect(
            try wrong("twitter2015", "annotations/dev.tsv") { $0 + "9\t3\tx.jpg\ta\tb\n" }.contains(
                "annotations/dev.tsv: line 5: has the label '3'; 0, 1 or 2 was expected"))
        #expect(try wrong("twitter2015", "annotations/dev.tsv") { $0 + "9\t3\n" }.contains("line 5: has 2 fields"))
        #expect(
            try wrong("sarcasm", "train.txt") { $0 + "['a', 'b', __import__('os')]\n" }.contains(
                "train.txt: line 14: is no Python list"))
        #expect(
            try wrong("sarcasm", "train.txt") { $0 + "['a', 'b', 2]\n" }.contains(
                "has the label 2; 0 or 1 was expected"))
        let list = "nvgesture_train_correct_cvpr2016_v2.lst"
        #expect(
            try wrong("nvgesture", list) { $0.replacingOccurrences(of: "label:2", with: "label:26") }.contains(
                "\(list): line 3: has the label '26'; 1 to 25 was expected"))
        #expect(
            try wrong("nvgesture", list) { $0.replacingOccurrences(of: "sk_color:2:82", with: "sk_color:2:90") }
                .contains("color has 88 frames, 80 were expected"))
        try FileManager.default.removeItem(atPath: scratch.file("vggsound/train.csv"))
        #expect(
            message { _ = try make("vggsound", scratch.file("vggsound")) }.contains(
                "the annotation file 'train.csv' or 'vggsound.csv' is not there"))
    }

    @Test func otherFormsOfTheListsGiveTheSameSamples() throws {
        let scratch = try ScratchFolder()
        // VGGSound as the released loader reads it, with a class that has no sample, and upstream's one list.
        let vgg = try MiniatureData("vggsound", in: scratch.path)
        let plain = try make("vggsound", vgg.folder)
        for list in ["train", "test"] {
            let rows = try CSVTable.rows(text: try Files.read(vgg.path("\(list).csv")), source: list)
            try vgg.write("\(list).csv", rows.map { "0,\"\($0.fields[1])\",-\($0.fields[0].dropLast(4))\n" }.joined())
        }
        try vgg.write("label_encoding.json", "{\"rapping\": 0, \"playing harp\": 5, \"bird chirping, tweeting\": 309}")
        let released = try make("vggsound", vgg.folder, [("num_classes", .int(310))])
        #expect(released.ids == plain.ids && released.classCount == 310 && released.labels[0] == 5)
        #expect(
            message { _ = try make("vggsound", vgg.folder) }.contains(
                "label_encoding.json: 'bird chirping, tweeting' is 309; a number from 0 to 308 was expected"))
        // Sarcasm as the released loader reads it.
        let sarcasm = try MiniatureData("sarcasm", in: scratch.path)
        let upstream = try make("sarcasm", sarcasm.folder)
        for (list, file) in [("train", "train_data.json"), ("test2", "test_data.json")] {
            var entries: [String] = []
            for line in try Files.readText(sarcasm.path("\(list).txt")).split(separator: "\n") {
                let items = try #require(PythonList.parse(String(line)))
                guard !items[1].string!.contains("# sarcasm") else { continue }
                entries.append(
                    JSON.text(
                        .fields([
                            ("image", .string("a/b/\(items[0].string!).jpg")), ("text", items[1]),
                            ("label", items.last!),
                        ])))
            }
            try sarcasm.write("annotations/\(file)", "[" + entries.joined(separator: ",") + "]")
        }
        let json = try make("sarcasm", sarcasm.folder)
        #expect(
            json.ids == upstream.ids && json.labels == upstream.labels
                && json.modalities[1].values == upstream.modalities[1].values)
        // Kinetics-Sounds with names.
        let sounds = try MiniatureData("kinetics_sounds", in: scratch.path)
        let numbers = try make("kinetics_sounds", sounds.folder)
        for list in ["train", "test"] {
            let rows = try CSVTable.rows(text: try Files.read(sounds.path("my_\(list).txt")), source: list)
            try sounds.write(
                "annotations/\(list).csv",
                "label,youtube_id\n"
                    + rows.map { "\(["tap", "saw", "run", "bow"][Int($0.fields[2])!]),\($0.fields[0])\n" }.joined())
            try FileManager.default.removeItem(atPath: sounds.path("my_\(list).txt"))
        }
        let named = try make("kinetics_sounds", sounds.folder)
        #expect(named.ids == numbers.ids && named.classNames == ["bow", "run", "saw", "tap"])
        #expect(
            try make("kinetics_sounds", sounds.folder, [("class_order", .string("first_seen"))]).classNames == [
                "tap", "saw", "run", "bow",
            ])
    }

    @Test func validationIsDrawnFromTrainingOnly() throws {
        let scratch = try ScratchFolder()
        let folder = try MiniatureData("crema_d", in: scratch.path).folder
        let data = try make("crema_d", folder, [("val", .number(0.34))])
        #expect(data.val.count == 6 && data.train.count == 12 && data.test.count == 6)
        #expect(data.val.allSatisfy { data.ids[$0].hasPrefix("100") })
        let texts = try MiniatureData("twitter2015", in: scratch.path).folder
        #expect(
            message { _ = try make("twitter2015", texts, [("val", .number(0.1))]) }.contains(
                "the collection has a validation split"))
    }

    @Test func textsAreCleanedAsReleased() {
        #expect(
            TextCleaning.letters("RT @ user1 : $T$ is 3x great-ish ! #MCM don't", words: 20)
                == "rt t is great ish mcm don t")
        #expect(TextCleaning.letters("a b c d", words: 2) == "a b")
        #expect(TextCleaning.caption("Oh, GREAT! (it's) a/b - c: \"x\"  y\n", words: 50) == "oh great its a b c x y")
        #expect(TextCleaning.caption("a b c", words: 2) == "a b")
        #expect(
            PythonList.parse("['a', \"it's \\u2026 \\\\ \\n\", -1, 0]")?.map { JSON.lua($0) } == [
                "\"a\"", "\"it's … \\\\ \\n\"", "-1", "0",
            ])
        for text in ["", "[", "['a'", "['a' 'b']", "[1, (2)]", "['a'] x", "{'a'}", "['\\x4']"] {
            #expect(PythonList.parse(text) == nil, "\(text)")
        }
    }

    @Test func aTargetCanBeToldAsASecondText() throws {
        let scratch = try ScratchFolder()
        let folder = try MiniatureData("twitter2015", in: scratch.path).folder
        let data = try make("twitter2015", folder, [("text", .string("pair")), ("text_length", .int(32))])
        let sample = try data.modality("text").sample(0)
        #expect(sample[64..<96].contains(1) && sample[32..<64].reduce(0, +) > 10)
        #expect(try !make("twitter2015", folder).modality("text").sample(0)[24..<36].contains(1))
    }

    @Test func theRealListsCanBeRead() throws {
        let lists = Repository.shared + "/data/paper-annotations"
        guard Files.isFolder(lists) else { return print("paper annotations: not there, 0 of 5 ran") }
        // (VGGSound's training list is not among them.)
        let expected: [(name: String, folder: String, train: Int, val: Int, test: Int, classes: Int)] = [
            ("crema_d", "crema-d", 6698, 0, 744, 6), ("kinetics_sounds", "kinetics-sounds", 14799, 0, 2597, 31),
            ("twitter2015", "twitter-2015", 3179, 1122, 1037, 3),
            ("sarcasm", "sarcasm", 19816, 2410, 2409, 2), ("nvgesture", "nvgesture", 1050, 0, 482, 25),
        ]
        for e in expected {
            let check = try DataCheck.run(
                e.name, Table(fields: [("root", .string("\(lists)/\(e.folder)"))]), reads: false)
            #expect(
                check.rows == [SplitName.train: e.train, .val: e.val, .test: e.test].filter { $0.value > 0 }
                    && check.classes == e.classes, "\(e.name)")
            #expect(
                check.problems.allSatisfy { $0.kind == .missing },
                "\(check.problems.first { $0.kind != .missing }?.line ?? "")")
            #expect(
                message { _ = try makeDataset(e.name, [("root", .string("\(lists)/\(e.folder)"))]) }.contains(
                    "has all its media"))
        }
    }
}
