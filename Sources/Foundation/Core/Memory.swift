import Glibc

/// The memory of the machine, and the one guarded way to ask for a block whose size a user chose.
public enum Memory {
    /// Smaller blocks are always let through: looking costs more than they do.
    private static let small = 64 << 20

    /// - Throws: more bytes than are free now: of the machine, of the container, or below `ulimit -v`.
    public static func reserve(
        _ count: Int, of size: Int = 1, _ operation: @autoclosure () -> String, _ what: @autoclosure () -> String? = nil
    ) throws {
        let (bytes, overflows) = max(count, 0).multipliedReportingOverflow(by: size)
        if !overflows, bytes <= small { return }
        let free = available
        guard overflows || bytes > free else { return }
        let wanted = overflows ? Double(count) * Double(size) : Double(bytes)
        throw BSSError(
            operation(),
            "needs \(gibibytes(wanted)) of memory\(what().map { " for \($0)" } ?? ""), "
                + "\(gibibytes(Double(free))) are free")
    }

    /// `count` values made by `body`, in an array that is asked for once.
    /// - Throws: more than the memory holds, Ctrl-C, or what `body` throws.
    public static func array<T>(
        _ count: Int, _ operation: @autoclosure () -> String, _ body: (Int) throws -> T
    ) throws -> [T] {
        try reserve(count, of: MemoryLayout<T>.stride, operation(), "\(count) values")
        var values: [T] = []
        values.reserveCapacity(count)
        for index in 0..<max(count, 0) {
            if index & 0xF_FFFF == 0 { try Cancellation.check(operation()) }
            values.append(try body(index))
        }
        return values
    }

    public static func array<T>(
        repeating value: T, count: Int, _ operation: @autoclosure () -> String
    ) throws -> [T] {
        try reserve(count, of: MemoryLayout<T>.stride, operation(), "\(count) values")
        return [T](repeating: value, count: max(count, 0))
    }

    /// `"1.5 GiB"`
    public static func gibibytes(_ bytes: Double) -> String {
        let size = bytes / Double(1 << 30)
        return size < 1e7 ? Text.format("%.1f GiB", size) : Text.format("%.0e GiB", size)
    }

    /// Bytes that can be had without ending the process.
    public static var available: Int {
        var least = information("/proc/meminfo", field: "MemAvailable:").map { $0 << 10 } ?? physical
        if let limit = information("/sys/fs/cgroup/memory.max"), let used = information("/sys/fs/cgroup/memory.current")
        {
            // File pages of the container are given back when memory is short.
            let cached = information("/sys/fs/cgroup/memory.stat", field: "inactive_file") ?? 0
            least = min(least, max(0, limit - used + cached))
        }
        var addresses = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &addresses) == 0, addresses.rlim_cur < 1 << 62 {
            let pages = information("/proc/self/statm") ?? 0
            least = min(least, max(0, Int(addresses.rlim_cur) - pages * Int(sysconf(Int32(_SC_PAGESIZE)))))
        }
        return least
    }

    private static let physical = Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE)))

    /// The number behind `field`, or the first of the file.
    private static func information(_ path: String, field: String? = nil) -> Int? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let words = String(cString: line).split(whereSeparator: { $0 == " " || $0 == "\n" })
            guard let field else { return words.first.flatMap { Int($0) } }
            if words.count >= 2, words[0] == field { return Int(words[1]) }
        }
        return nil
    }
}
