import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// `bss-lua runs`, `diff`, `watch` and `--log-to tensorboard`, on one small experiment.
@Suite(.oneAtATime) struct RunsCommandTests {
    private static let script = """
        local d = bss.data.synthetic{ samples = 120, classes = 3 }
        bss.experiment{
          name = "try", seeds = 2, arms = { { name = "joint" }, { name = "BSS-L", scheduler = "learned" } },
          metrics = { "test.total.accuracy" },
          run = function(_, arm, seed)
            return bss.train{ data = d, epochs = 2, seed = seed, scheduler = arm.scheduler }
          end }
        """

    private let program: BuiltProgram

    init() throws {
        program = try BuiltProgram()
        try program.write("try.lua", Self.script)
        let outcome = try program.run(["--quiet", "--out", "out", "--log-to", "tensorboard", "try.lua"])
        try #require(outcome.code == 0, "\(outcome.summary)")
    }

    private func ask(_ words: [String], code: Int32 = 0) throws -> String {
        let outcome = try program.run(words + ["--out", "out"])
        #expect(outcome.code == code, "\(words): \(outcome.summary)")
        return code == 0 || code == 3 ? outcome.output : outcome.errors
    }

    private func ids(_ filter: String) throws -> [String] {
        let text = try ask(["runs", "ls", filter, "--json"])
        return try JSON.parse(text).table?.items.compactMap { $0.table?["id"]?.string } ?? []
    }

    @Test("ls lists every run, filters choose, an unknown name is said")
    func list() throws {
        defer { program.remove() }
        let all = try ask(["runs", "ls"])
        #expect(all.split(separator: "\n").count == 5 && all.contains("BSS-L") && all.contains("try"))
        #expect(try ids("name=BSS*").count == 2)
        #expect(try ids("seed=1 and name=joint").count == 1)
        #expect(try ids("accuracy>=0,epochs<3,scheduler.name!=random").count == 2)
        #expect(try ids("accuracy>1").isEmpty)
        #expect(try ask(["runs", "ls", "acuracy>0.5"], code: 2).contains("no run of out has 'acuracy'"))
        #expect(try ask(["runs", "ls", "accuracy>much"], code: 2).contains("no number"))
        let nowhere = try program.run(["runs", "ls", "--out", "nowhere"])
        #expect(nowhere.code == 2 && nowhere.errors.contains("there are no runs in nowhere"))
        #expect(!Files.exists(program.folder + "/nowhere"), "looking makes no folder")
    }

    @Test("show, label, rm and gc; beginnings of ids will do")
    func one() throws {
        defer { program.remove() }
        let id = try #require(ids("seed=2 and name=joint").first)
        let sheet = try ask(["runs", "show", String(id.prefix(6))])
        for part in ["run \(id): joint of try, seed 2", "scheduler.name", "test total", "instruction_set", "try.lua"] {
            #expect(sheet.contains(part), "\(part) in \(sheet)")
        }
        _ = try ask(["runs", "label", id, "the best"])
        #expect(try ids("label=the*") == [id])
        _ = try ask(["runs", "label", id])
        #expect(try ids("label=the*").isEmpty)
        #expect(try ask(["runs", "rm", id]).contains("would remove \(id)"))
        #expect(try ids("*").count == 4)
        #expect(try ask(["runs", "rm", id, "--yes"]).contains("removed \(id)"))
        #expect(try ids("*").count == 3)
        #expect(try ask(["runs", "show", id], code: 2).contains("no run of out has an id"))
        // Trained twice more: of the three attempts one is published.
        let again = try program.run(["--quiet", "--out", "out", "--rerun", "try.lua"])
        #expect(again.code == 0, "\(again.summary)")
        #expect(try ask(["runs", "gc"]).contains("would free"))
        #expect(try ask(["runs", "gc", "-y"]).contains("of 3 finished runs"))
        #expect(try ask(["runs", "gc", "-y"]).contains("freed 0.0 MiB of 0 finished runs"))
        #expect(try ids("state=finished").count == 4)
    }

    @Test("diff names what went in, what came out and the first epoch that parts")
    func diff() throws {
        defer { program.remove() }
        let a = try #require(ids("seed=1 and name=joint").first)
        let b = try #require(ids("seed=1 and name=BSS*").first)
        let text = try ask(["diff", a, b], code: 3)
        #expect(text.contains("scheduler.name: random | learned"))
        #expect(text.contains("first difference: epoch 1, order of samples"))
        #expect(try ask(["diff", a, a]).contains("are the same, bit by bit"))
        let table = try #require(JSON.parse(ask(["diff", a, b, "--json"], code: 3)).table)
        #expect(table["equal"]?.bool == false && table.value(atPath: "first_difference.epoch")?.int == 1)
        #expect(try ask(["diff", a], code: 2).contains("which two runs?"))
    }

    @Test("watch tells every epoch where it is no terminal")
    func watch() throws {
        defer { program.remove() }
        let id = try #require(ids("seed=1 and name=joint").first)
        let lines = try ask(["watch", id, "--metric", "train.loss"]).split(separator: "\n")
        #expect(lines.count == 2 && lines[1].hasPrefix("joint, seed 1 (\(id.prefix(6))) epoch 2: train.loss"))
        #expect(try ask(["watch", id, "--metric", "train.los"], code: 2).contains("did you mean 'train.loss'?"))
        #expect(try program.run(["watch", "out", "--once"]).output.split(separator: "\n").count == 8)
    }

