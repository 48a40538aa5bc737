import BSSCore
import Glibc
import Testing
import _BSSTestSupport

@testable import BSSRuns

/// The claim protocol: who may take a run, by the observer's own clock.
@Suite(.oneAtATime) struct ClaimTests {
    /// A clock that only `pause` moves.
    private final class Clock {
        var now = 1000.0
        /// What others do while an observer waits.
        var meanwhile: (Double) throws -> Void = { _ in }
        var rules: ClaimRules {
            ClaimRules(
                lease: 180, now: { self.now },
                pause: {
                    self.now += $0
                    try self.meanwhile(self.now)
                })
        }
    }

    private let root: String
    private let clock = Clock()

    init() throws {
        var template = Array("/tmp/bss-claims-XXXXXX".utf8CString)
        root = String(cString: mkdtemp(&template))
    }

    private func store(_ change: (inout ProcessIdentity) -> Void = { _ in }) throws -> RunStore {
        var process = ProcessIdentity.current
        change(&process)
        return try RunStore(root, rules: clock.rules, as: process)
    }

    private func isHeld(_ claim: RunStore.Claim) -> Bool { if case .held = claim { return true } else { return false } }
    private func left(_ claim: RunStore.Claim) -> Double? {
        if case .silent(_, let left) = claim { return left } else { return nil }
    }
    private func taken(_ claim: RunStore.Claim) -> RunFolder? {
        if case .taken(let run) = claim { return run } else { return nil }
    }

    @Test("a run in living hands of this machine is refused, however long it is silent")
    func living() throws {
        let mine = try #require(taken(try store().claim("r")))
        clock.now += 1e6
        #expect(isHeld(try store().claim("r")))
        #expect { try store().take("r") } throws: {
            "\($0)".contains("in the hands of process \(getpid())") && ($0 as? BSSError)?.kind == .busy
        }
        try mine.release()
        #expect(taken(try store().claim("r"))?.number == 2)
    }

    @Test("a process of this table that is gone loses its run at once, also when its number is used again")
    func gone() throws {
        let changes: [(inout ProcessIdentity) -> Void] = [{ $0.start = "1" }, { $0.pid = 4_194_303 }]
        for (i, change) in changes.enumerated() {
            let run = try #require(taken(try store(change).claim("gone-\(i)")))
            #expect(taken(try store().claim(run.id))?.number == 2)
        }
    }

    @Test("an owner elsewhere is dead after the lease without a beat, by the observer's own clock")
    func lease() throws {
        let run = try #require(
            taken(
                try store {
                    $0.host = "far"; $0.boot = "other"
                }.claim("r")))
        let observer = try store()
        #expect(left(try observer.claim("r")) == 180)
        clock.now += 179
        #expect(left(try observer.claim("r")) == 1)
        // A beat, whatever it says: alive, and the lease begins anew.
        try Files.write("1", to: run.path + "/beat")
        #expect(isHeld(try observer.claim("r")))
        clock.now += 181
        // Another observer has seen nothing yet.
        #expect(left(try store().claim("r")) == 180)
        let mine = try #require(taken(try observer.claim("r")))
        #expect(mine.number == 2)
        #expect(isHeld(try store().claim("r")))
    }

    @Test("host names are not unique: a machine that was started anew is dead after five beats, not at once")
    func restarted() throws {
        let run = try #require(taken(try store { $0.boot = "before" }.claim("r")))
        let observer = try store()
        #expect(left(try observer.claim("r")) == 75)
        clock.now += 76
        #expect(taken(try observer.claim("r"))?.number == 2)
        #expect(run.number == 1)
    }

    @Test("another pid namespace: a living owner is not taken for dead, a dead one is waited out")
    func namespaces() throws {
        let run = try #require(
            taken(
                try store {
                    $0.pidNamespace = "pid:[1]"; $0.pid = 1
                }.claim("r")))
        var beats = 0
        clock.meanwhile = { _ in
            beats += 1
            try Files.write(String(beats), to: run.path + "/beat")
        }
        #expect { try store().take("r") } throws: { "\($0)".contains("in the hands of process 1") }
        clock.meanwhile = { _ in }
        var told: [String] = []
        let begun = clock.now
        let mine = try #require(try store().take("r") { told.append($0) })
        #expect(mine.number == 2 && told.count == 1 && told[0].contains("180 s"), "\(told)")
        #expect((180...200).contains(clock.now - begun), "\(clock.now - begun)")
    }

    @Test("of many that claim at once one wins, and no claim is without an owner")
    func race() throws {
        // Threads of one process stand for processes: each has a store of its own.
        final class Wins: @unchecked Sendable {
            var count = [Int](repeating: 0, count: 40)
            let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
            let root: String
            init(_ root: String) {
                self.root = root
                pthread_mutex_init(lock, nil)
            }
        }
        let wins = Wins(root)
        var threads: [pthread_t] = []
        for _ in 0..<8 {
            var thread = pthread_t()
            let context = Unmanaged.passRetained(wins).toOpaque()
            pthread_create(
                &thread, nil,
                { context in
                    let wins = Unmanaged<Wins>.fromOpaque(context!).takeRetainedValue()
                    guard let store = try? RunStore(wins.root) else { return nil }
                    for i in 0..<40 {
                        guard case .taken(let run)? = try? store.claim("race-\(i)") else { continue }
                        pthread_mutex_lock(wins.lock)
                        wins.count[i] += 1
                        pthread_mutex_unlock(wins.lock)
                        _ = Unmanaged.passRetained(run)  // held to the end of the test
                    }
                    return nil
                }, context)
            threads.append(thread)
        }
        for thread in threads { pthread_join(thread, nil) }
        #expect(wins.count == [Int](repeating: 1, count: 40))
        let store = try RunStore(root)
        for i in 0..<40 { #expect(try store.attempts("race-\(i)").map { try $0.owner() != nil } == [true]) }
        #expect(try Files.list(root + "/tmp").isEmpty)
    }

    @Test("claims and files of killed processes are cleared away, those of living ones are not")
    func leftovers() throws {
        _ = try store()
        var gone = ProcessIdentity.current
        gone.start = "1"
        for tag in [gone.tag, ProcessIdentity.current.tag] {
            try Files.makeFolder("\(root)/tmp/\(tag).token")
            try Files.makeFolder("\(root)/results/tables")
            try Files.write("x", to: "\(root)/results/tables/t.csv.\(tag).new")
        }
        _ = try store()
        #expect(try Files.list(root + "/tmp") == ["\(ProcessIdentity.current.tag).token"])
        #expect(try Files.list(root + "/results/tables") == ["t.csv.\(ProcessIdentity.current.tag).new"])
    }

    @Test("an owner that was thought dead notices its successor")
    func superseded() throws {
        let slow = try RunStore(
            root, rules: ClaimRules(lease: 1),
            as: {
                var p = ProcessIdentity.current; p.boot = "far"; return p
            }())
        let run = try #require(taken(try slow.claim("r")))
        try run.checkOwnership()
        try Files.makeFolder(root + "/runs/r/attempt-2")
        var noticed = false
        for _ in 0..<100 where !noticed {
            usleep(20_000)
            do { try run.checkOwnership() } catch { noticed = "\(error)".contains("taken over by attempt 2") }
        }
        #expect(noticed)
        #expect(Int(try Files.readText(run.path + "/beat")) ?? 0 >= 1)
    }
}
