import BSSCore
import BSSPlot
import BSSRuns
import Glibc
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct RunStoreTests {
    private func store() throws -> RunStore {
        var template = Array("/tmp/bss-runs-XXXXXX".utf8CString)
        return try RunStore(String(cString: mkdtemp(&template)))
    }

    private func take(_ store: RunStore, _ id: String) throws -> RunFolder {
        try #require(try store.take(id, again: true))
    }

    private func identity(_ epochs: Int = 3, script: String = "s", data: String = "d") -> RunIdentity {
        RunIdentity(
            Table(fields: [
                ("configuration", .fields([("epochs", .int(epochs)), ("alpha", .number(0.2))])),
                ("sources", .fields([("train.lua", .string(SHA256.hex(script)))])), ("data", .string(SHA256.hex(data))),
            ]))
    }

    @Test("the id depends on every part and on nothing else; what differs is named")
    func ids() {
        let one = identity()
        #expect(one.id.count == 12 && one == identity())
        #expect(
            RunIdentity(
                Table(fields: [
                    ("data", .string(SHA256.hex("d"))),
                    ("configuration", .fields([("alpha", .number(0.2)), ("epochs", .number(3))])),
                    ("sources", .fields([("train.lua", .string(SHA256.hex("s")))])),
                ])) == one)
        func differences(_ other: RunIdentity) -> [String] { RunIdentity.differences(other.parts, one.parts) }
        #expect(differences(identity(4)) == ["configuration.epochs (4, was 3)"] && identity(4).id != one.id)
        #expect(differences(identity(script: "t")) == ["sources.train.lua"])
        #expect(differences(identity(data: "e")) == ["data"] && differences(one).isEmpty)
    }

    @Test("SHA-256 of the standard's examples")
    func sha() {
        #expect(SHA256.hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(SHA256.hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            SHA256.hex(String(repeating: "a", count: 1_000_000))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        var pieces = SHA256()
        for part in ["a", String(repeating: "b", count: 130), "", "c"] { pieces.update(part) }
        #expect(pieces.finish() == SHA256.hex("a" + String(repeating: "b", count: 130) + "c"))
    }

    @Test("a finished run is published with every file of the layout; a failed one leaves its attempt alone")
    func finish() throws {
        let store = try store()
        let identity = identity()
        #expect(try store.finished(identity.id) == nil)
        let run = try take(store, identity.id)
        run.log(step: 1, "train.loss", 0.5)
        run.log(step: 1, "val.total.accuracy", .nan, unit: "1")
        run.trace(step: 1, indices: [2, 0, 1], loss: 0.5, parameters: "ab")
        run.print("hello")
        var record = RunRecord(
            identity: identity, name: "uniform, seed 1", configuration: Table(fields: [("epochs", .int(3))]),
            clock: RunClock())
        record.result = Table(fields: [
            ("last", .fields([("test", .fields([("total", .fields([("accuracy", .number(0.7))]))]))]))
        ])
        record.state = .failed
        #expect(try run.finish(record) == .none)
        #expect(try store.finished(identity.id) == nil && store.attempts(identity.id)[0].record() != nil)
        let again = try take(store, identity.id)
        #expect(again.number == 2)
        record.state = .finished
        again.log(step: 1, "train.loss", 0.5)
        again.print("hello")
        #expect(try again.finish(record) == .published)
        let found = try #require(try store.finished(identity.id))
        #expect(found.value(atPath: "result.last.test.total.accuracy")?.double == 0.7)
        #expect(found.value(atPath: "config.epochs")?.int == 3 && found["id"]?.string == identity.id)
        let folder = store.folder(identity.id)
        #expect(
            try Files.list(folder) == [
                "attempt-1", "attempt-2", "metrics.jsonl", "output.txt", "run.json", "trace.jsonl",
            ])
        #expect(
            try Files.readText(folder + "/metrics.jsonl")
                == "{\"step\":1,\"name\":\"train.loss\",\"value\":0.5,\"bits\":\"3fe0000000000000\"}\n")
        #expect(try Files.readText(folder + "/output.txt") == "hello\n")
        #expect(try store.take(identity.id) == nil)
        #expect(try store.records().map(\.id) == [identity.id] && Files.list(store.root + "/tmp").isEmpty)
    }

    @Test("a second attempt at a finished run is compared: equal, or what differs; the record stays")
    func publication() throws {
        let store = try store()
        let id = identity().id
        var record = RunRecord(identity: identity(), name: "r", configuration: Table(), clock: RunClock())
        record.result = Table(fields: [("last", .fields([("loss", .number(0.25))]))])
        record.parametersHash = "aa"
        #expect(try take(store, id).finish(record) == .published)
        let first = try Files.read(store.folder(id) + "/run.json")
        #expect(try take(store, id).finish(record) == .equal)
        record.result = Table(fields: [("last", .fields([("loss", .number(0.25.nextUp))]))])
        #expect(try take(store, id).finish(record) == .different(["result.last.loss"]))
        #expect(try Files.read(store.folder(id) + "/run.json") == first && store.attempts(id).count == 3)
    }

    @Test("what an attempt that was killed while publishing left behind is replaced by the one that finishes")
    func halfPublished() throws {
        let store = try store()
        let id = identity().id
        let folder = store.folder(id)
        let killed = try take(store, id)
        killed.log(step: 1, "train.loss", 9)
        try killed.flush()
        try killed.release()
        #expect(link(killed.path + "/metrics.jsonl", folder + "/metrics.jsonl") == 0)
        let run = try take(store, id)
        run.log(step: 1, "train.loss", 0.5)
        let record = RunRecord(identity: identity(), name: "r", configuration: Table(), clock: RunClock())
        #expect(try run.finish(record) == .published)
        for name in ["metrics.jsonl", "trace.jsonl", "output.txt", "run.json"] {
            #expect(try Files.read("\(folder)/\(name)") == Files.read("\(run.path)/\(name)"), "\(name)")
        }
        #expect(try Files.readText(killed.path + "/metrics.jsonl").contains("\"value\":9"))
    }

    @Test("resuming begins with the lines and the output up to the checkpoint")
    func resume() throws {
        let store = try store()
        let id = identity().id
        let first = try take(store, id)
        var size = 0
        for step in 1...5 {
            first.log(step: step, "train.loss", 1 / Double(step))
            first.print("epoch \(step)")
            if step == 3 {
                size = first.outputBytes
                try Files.write("state", to: first.checkpoint(3))
            }
        }
        try first.flush()
        try first.release()
        let checkpoint = try #require(try store.checkpoints(id).first)
        #expect(checkpoint.epoch == 3 && checkpoint.attempt == 1)
        let second = try take(store, id)
        try second.resume(from: checkpoint, outputBytes: size).withUnsafeBytes { second.print($0) }
        for step in 4...5 {
            second.log(step: step, "train.loss", 1 / Double(step))
            second.print("epoch \(step)")
        }
        try second.flush()
        for name in ["metrics.jsonl", "output.txt"] {
            #expect(try Files.read("\(second.path)/\(name)") == Files.read("\(first.path)/\(name)"), "\(name)")
        }
        for epoch in [4, 5, 6] { try Files.write("state", to: second.checkpoint(epoch)) }
        try second.removeOldCheckpoints()
        #expect(try store.checkpoints(id).map(\.epoch) == [6, 5, 3])
        let record = RunRecord(identity: identity(), name: "r", configuration: Table(), clock: RunClock())
        try second.finish(record)
        #expect(try store.checkpoints(id).isEmpty)
    }

    @Test("a plan is frozen: the same lines are the same file, other lines another one")
    func plan() throws {
        let store = try store()
        #expect(try store.plans().isEmpty)
        let runs: [RunStore.PlannedRun] = [
            .init(id: "a", name: "x", content: Table(fields: [("seed", .int(1))])),
            .init(id: "b", name: "y", content: Table()),
        ]
        let path = try store.freeze("table 1/x", runs)
        #expect(path.hasPrefix(store.root + "/plans/table-1-x-") && path.hasSuffix(".jsonl"))
        #expect(try store.plan(path).map(\.id) == ["a", "b"] && store.plan(path)[0].content["seed"]?.int == 1)
        let before = Files.modified(path)
        #expect(try store.freeze("table 1/x", runs) == path && Files.modified(path) == before)
        let other = try store.freeze("table 1/x", [runs[0]])
        #expect(try other != path && store.plans("table 1/x").count == 2 && store.plans("table").isEmpty)
        try Files.write("{\"name\":1}\n", to: path)
        #expect { try store.plan(path) } throws: { "\($0)".contains("line 1 has no id") }
    }

    @Test("tables and figures are written beside the runs")
    func results() throws {
        let store = try store()
        try ReportTable(title: "t", rows: [.init(name: "a", values: ["x": [1, 2]])], metrics: ["x"]).save(
            store.tables + "/t")
        var figure = Figure(title: "f")
        figure.series = [.init(name: "a", x: [1, 2], y: [1, 2])]
        try figure.save(store.figures + "/f")
        #expect(
            try Files.list(store.tables) == ["t.csv", "t.md", "t.tex"]
                && Files.list(store.figures).filter { $0 != "f.pdf" } == ["f.csv", "f.gp", "f.svg"])
    }
}