    @Test("event files hold what metrics.jsonl holds, to the precision of f32, each record with its checksums")
    func tensorboard() throws {
        defer { program.remove() }
        let id = try #require(ids("seed=1 and name=joint").first)
        let folder = "\(program.folder)/out/tensorboard/joint-seed1-\(id.prefix(8))"
        let file = try #require(Files.list(folder).first)
        let events = try EventReader.read(Files.read("\(folder)/\(file)"))
        let lines = try Files.readText("\(program.folder)/out/runs/\(id)/metrics.jsonl").split(separator: "\n")
        #expect(events.count == lines.count)
        for (line, event) in zip(lines, events) {
            let fact = try #require(JSON.parse(String(line)).table)
            #expect(event.step == fact["step"]?.int)
            #expect(event.tag.split(separator: "/").joined(separator: ".") == fact["name"]?.string)
            #expect(event.value == fact["value"]?.double.map { Float($0) })
        }
        // Asked for when the run is finished already: the same numbers, from its record.
        try FileManager.default.removeItem(atPath: program.folder + "/out/tensorboard")
        let again = try program.run(["--quiet", "--out", "out", "--log-to", "tensorboard", "try.lua"])
        #expect(again.code == 0, "\(again.summary)")
        let copy = try EventReader.read(Files.read("\(folder)/\(try #require(Files.list(folder).first))"))
        #expect(copy.map(\.value) == events.map(\.value) && copy.map(\.tag) == events.map(\.tag))
    }

    @Test("tensorboard's own reader sees every number, where Python has it")
    func tensorboardReads() throws {
        defer { program.remove() }
        let id = try #require(ids("seed=1 and name=joint").first)
        let reader = "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator"
        let python = ProcessInfo.processInfo.environment["BSS_PYTHON"] ?? "python3"
        guard try program.run([python, "-c", reader], of: "/usr/bin/env").code == 0 else {
            return print("event files by tensorboard: 0 of 1 (no tensorboard)")
        }
        let code = """
            import json, sys
            \(reader)
            events = EventAccumulator(sys.argv[1]).Reload()
            facts = [json.loads(line) for line in open(sys.argv[2])]
            for fact in facts:
                found = {e.step: e.value for e in events.Scalars(fact["name"].replace(".", "/"))}
                assert abs(found[fact["step"]] - fact["value"]) <= 1e-6 * max(1, abs(fact["value"])), fact
            assert len(facts) > 10
            """
        let files = ["out/tensorboard/joint-seed1-\(id.prefix(8))", "out/runs/\(id)/metrics.jsonl"]
        let read = try program.run([python, "-c", code] + files, of: "/usr/bin/env")
        #expect(read.code == 0, "\(read.summary)")
        print("event files by tensorboard: 1 of 1")
    }
}

/// Reads TFRecords of scalar events, as `tensorflow/core/lib/io/record_reader` and `event.proto` have them; stands on
/// its own.
private enum EventReader {
    struct Damage: Error {}

    static func read(_ bytes: [UInt8]) throws -> [(step: Int, tag: String, value: Float)] {
        var (at, events) = (0, [(step: Int, tag: String, value: Float)]())
        while at < bytes.count {
            guard at + 12 <= bytes.count else { throw Damage() }
            let length = Int(number(bytes[at..<at + 8]))
            guard at + 16 + length <= bytes.count else { throw Damage() }
            let message = bytes[at + 12..<at + 12 + length]
            guard number(bytes[at + 8..<at + 12]) == masked(bytes[at..<at + 8]),
                number(bytes[at + 12 + length..<at + 16 + length]) == masked(message)
            else { throw Damage() }
            let fields = try fields(message)
            if let summary = fields[5], let value = try self.fields(ArraySlice(summary))[1] {
                let scalar = try self.fields(ArraySlice(value))
                guard let tag = scalar[1], let bits = scalar[2] else { throw Damage() }
                events.append(
                    (
                        Int(number(ArraySlice(fields[2] ?? []))), String(decoding: tag, as: UTF8.self),
                        Float(bitPattern: UInt32(number(ArraySlice(bits))))
                    ))
            }
            at += 16 + length
        }
        return events
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func masked(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var crc: UInt32 = ~0
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
        }
        crc = ~crc
        return UInt64((crc >> 15 | crc << 17) &+ 0xA282_EAD8)
    }

    /// By number; of integers their bytes, little-endian.
    private static func fields(_ message: ArraySlice<UInt8>) throws -> [Int: [UInt8]] {
        var (rest, found) = (message, [Int: [UInt8]]())
        func varint() throws -> Int {
            var (value, shift) = (0, 0)
            while let byte = rest.popFirst() {
                value |= Int(byte & 0x7F) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
            throw Damage()
        }
        while !rest.isEmpty {
            let key = try varint()
            switch key & 7 {
            case 0: found[key >> 3] = withUnsafeBytes(of: try varint().littleEndian) { Array($0) }
            case 1, 5, 2:
                let count = key & 7 == 2 ? try varint() : key & 7 == 1 ? 8 : 4
                guard rest.count >= count else { throw Damage() }
                found[key >> 3] = Array(rest.prefix(count))
                rest = rest.dropFirst(count)
            default: throw Damage()
            }
        }
        return found
    }
}
