import BSSCore
import Foundation
import Testing

@testable import BSSRuns

/// What looks at a store each second reads only what has changed.
@Suite struct StoreWatchTests {
    private func store() throws -> RunStore {
        try RunStore(FileManager.default.temporaryDirectory.path + "/watch-\(UUID().uuidString)")
    }

    private func record(_ id: String, _ store: RunStore, epochs: Int) throws {
        let folder = try #require(try store.take(id, patience: .none))
        for step in 1...epochs { folder.log(step: step, "val.total.accuracy", Double(step)) }
        var record = RunRecord(
            identity: RunIdentity(Table(), id: id), name: id, configuration: Table(), clock: RunClock())
        record.state = .finished
        try folder.finish(record)
    }

    /// As if it had been written a while ago.
    private func age(_ store: RunStore) throws {
        for path in try FileManager.default.subpathsOfDirectory(atPath: store.root) {
            try FileManager.default.setAttributes(
                [.modificationDate: Date().addingTimeInterval(-60)], ofItemAtPath: "\(store.root)/\(path)")
        }
    }

    @Test func finishedRunsAreReadOnce() throws {
        let store = try store()
        defer { try? FileManager.default.removeItem(atPath: store.root) }
        for id in ["a", "b", "c"] { try record(id, store, epochs: 3) }
        try age(store)
        var watch = StoreWatch(store)
        func look() throws -> [Int] { try watch.all().map { try watch.curve("val.total.accuracy", of: $0).count } }
        #expect(try look() == [3, 3, 3])
        let once = watch.reads
        for _ in 0..<5 { #expect(try look() == [3, 3, 3]) }
        #expect(once == 6 && watch.reads == once)
        try record("d", store, epochs: 2)
        #expect(try look().sorted() == [2, 3, 3, 3])
        #expect(watch.reads <= once + 2)
    }
}
