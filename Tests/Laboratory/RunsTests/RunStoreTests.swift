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

    private func identity(_ epochs: Int = 3, script: String = "s", data: String = "d") -> RunIdentity {
        RunIdentity(
            configuration: Table(fields: [("epochs", .int(epochs)), ("alpha", .number(0.2))]), script: script,
            data: data, engine: "1")
    }

    @Test("the id depends on every part and on nothing else")
    func ids() {
        let one = identity()
        #expect(one.id.count == 12 && one == identity())
        #expect(
            RunIdentity(
                configuration: Table(fields: [("alpha", .number(0.2)), ("epochs", .number(3))]), script: "s", data: "d",
                engine: "1") == one)
        #expect(identity(4).differences(from: one) == ["configuration"] && identity(4).id != one.id)
        #expect(identity(script: "t").differences(from: one) == ["script"])
        #expect(identity(data: "e").differences(from: one) == ["data"])
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

    @Test("a finished run is found again, with every file of the layout; an unfinished one is not")
    func finish() throws {
        let store = try store()
        let identity = identity()
        #expect(try store.finished(identity.id) == nil)
        let run = try store.claim(identity.id)
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
        try run.finish(record)
        #expect(try store.finished(identity.id) == nil)
        let again = try store.claim(identity.id)
        record.state = .finished
        again.log(step: 1, "train.loss", 0.5)
        try again.finish(record)
        let found = try #require(try store.finished(identity.id))
        #expect(found.value(atPath: "result.last.test.total.accuracy")?.double == 0.7)
        #expect(found.value(atPath: "config.epochs")?.int == 3 && found["id"]?.string == identity.id)
        for name in ["run.json", "metrics.jsonl", "trace.jsonl", "output.txt"] {
            #expect(Files.exists(store.folder(identity.id) + "/" + name), "\(name)")
        }
        #expect(
            try Files.list(store.folder(identity.id)) == ["metrics.jsonl", "output.txt", "run.json", "trace.jsonl"])
        #expect(
            try Files.readText(store.folder(identity.id) + "/metrics.jsonl")
                == "{\"step\":1,\"name\":\"train.loss\",\"value\":0.5,\"bits\":\"3fe0000000000000\"}\n")
        #expect(try store.records().map(\.id) == [identity.id])
    }

    @Test("a run in living hands is refused; one left by a dead process is taken over")
    func claims() throws {
        let store = try store()
        let id = identity().id
        let claim = store.folder(id) + "/claim"
        // Process 1 lives as long as we do; its start time is read the same way.
        try Files.makeFolder(claim)
        let stat = try Files.readText("/proc/1/stat")
        let ticks = String(stat[stat.lastIndex(of: ")")!...].split(separator: " ")[20])
        func owner(_ pid: Int, _ ticks: String) -> String {
            JSON.text(
                .fields([
                    ("host", .string(Machine.host)), ("boot", .string(Machine.bootID)), ("pid", .int(pid)),
                    ("ticks", .string(ticks)), ("started", .string("then")),
                ]))
        }
        if kill(1, 0) == 0 {
            try Files.write(owner(1, ticks), to: claim + "/owner.json")
            #expect { try store.claim(id) } throws: { "\($0)".contains("process 1") }
        }
        try Files.write(owner(1, "0"), to: claim + "/owner.json")
        let taken = try store.claim(id)
        taken.release()
        #expect(!Files.exists(claim))
        try Files.makeFolder(claim)
        try store.claim(id).release()
    }

    @Test("resuming keeps the lines up to the checkpoint")
    func resume() throws {
        let store = try store()
        let id = identity().id
        let first = try store.claim(id)
        for step in 1...5 { first.log(step: step, "train.loss", 1 / Double(step)) }
        try first.flush()
        first.release()
        let second = try store.claim(id)
        try second.resume(upTo: 3)
        for step in 4...5 { second.log(step: step, "train.loss", 1 / Double(step)) }
        let before = try Files.readText(store.folder(id) + "/metrics.jsonl")
        try second.flush()
        #expect(try Files.readText(store.folder(id) + "/metrics.jsonl") == before)
    }

    @Test func plan() throws {
        let store = try store()
        #expect(try store.plan().isEmpty)
        try store.write(plan: [
            .init(id: "a", name: "x", configuration: Table(fields: [("seed", .int(1))])),
            .init(id: "b", name: "y", configuration: Table()),
        ])
        #expect(try store.plan().map(\.id) == ["a", "b"] && store.plan()[0].configuration["seed"]?.int == 1)
        try Files.write("{\"name\":1}\n", to: store.root + "/plan.jsonl")
        #expect { try store.plan() } throws: { "\($0)".contains("line 1 has no id") }
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
