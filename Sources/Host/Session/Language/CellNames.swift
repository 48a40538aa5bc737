/// What the code of one cell does to the names that cells share: globals and top-level locals.
///
/// Conservative: what cannot be known counts as read and changed.
public struct CellNames {
    /// Read, also inside function bodies.
    public internal(set) var reads: Set<String> = []
    /// Assigned or declared, on some path.
    public internal(set) var writes: Set<String> = []
    /// Assigned on every path, before any other cell's value of it is read.
    public internal(set) var strongWrites: Set<String> = []
    /// Perhaps changed in place: fields set, methods called, handed to functions that may.
    public internal(set) var mutates: Set<String> = []
    /// Effects that no name tells (`load`, `_G`, files written): such a cell is always kept.
    public internal(set) var hasUnknownEffects = false
    /// Any name may be read (`load`, `_G`, `dofile`).
    public internal(set) var readsAnything = false
    /// Written or changed by the cell itself, outside function bodies: what may hold its functions.
    public internal(set) var direct: Set<String> = []
    /// The function bodies in it, taken together: what happens when one is called later.
    public internal(set) var bodyReads: Set<String> = []
    public internal(set) var bodyWrites: Set<String> = []
    public internal(set) var bodyMutates: Set<String> = []
    public internal(set) var bodiesChangeParameters = false
    /// Names given a function literal.
    public internal(set) var functions: Set<String> = []
    /// Calls of names: the name and the names behind its arguments.
    public internal(set) var calls: [(function: String, arguments: Set<String>)] = []
    /// Pairs of names that may share a table after this cell.
    public internal(set) var shared: [(String, String)] = []

    // MARK: Form

    /// Top-level `local` statements.
    public internal(set) var declarations: [(names: [String], constants: Set<String>, end: Int)] = []
    /// Every name token.
    public internal(set) var mentioned: Set<String> = []
    /// The expressions at the end of the cell, which give its result; nil: it ends with another statement.
    public internal(set) var result: CellResult?
    /// Ends with `;`: the value is not to be shown.
    public internal(set) var isSilent = false
    /// False: the code is no Lua as far as the parser can see; then nothing is known of it.
    public internal(set) var isUnderstood = true
    /// The text ends where an expression or a statement is not whole yet.
    public internal(set) var isCut = false
    /// There is no statement at all.
    public internal(set) var isEmpty = true

    /// State outside Lua's names that cells share: the random streams.
    static let randomNumbers = "(math.random)", tensorStream = "(bss.randn)"
    static let parameter = "(parameter)"
}

/// What library functions do to their arguments.
enum KnownFunctions {
    enum Effect {
        /// Changes nothing that a name holds; `sharing`: the result may be (part of) an argument.
        case pure(sharing: Bool)
        /// Changes its first argument.
        case changesFirst
        /// Draws from a stream: order matters.
        case stream(String)
        case unknown
        /// Runs text or files: may read and write any name.
        case anything
    }

    private static let exact: [String: Effect] = [
        "print": .pure(sharing: false), "type": .pure(sharing: false), "tostring": .pure(sharing: false),
        "tonumber": .pure(sharing: false),
        "ipairs": .pure(sharing: true), "pairs": .pure(sharing: true), "next": .pure(sharing: true),
        "select": .pure(sharing: true),
        "assert": .pure(sharing: true), "error": .pure(sharing: true), "rawget": .pure(sharing: true),
        "rawlen": .pure(sharing: false),
        "rawequal": .pure(sharing: false), "getmetatable": .pure(sharing: true),
        "collectgarbage": .pure(sharing: false), "warn": .pure(sharing: false),
        "require": .pure(sharing: false), "rawset": .changesFirst, "setmetatable": .changesFirst,
        "table.insert": .changesFirst,
        "table.remove": .changesFirst, "table.sort": .changesFirst, "table.concat": .pure(sharing: false),
        "table.unpack": .pure(sharing: true),
        "table.pack": .pure(sharing: true), "math.random": .stream(CellNames.randomNumbers),
        "math.randomseed": .stream(CellNames.randomNumbers),
        "io.write": .pure(sharing: false), "io.read": .unknown, "os.time": .pure(sharing: false),
        "os.clock": .pure(sharing: false),
        "os.date": .pure(sharing: false), "os.getenv": .pure(sharing: false), "os.difftime": .pure(sharing: false),
        "load": .anything, "loadfile": .anything, "dofile": .anything, "bss.repl.run": .anything,
        "bss.repl.reset": .anything, "bss.repl.edit": .anything,
        "bss.repl.time": .anything, "bss.repl.timeit": .anything, "bss.repl.profile": .anything,
        "bss.capture": .unknown, "help": .pure(sharing: false),
        "coroutine.running": .pure(sharing: false), "coroutine.status": .pure(sharing: false),
        "coroutine.create": .pure(sharing: true),
        "coroutine.wrap": .pure(sharing: true),
    ]
    private static let streams: Set<String> = [
        "bss.randn", "bss.rand", "bss.randint", "bss.randperm", "bss.dropout", "bss.seed", "bss.manual_seed",
    ]

    static func effect(of path: String) -> Effect? {
        if let found = exact[path] { return found }
        if streams.contains(path) { return .stream(CellNames.tensorStream) }
        if path.hasPrefix("math.") || path.hasPrefix("string.") || path.hasPrefix("utf8.") {
            return .pure(sharing: false)
        }
        // Objects of the engine do not change, save by the methods below.
        if path.hasPrefix("bss.") { return .pure(sharing: true) }
        if ["io.", "os.", "debug.", "package."].contains(where: path.hasPrefix) { return .unknown }
        return nil
    }

    /// Methods of engine objects and strings that only look.
    static let pureMethods: Set<String> = [
        "sum", "mean", "max", "min", "std", "var", "matmul", "softmax", "log_softmax", "exp", "log", "sqrt", "abs",
        "relu", "tanh", "sigmoid", "shape", "dtype",
        "item", "totable", "reshape", "transpose", "permute", "squeeze", "unsqueeze", "expand", "slice", "argmax",
        "argmin", "argsort", "sort", "gather",
        "take", "detach", "to", "clone", "norm", "stats", "hist", "at", "curve", "order", "score", "summary", "kind",
        "statistics", "svg", "csv", "text",
        "markdown", "latex", "table", "plot", "parameters", "format", "rep", "sub", "gsub", "gmatch", "match", "find",
        "upper", "lower", "byte", "reverse", "len",
    ]
    static let scalarMethods: Set<String> = [
        "item", "summary", "text", "svg", "csv", "format", "rep", "sub", "gsub", "upper", "lower", "byte", "reverse",
        "len", "markdown", "latex",
    ]
}
