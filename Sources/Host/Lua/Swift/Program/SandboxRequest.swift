import BSSCore
import BSSSandbox
import Glibc

/// What `--sandbox` and its limits ask for.
public struct SandboxRequest {
    public var isOn = false
    public var seconds: Double?
    public var output: Int?
    public var disk: Int?

    /// The first of its options that was given; for the message that it needs `--sandbox`.
    var given: String? {
        seconds != nil ? "--max-time" : output != nil ? "--max-output" : disk != nil ? "--max-disk" : nil
    }
}

/// `30`, `30s`, `5m`, `1.5h`
public struct Duration: TextualType {
    public let seconds: Double
    public let text: String
    public init?(text: String) {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
        let unit = text.last.flatMap { units[$0] }
        guard let number = Double(unit == nil ? text : String(text.dropLast())), number > 0, number.isFinite else {
            return nil
        }
        (seconds, self.text) = (number * (unit ?? 1), text)
    }
    public static let expected = "time such as 30s, 5m or 1.5h"
    public static let placeholder: String? = "TIME"
}

extension ProgramOption {
    static let sandbox = [
        ProgramOption(
            Argument<Bool>(
                "sandbox", "shut the script in: reads its folder and --data, writes below --out, starts nothing")
        ) { $0.options.sandbox.isOn = $1 },
        ProgramOption(Argument<Duration>("max_time", "sandbox: end it after so long (10m)")) {
            $0.options.sandbox.seconds = $1.seconds
        },
        ProgramOption(Argument<ByteSize>("max_output", "sandbox: end it when it has printed so much (64M)")) {
            $0.options.sandbox.output = $1.bytes
        },
        ProgramOption(Argument<ByteSize>("max_disk", "sandbox: end it when it has written so much to files (8G)")) {
            $0.options.sandbox.disk = $1.bytes
        },
    ]
}

extension Program {
    /// Runs the same command line in a child that is shut in, and ends as it did.
    func confine(_ invocation: Invocation) -> Never {
        do {
            let jail = try Jail(invocation)
            let outcome = try jail.run(Array(invocation.options.commandLine.dropFirst()))
            if let limit = outcome.limit { Terminal.error("bss-lua: ended at the sandbox's limit of \(limit)\n") }
            exit(outcome.code)
        } catch { fail(error) }
    }
}

extension Jail {
    /// What a script may do: read its folder and the data, write below the results folder.
    /// - Throws: what cannot be done inside; folders that cannot be made.
    init(_ invocation: Invocation) throws {
        let options = invocation.options
        func refuse(_ name: String, _ reason: String) -> BSSError { BSSError(name, reason, kind: .usage) }
        if invocation.script == "-" || invocation.prompts(onTerminal: true) {
            throw refuse("--sandbox", "runs a script from a file")
        }
        if options.sweep != nil { throw refuse("--sandbox", "one process alone: no -j, no sweep inside") }
        if options.device != .cpu { throw refuse("--sandbox", "offers no graphics card inside") }
        let out = options.out ?? (options.script == nil ? nil : RunOptions.usualOut)
        if let out { try Files.makeFolder(out) }
        self.init(
            readable: options.dataFolders + (options.script.map(Jail.sources) ?? []), writable: out.map { [$0] } ?? [])
        limits.seconds = options.sandbox.seconds ?? limits.seconds
        limits.output = options.sandbox.output ?? limits.output
        limits.disk = options.sandbox.disk ?? limits.disk
        if invocation.memoryLimit > 0 { limits.memory = invocation.memoryLimit }
    }

    /// The script, and what lies beside it, hidden files and folders left out. Beside a script in the home folder, or
    /// above it, only other scripts count.
    private static func sources(of script: String) -> [String] {
        let folder = script.lastIndex(of: "/").map { $0 == script.startIndex ? "/" : String(script[..<$0]) } ?? "."
        // A folder that cannot be listed has nothing to offer.
        let names = ((try? Files.list(folder)) ?? []).filter { !$0.hasPrefix(".") }
        let isOfMany = isAboveHome(folder)
        return [script] + names.filter { !isOfMany || $0.hasSuffix(".lua") }.map { "\(folder)/\($0)" }
    }
}
