import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// The paper's six collections through the program: checks, trainings on miniature folders, the experiment scripts.
@Suite(.oneAtATime) struct CollectionTests {
    /// Options that make a script of experiments/ small enough for miniature samples.
    static let scripts: [(script: String, collection: String, sets: [String])] = {
        let clips = ["width=4", "blocks=1,1", "image_size=32", "seconds=0.4"]
        let texts = ["width=4", "blocks=1,1", "image_size=32", "text_length=12", "hidden=8", "layers=1", "heads=2"]
        return [
            ("cremad", "crema_d", clips), ("ks", "kinetics_sounds", clips), ("vggsound", "vggsound", clips),
            ("twitter2015", "twitter2015", texts),
            ("sarcasm", "sarcasm", texts + ["logits=10"]),
            ("nvgesture", "nvgesture", ["width=4", "blocks=1,1,0", "frames=8", "eval_frames=8", "side=36", "crop=32"]),
        ]
    }()

    private func arguments(_ sets: [String]) -> [String] { sets.flatMap { ["--set", $0] } }

    @Test("scripts pass --check without data, with every preset and the sizes of the paper", arguments: scripts.indices)
    func check(index: Int) throws {
        let (script, _, _) = Self.scripts[index]
        let program = try BuiltProgram()
        defer { program.remove() }
        let outcome = try program.run(["--check", "\(BuiltProgram.packageRoot)/experiments/\(script).lua"])
        #expect(
            outcome.code == 0 && outcome.errors.contains("checked: \(script), 12 arms × 3 seeds"), "\(outcome.summary)")
        #expect(!Files.exists(program.folder + "/experiments"))
        let wrong = try program.run([
            "--check", "--set", "width=0", "\(BuiltProgram.packageRoot)/experiments/\(script).lua",
        ])
        #expect(wrong.code == 1 && wrong.errors.contains("option 'width' expects"), "\(wrong.summary)")
        let absent = try program.run(["--quiet", "\(BuiltProgram.packageRoot)/experiments/\(script).lua"])
        #expect(
            absent.code == 8 && absent.errors.contains("name its parent with --data DIR or BSS_DATA"),
            "\(absent.summary)")
    }

    @Test("scripts train one epoch on a miniature folder", arguments: scripts.indices)
    func train(index: Int) throws {
        let (script, collection, sets) = Self.scripts[index]
        let program = try BuiltProgram()
        defer { program.remove() }
        _ = try MiniatureData(collection, in: program.folder + "/data")
        let small =
            sets + [
                "epochs=1", "batch_size=3", "seeds=1", "presets=official_fixed,official", "schedulers=learned",
                "control=false",
            ] + (script == "ks" ? ["val=0.25"] : [])
        let outcome = try program.run(
            ["--quiet", "--data", "data"] + arguments(small) + ["\(BuiltProgram.packageRoot)/experiments/\(script).lua"]
        )
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.summary)")
        #expect(outcome.output.contains("official_fixed, learned"), "\(outcome.output)")
        let run = try #require(try Files.list(program.folder + "/experiments/runs/runs").first)
        let record = try program.read("experiments/runs/runs/\(run)/run.json")
        #expect(
            record["state"]?.string == "finished"
                && record.value(atPath: "result.last.test.total.accuracy")?.double != nil)
    }

    @Test("data check counts and lists what is wrong, and says so by its exit code")
    func dataCheck() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let mini = try MiniatureData("crema_d", in: program.folder + "/data")
        let sound = try program.run(["data", "check", "crema_d", "--data", "data"])
        #expect(
            sound.code == 0 && sound.output.contains("24 rows (18 train / 0 val / 6 test), 6 classes")
                && sound.output.contains("everything can be read"), "\(sound.summary)")
        try mini.write("AudioWAV/1000_IEO_HAP_XX.wav", [UInt8]())
        try FileManager.default.removeItem(atPath: mini.path("Image-01-FPS/1000_IEO_SAD_XX"))
        try mini.write("annotations/test.csv", Files.readText(mini.path("annotations/test.csv")) + "x,JOY\n")
        let outcome = try program.run(["data", "check", "crema_d", "--data", "data"])
        #expect(outcome.code == 8, "\(outcome.summary)")
        for line in [
            "audio  23 of 24 sound, 0 missing, 1 unreadable", "video  23 of 24 sound, 1 missing, 0 unreadable",
            "missing: 1", "unreadable: 1", "unlabelled: 1",
            "annotations/train.csv: line 2: AudioWAV/1000_IEO_HAP_XX.wav: the file is empty",
            "annotations/train.csv: line 3: Image-01-FPS/1000_IEO_SAD_XX: the folder of frames is not there",
            "annotations/test.csv: line 7: 'x' has the unknown class 'JOY'",
        ] { #expect(outcome.output.contains(line), "\(line)\n\(outcome.output)") }
        let json = try JSON.parse(
            try program.run([
                "data", "check", "crema_d", "--data", "data", "--json", "--quick", "--set", "modalities=audio",
            ]).output, source: "json"
        ).table
        #expect(json?["problems"]?.table?.items.count == 2 && json?["read"]?.bool == false)
        let unknown = try program.run(["data", "check", "cremad"])
        #expect(unknown.code == 2 && unknown.errors.contains("did you mean 'crema_d'?"), "\(unknown.summary)")
        let option = try program.run(["data", "check", "crema_d", "--set", "framez=1"])
        #expect(option.code == 2 && option.errors.contains("did you mean 'frames'?"), "\(option.summary)")
        #expect(try program.run(["data", "check", "crema_d"]).code == 8)
        #expect(
            try program.run(["data", "check", "mosi", "--data", BuiltProgram.sharedData]).code
                == (BuiltProgram.hasSharedData ? 0 : 8))
    }

    @Test("training from files gives the same bits for any number of workers and threads, and names a damaged file")
    func determinism() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let mini = try MiniatureData("crema_d", in: program.folder + "/data")
        try program.write(
            "train.lua",
            """
            local bss = require "bss"
            local p = bss.params{ workers = 2, ahead_mib = 256, cache = "" }
            local options = { workers = p.workers, ahead_mib = p.ahead_mib, seconds = 0.3, image_size = { 24, 24 } }
            if p.cache ~= "" then options.cache = p.cache end
            local run = bss.train{
              data = bss.data.crema_d(options), epochs = 2, batch_size = 5, record = false,
              scheduler = bss.scheduler.learned{ score_interval = 1, score_transform = "train" },
              model = bss.model{ audio = bss.encoder.cnn{}, video = bss.encoder.cnn{} },
            }
            print(run.parameters_hash, run.result.last.test.total.loss)
            """)
        let base = ["--quiet", "--data", "data"]
        let first = try program.run(base + ["--set", "workers=0", "--threads", "1", "train.lua"])
        #expect(first.code == 0 && first.output.count > 60, "\(first.summary)")
        for sets in [["workers=1"], ["workers=5", "ahead_mib=1"], ["cache=kept"], ["cache=kept", "workers=3"]] {
            let again = try program.run(base + arguments(sets) + ["--threads", "2", "train.lua"])
            #expect(again.output == first.output, "\(sets): \(again.summary)")
        }
        let jpeg = try Files.read(mini.path("Image-01-FPS/1001_IEO_DIS_XX/00001.jpg"))
        for frame in 0..<2 {
            try mini.write("Image-01-FPS/1001_IEO_DIS_XX/0000\(frame).jpg", Array(jpeg.prefix(jpeg.count / 2)))
        }
        let damaged = try program.run(base + ["train.lua"])
        #expect(
            damaged.code == 8 && damaged.errors.contains("Image-01-FPS/1001_IEO_DIS_XX/0000")
                && damaged.errors.contains("truncated"), "\(damaged.summary)")
    }

    @Test("peak memory does not grow with the collection")
    func memory() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let mini = try MiniatureData("crema_d", in: program.folder + "/data")
        try program.write(
            "read.lua",
            """
            local bss = require "bss"
            local data = bss.data.crema_d{ seconds = 2, image_size = { 64, 64 }, ahead_mib = 16 }
            local speed = data:loading_speed{ workers = 2, batch_size = 16 }
            for line in io.lines("/proc/self/status") do
              local kib = line:match("^VmHWM:%s+(%d+)")
              if kib then print(speed.samples, kib, speed.bytes) end
            end
            """)
        func peak(_ rows: Int) throws -> (kib: Int, bytes: Int) {
            // Other names of the same media: what is read is as large as if they were others.
            var lines = ""
            for row in 0..<rows {
                let id = "20\(row)_IEO_NEU_XX"
                for name in ["AudioWAV/\(id).wav", "Image-01-FPS/\(id)"] where !Files.exists(mini.path(name)) {
                    try FileManager.default.createSymbolicLink(
                        atPath: mini.path(name),
                        withDestinationPath: mini.path(name.replacingOccurrences(of: id, with: "1000_IEO_NEU_XX")))
                }
                lines += "\(id),NEU\n"
            }
            try mini.write("annotations/train.csv", lines)
            let outcome = try program.run(["--quiet", "--data", "data", "read.lua"])
            let numbers = outcome.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
            try #require(numbers.count == 3 && numbers[0] == rows, "\(outcome.summary)")
            return (numbers[1], numbers[2])
        }
        let few = try peak(100)
        let many = try peak(2000)
        print(
            """
            peak memory: \(few.kib / 1024) MiB for \(few.bytes >> 20) MiB of samples, \(many.kib / 1024) MiB \
            for \(many.bytes >> 20) MiB
            """
        )
        #expect(many.bytes > 300 << 20 && many.kib < few.kib + 24 * 1024, "\(few), \(many)")
    }
}
