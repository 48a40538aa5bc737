import BSSCore

/// An option that several commands share; runs of scripts take them all.
public struct ProgramOption {
    public let option: CommandOption
    let apply: (inout Invocation, Value) throws -> Void

    init<T: WordType>(
        _ argument: Argument<T>, short: String? = nil, value: String? = nil,
        _ apply: @escaping (inout Invocation, T) throws -> Void
    ) {
        option = CommandOption(argument, short: short, value: value)
        self.apply = { invocation, value in try apply(&invocation, T(value: value)) }
    }

    // MARK: Runs of code

    public static let set = ProgramOption(
        Argument<KeyValue>("set", "override a parameter that the script declared (repeatable)")
    ) { $0.options.sets.append((key: $1.key, value: $1.value)) }

    public static let engine = [
        ProgramOption(Argument<RootSeed>("seed", "root seed of every random stream")) { $0.options.seed = $1.number },
        ProgramOption(Argument<ProcessorCount>("threads", "threads of the engine; results do not depend on it")) {
            $0.options.threads = $1.number
        },
        ProgramOption(Argument<DeviceName>("device", "cpu, cuda or cuda:N")) { $0.options.device = $1.device },
    ]

    public static let data = ProgramOption(
        Argument<FolderPath>("data", "folder with datasets (repeatable; also BSS_DATA)")
    ) {
        $0.options.dataFolders.insert($1.text, at: $0.dataGiven)
        $0.dataGiven += 1
    }

    public static let out = ProgramOption(
        Argument<FolderPath>("out", "where runs are written (default \(RunOptions.usualOut))")
    ) { $0.options.out = $1.text }

    static let records = [
        out,
        ProgramOption(
            Argument<OneOf<RunOptions.Log>>(
                "log_to", "tensorboard: numbers of epochs as event files, too, in OUT/tensorboard"), value: "FORMAT"
        ) { $0.options.log = $1.value },
        ProgramOption(Argument<Bool>("resume", "continue unfinished runs from their last checkpoints")) {
            $0.options.resume = $1
        },
        ProgramOption(Argument<Bool>("rerun", "train finished runs again instead of taking their records")) {
            $0.options.rerun = $1
        },
        ProgramOption(
            Argument<Bool>(
                "check", "options, models and shapes up to the first training or experiment; no data, no training")
        ) { $0.options.check = $1 },
    ]

    static let code = [
        ProgramOption(Argument<Bool>("no_strict", "undeclared globals are nil, as in lua")) { $0.isStrict = !$1 },
        ProgramOption(Argument<Bool>("lua_env", "honour LUA_INIT, LUA_PATH and LUA_CPATH")) {
            $0.usesLuaEnvironment = $1
        },
        ProgramOption(
            Argument<ByteSize>("max_memory", "limit of Lua's own heap (512M, 2G); sandbox: of the process (4G)")
        ) {
            $0.memoryLimit = $1.bytes
        },
    ]

    // MARK: Output

    public static let progress = ProgramOption(
        Argument<OneOf<RunOptions.Progress>>("progress", "auto, plain, json or none"), value: "MODE"
    ) { $0.options.progress = $1.value }

    public static let quiet = ProgramOption(Argument<Bool>("quiet", "no progress, no notes")) {
        $0.options.quiet = $1
    }

    public static let json = ProgramOption(Argument<Bool>("json", "listings as JSON")) { $0.options.json = $1 }

    public static let color = ProgramOption(
        Argument<OneOf<Display.ColourChoice>>("color", "auto, always or never"), value: "WHEN"
    ) {
        $0.prompt.color = $1.value.rawValue
        Display.colourChoice = $1.value
    }

    // MARK: The prompt

    static let prompt = [
        ProgramOption(Argument<String>("log", "prompt: where the session is logged as a notebook"), value: "FILE") {
            $0.prompt.log = $1
        },
        ProgramOption(
            Argument<String>("restore", "prompt: begin with the cells of an earlier session's log"), value: "FILE"
        ) { $0.prompt.restore = $1 },
        ProgramOption(Argument<Bool>("no_log", "prompt: no log")) { $0.prompt.keepsLog = !$1 },
        ProgramOption(Argument<Bool>("no_history", "prompt: history is neither read nor kept")) {
            $0.prompt.keepsHistory = !$1
        },
        ProgramOption(Argument<Bool>("no_init", "prompt: no start-up file (BSS_INIT)")) {
            $0.prompt.runsStartFile = !$1
        },
    ]

    // MARK: The program

    static let program = [
        ProgramOption(Argument<Bool>("startup_time", "print where the start-up time goes")) {
            $0.measuresStartup = $1
        },
        ProgramOption(Argument<Bool>("version", "print the version")) { $0.showsVersion = $1 },
        ProgramOption(Argument<Bool>("help", "print this text; after a script's name: what the script takes")) {
            $0.showsHelp = $1
        },
    ]

    /// What a command takes that runs code as a script does.
    public static let running = [set] + engine + [data] + records + [progress, quiet, json] + code
    /// Options that decide results; the others say where, how fast and how loud.
    public static let deciding = ["--set", "--seed", "--device", "--smoke", "--no-strict", "--lua-env", "--max-memory"]
    static let replay = ProgramOption(
        Argument<String>("replay", "only the runs that FILE lists, as bss-lua verify asks for them"), value: "FILE"
    ) { $0.options.replay = $1 }
    static let all = running + [smoke, replay] + sandbox + sweep + prompt + [color] + program
}
