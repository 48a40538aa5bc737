import BSSCore
import CBSSSandbox
import Glibc

/// A child of this program that is shut in before any code of a stranger runs: it reads what is listed, writes below
/// one folder or more, starts nothing, reaches nobody, and ends at its limits.
///
/// The walls are Landlock, an allow-list of system calls, and limits of resources that the child puts around itself
/// (`enterIfAsked`, the first thing that the program does) and that cannot be taken down; the parent watches time,
/// memory and output. Where the kernel has no Landlock, bubblewrap stands for it (`wall`).
///
/// ```swift
/// let jail = Jail(readable: ["artifact", "data"], writable: ["run"], limits: .init(seconds: 1800))
/// let outcome = try jail.run(["--quiet", "--out", "run", "artifact/src/ablation.lua"])
/// ```
public struct Jail {
    /// What ends the child; nothing inside can catch it.
    public struct Limits: Equatable, Sendable {
        /// Of wall time.
        public var seconds: Double
        /// Bytes that it occupies.
        public var memory: Int
        /// Bytes on standard output and standard error together.
        public var output: Int
        /// Bytes that it writes in all.
        public var disk: Int
        public init(seconds: Double = 600, memory: Int = 4 << 30, output: Int = 64 << 20, disk: Int = 8 << 30) {
            (self.seconds, self.memory, self.output, self.disk) = (seconds, memory, output, disk)
        }
    }

    /// Files and folders that it may read, beside the system's libraries.
    public var readable: [String]
    /// Folders below which it may write, and read.
    public var writable: [String]
    public var limits: Limits

    public init(readable: [String], writable: [String], limits: Limits = Limits()) {
        (self.readable, self.writable, self.limits) = (readable, writable, limits)
    }

    static let variable = "BSS_JAIL"
    /// The exit code of what a limit ended.
    public static let limitCode: Int32 = 7

    // MARK: What the child is told

    func text(abi: Int, folder: String) -> String {
        JSON.text(
            .fields([
                ("readable", .list(readable)), ("writable", .list(writable)), ("abi", .int(abi)),
                ("folder", .string(folder)),
                ("seconds", .number(limits.seconds)), ("memory", .int(limits.memory)), ("disk", .int(limits.disk)),
            ]))
    }

    /// Whether this process is shut in; what it may do then.
    nonisolated(unsafe) public private(set) static var inside: Jail?

    /// Shuts this process in if its starter asked for that. To be called before anything else, while there is one
    /// thread.
    /// - Throws: kind `.device`: no wall could be put up; the process must end.
    public static func enterIfAsked() throws {
        guard let text = getenv(variable).map({ String(cString: $0) }) else { return }
        unsetenv(variable)
        guard let told = try JSON.parse(text, source: variable).table else {
            throw BSSError(variable, "tells of no jail", kind: .usage)
        }
        func paths(_ name: String) -> [String] { told[name]?.table?.items.compactMap(\.string) ?? [] }
        var jail = Jail(readable: paths("readable"), writable: paths("writable"))
        jail.limits.seconds = told["seconds"]?.double ?? jail.limits.seconds
        jail.limits.memory = told["memory"]?.int ?? jail.limits.memory
        jail.limits.disk = told["disk"]?.int ?? jail.limits.disk
        if let folder = told["folder"]?.string, chdir(folder) != 0 {
            throw BSSError("sandbox", "\(folder): \(String(cString: strerror(errno)))", kind: .data)
        }
        try jail.enter(abi: told["abi"]?.int ?? 0)
        inside = jail
    }

    /// Room for libraries, stacks and arenas: what is occupied is the parent's to watch.
    private var addresses: Int { limits.memory.multipliedReportingOverflow(by: 2).partialValue &+ (8 << 30) }

    private func enter(abi: Int) throws {
        let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        // The parent ends it by the clock on the wall; this is for the case that the parent cannot.
        let seconds = min(1e9, limits.seconds * Double(cores) + 60)
        let problem = Jail.withCStrings(readable) { readable in
            Jail.withCStrings(writable) { writable in
                var jail = bss_jail(
                    readable: readable, writable: writable, memory: UInt64(max(1 << 30, addresses)),
                    file: UInt64(max(0, limits.disk)), seconds: UInt64(max(1, seconds)), files: 256, abi: Int32(abi))
                var step: UnsafePointer<CChar>?
                let code = bss_jail_enter(&jail, &step)
                return code == 0 ? nil : (step.map { String(cString: $0) } ?? "", code)
            }
        }
        guard let (step, code) = problem else { return }
        throw BSSError(
            "sandbox", "no sandbox here: \(step): \(String(cString: strerror(code)))", kind: .device)
    }

    private static func withCStrings<R>(
        _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> R
    ) -> R {
        let copies = texts.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return (copies.map { UnsafePointer($0) } + [nil]).withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
