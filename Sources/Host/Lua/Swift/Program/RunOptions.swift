import BSSCore

/// What the command line and the environment ask of a run; read by the `bss` table.
public struct RunOptions {
    public enum Progress: String, CaseIterable, Sendable { case auto, plain, json, none }
    public enum Device: Equatable, Sendable {
        case cpu
        case cuda(Int)
    }

    /// `--set key=value`, in order; typed by the script's declarations.
    public var sets: [(key: String, value: String)] = []
    public var seed: UInt64?
    public var threads: Int?
    public var device: Device = .cpu
    /// Folders in which datasets are looked up by name: `--data` first, then `BSS_DATA`.
    public var dataFolders: [String] = []
    public var out: String?
    public var progress: Progress = .auto
    public var quiet = false
    public var json = false
    public var resume = false
    /// Finished runs are trained again, as new attempts.
    public var rerun = false
    /// Builds everything, looks for no data, trains nothing.
    public var check = false
    /// The script's path as given; nil at the prompt and for standard input.
    public var script: String?
    /// Words after the script's name that look like options of ours and are none; the script may know them.
    public var unknown: [String] = []
    /// The whole command line, for run records.
    public var commandLine: [String] = []

    public init() {}

    /// Values are taken from the environment first; options win.
    public init(environment: (String) -> String?) throws {
        if let text = environment("BSS_SEED") { seed = try RunOptions.seed(text, "BSS_SEED") }
        if let text = environment("BSS_THREADS") { threads = try RunOptions.threads(text, "BSS_THREADS") }
        if let text = environment("BSS_BACKEND") { device = try RunOptions.device(text, "BSS_BACKEND") }
        if let text = environment("BSS_DATA") { dataFolders = text.split(separator: ":").map(String.init) }
    }

    /// The option that was probably meant.
    public static func suggestion(for name: String) -> String? { Invocation.suggestion(for: name) }

    static func seed(_ text: String, _ name: String) throws -> UInt64 {
        guard let seed = UInt64(text) else { throw usage(name, "an integer from 0 to \(UInt64.max)", text) }
        return seed
    }

    static func threads(_ text: String, _ name: String) throws -> Int {
        guard let count = Int(text), (1...1024).contains(count) else {
            throw usage(name, "an integer from 1 to 1024", text)
        }
        return count
    }

    static func device(_ text: String, _ name: String) throws -> Device {
        if text == "cpu" { return .cpu }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.first == "cuda" || parts.first == "gpu" {
            if parts.count == 1 { return .cuda(0) }
            if parts.count == 2, let index = Int(parts[1]), index >= 0 { return .cuda(index) }
        }
        throw usage(name, "cpu, cuda or cuda:N", text)
    }

    static func progress(_ text: String, _ name: String) throws -> Progress {
        guard let progress = Progress(rawValue: text) else { throw usage(name, "auto, plain, json or none", text) }
        return progress
    }

    static func folder(_ text: String, _ name: String) throws -> String {
        guard !text.isEmpty, !text.utf8.contains(0) else { throw usage(name, "a folder", text) }
        return text
    }

    static func pair(_ text: String, _ name: String) throws -> (key: String, value: String) {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw usage(name, "key=value", text)
        }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    static func bytes(_ text: String, _ name: String) throws -> Int {
        let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
        let unit = text.last.flatMap { units[$0] }
        guard let count = Int(unit == nil ? text : String(text.dropLast())), count > 0,
            case (let bytes, let overflow) = count.multipliedReportingOverflow(by: unit ?? 1), !overflow
        else { throw usage(name, "a size such as 512M or 2G", text) }
        return bytes
    }

    private static func usage(_ name: String, _ expected: String, _ got: String) -> BSSError {
        BSSError(name, "expects \(expected), got '\(got)'", kind: .usage)
    }
}
