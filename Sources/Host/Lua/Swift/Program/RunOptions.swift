import BSSCore

/// What the command line and the environment ask of a run; read by the `bss` table.
public struct RunOptions {
    public enum Progress: String, CaseIterable, Sendable { case auto, plain, json, none }
    /// Where numbers of epochs go beside the records.
    public enum Log: String, CaseIterable, Sendable { case tensorboard }
    public enum Device: Equatable, Sendable {
        case cpu
        /// nil: the first; in a sweep each worker its own, in turns.
        case cuda(Int?)
    }

    /// `--set key=value`, in order; typed by the script's declarations.
    public var sets: [(key: String, value: String)] = []
    public var seed: UInt64?
    /// After the script comes the prompt.
    public var isInteractive = false
    public var threads: Int?
    public var device: Device = .cpu
    /// Folders in which datasets are looked up by name: `--data` first, then `BSS_DATA`.
    public var dataFolders: [String] = []
    public var out: String?
    /// Where scripts' runs are written unless `out` says otherwise.
    public static let usualOut = "experiments/runs"
    public var sandbox = SandboxRequest()
    public var log: Log?
    public var progress: Progress = .auto
    public var quiet = false
    public var json = false
    public var resume = false
    /// Finished runs are trained again, as new attempts.
    public var rerun = false
    /// Builds everything, looks for no data, trains nothing.
    public var check = false
    /// The small form of the script's parameters.
    public var smoke = false
    /// Several processes share the runs of experiments.
    public var sweep: SweepRequest?
    /// Options as given, without those of the sweep itself and `--out`: what a worker is started with.
    public var passed: [String] = []
    /// Those of them that decide results: no threads, no data folders, nothing about output.
    public var deciding: [String] = []
    /// The runs that `bss-lua verify` asks for: a file.
    public var replay: String?
    public var scriptArguments: [String] = []
    /// The script's path as given; nil at the prompt and for standard input.
    public var script: String?
    /// Words after the script's name that are no options of ours; the script may know them.
    public var unclaimed: [String] = []
    /// `script.lua --help`: say what the script takes and run nothing.
    public var describes = false
    /// The whole command line, for run records.
    public var commandLine: [String] = []

    public init() {}

    /// Values are taken from the environment first; options win.
    public init(environment: (String) -> String?) throws {
        func value<T: TextualType>(_ name: String, _ type: T.Type) throws -> T? {
            guard let text = environment(name) else { return nil }
            return try T(value: CommandOption(Argument<T>(name, "")).value(of: text, spelled: name))
        }
        seed = try value("BSS_SEED", RootSeed.self)?.number
        threads = try value("BSS_THREADS", ProcessorCount.self)?.number
        device =
            try value("BSS_DEVICE", DeviceName.self)?.device ?? value("BSS_BACKEND", DeviceName.self)?.device ?? .cpu
        if let text = environment("BSS_DATA") { dataFolders = text.split(separator: ":").map(String.init) }
    }

    /// What an option that a script does not know was probably meant to be.
    public static func unknownOption(_ word: String) -> BSSError? {
        guard WordReader.looksLikeOption(word) else { return nil }
        let near = Text.allNearest(to: WordReader.split(word).name, in: ProgramOption.all.map(\.option.name))
        let meant = near.isEmpty ? "" : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))? "
        return BSSError(
            WordReader.split(word).name, "unknown option", hint: meant + "arguments for the script stand after --",
            kind: .usage)
    }
}
