import BSSCore
import Glibc

/// The machine and the process, as records name them.
public enum Machine {
    /// CPU, instruction set, memory and kernel.
    nonisolated(unsafe) public static let description: Table = {  // never changed once it is made
        // A record that does not know its machine is still a record: unknown fields say "?".
        let cpu = (try? Files.readText("/proc/cpuinfo")) ?? ""
        func field(_ name: String) -> String {
            guard let line = cpu.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
                let colon = line.firstIndex(of: ":")
            else { return "?" }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        let features = Set(field("flags").split(separator: " ").map(String.init))
        let memory =  // 0: unknown
            (try? Files.readText("/proc/meminfo"))?.split(separator: "\n").first?.split(separator: " ").compactMap {
                Int($0)
            }.first ?? 0
        // The card that a worker of a sweep was given.
        let cards = getenv("CUDA_VISIBLE_DEVICES").map { [("cuda_visible_devices", Value.string(String(cString: $0)))] }
        let fields: [(String, Value)] = [
            ("host", .string(ProcessIdentity.current.host)), ("cpu", .string(field("model name"))),
            ("cores", .int(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))),
            ("features", .list(["avx512f", "avx2", "fma"].filter(features.contains))),
            ("memory_mib", .int(memory / 1024)),
            ("kernel", .string(firstLine("/proc/sys/kernel/osrelease"))),
        ]
        return Table(fields: fields + (cards ?? []))
    }()

    /// UTC, `2026-11-23T18:26:00Z`.
    public static func timestamp(_ seconds: Int = Glibc.time(nil)) -> String {
        var instant = time_t(seconds)
        var parts = tm()
        gmtime_r(&instant, &parts)
        return Text.format(
            "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
            parts.tm_min, parts.tm_sec)
    }

    /// Seconds since 1970 of a `timestamp`; nil: it is none.
    public static func seconds(_ timestamp: String) -> Int? {
        let numbers = timestamp.split { !$0.isNumber }.compactMap { Int32($0) }
        guard timestamp.utf8.count == 20, numbers.count == 6 else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (numbers[0] - 1900, numbers[1] - 1, numbers[2])
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (numbers[3], numbers[4], numbers[5])
        return timegm(&parts)
    }

    private static func firstLine(_ path: String) -> String {
        // Unknown where there is no such file.
        (try? Files.readText(path))?.split(separator: "\n").first.map(String.init) ?? "?"
    }
}

/// Wall and CPU time and peak memory of a run.
public struct RunClock {
    private let start = Clock.seconds()
    private let cpu = Clock.processSeconds()
    private let started = Int(Glibc.time(nil))

    public init() {}

    public var wallSeconds: Double { Clock.seconds() - start }

    public var table: Table {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return Table(fields: [
            ("start", .string(Machine.timestamp(started))), ("end", .string(Machine.timestamp())),
            ("wall_seconds", .number(wallSeconds)),
            ("cpu_seconds", .number(Clock.processSeconds() - cpu)),
            ("peak_memory_kib", .int(usage.ru_maxrss)),
        ])
    }
}
