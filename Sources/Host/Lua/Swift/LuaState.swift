import BSSCore
import BSSSandbox
import CBSSLua
import Glibc

/// A Lua 5.4 state with host objects, closed namespaces and errors that cross the border unharmed.
///
/// One thread only, as Lua itself. The C side (CBSSLua) holds everything that can raise; here nothing does.
public final class LuaState {
    let main: OpaquePointer
    let host: UnsafeMutablePointer<bss_lua_host>
    let lifeline = Lifeline()
    /// Registry references of metatables, by object type.
    var metatables: [ObjectIdentifier: Int32] = [:]
    /// Namespaces by the address of their Lua table; these tables live as long as the state.
    var namespaces: [UnsafeRawPointer: (namespace: Namespace, path: String)] = [:]
    var namespaceReferences: [ObjectIdentifier: Int32] = [:]
    /// `math.random`'s stream.
    var random = RandomStream(seed: 0, name: "math.random")
    var rootSeed: UInt64 = 0
    /// The check of global names, if scripts run under it.
    var strict: StrictGlobals?
    /// The signal that last stopped code, kept when control returned; 0: none since it was reset.
    public var lastSignal: Int32 = 0
    /// Local variables of cells, which lookups see before globals.
    public weak var cellScope: CellScope?
    /// The text of a function defined at `file:line`: what stands above it and its head, or all of it.
    public var sourceOf: ((_ definition: String, _ whole: Bool) -> String?)?
    /// What was run and loaded so far.
    public var sources = SourceLedger()
    public var reads = ReadLedger()
    /// Globals that the host has put there.
    var standardGlobals: Set<String> = []
    var standardFunctions: [UnsafeRawPointer: String] = [:]
    /// Of the program that runs, 16 hexadecimal digits.
    public static let buildID = Text.format("%016lx", UInt(bss_build_id()))
    /// Whether `os.exit` only ends the cell that calls it; then `exitAsked` is its code.
    public var exitEndsCell = false
    public var exitAsked: Int32?
    /// Methods that the script has named, for hints.
    var methodNames: Set<String> = []
    /// What an interrupted function leaves to whoever interrupted it.
    public var leftBehind: (any HostObject)?
    /// Run by `os.exit` and at the end of the program, newest first, before the state is closed.
    public var atExit: [() -> Void] = []
    /// Told what a script prints.
    public var hearsOutput: ((UnsafeRawBufferPointer) -> Void)?
    /// Runs after a script has ended without error; what it throws is the script's error.
    public var whenScriptEnds: (() throws -> Void)?

    /// The Lua stack that is current: the running coroutine's while Lua calls Swift.
    var L: OpaquePointer { host.pointee.current }

    /// - Parameter environment: whether LUA_PATH and LUA_CPATH count.
    /// - Throws: when the linked Lua library does not fit the one this was built for.
    public init(environment: Bool = false) throws {
        guard let state = bss_lua_open(LuaState.callEntry, LuaState.release, nil, environment) else {
            throw BSSError("lua", "the Lua library could not be opened", hint: "liblua5.4 is needed")
        }
        main = state
        host = bss_lua_host_of(state)
        host.pointee.owner = Unmanaged.passUnretained(self).toOpaque()
        lifeline.state = self
        push(ErrorObject(BSSError.cancelled("")), on: main)
        bss_lua_set_interrupt_value(main)
    }

    deinit { close() }

    private var isClosed = false
    /// Runs every finalizer and frees the state. Nothing may be called afterwards.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        lifeline.state = nil
        bss_lua_close(main)
    }

    // MARK: Callbacks of the C side

    private static let callEntry: bss_lua_swift_call = { L, reference in
        guard let L, let reference else { return 0 }  // the C side gives both
        let entry = Unmanaged<LuaEntry>.fromOpaque(reference).takeUnretainedValue()
        do { return try entry.invoke(L) } catch { return entry.state.pushError(error, on: L) }
    }

    private static let release: bss_lua_swift_release = { $0.map { Unmanaged<AnyObject>.fromOpaque($0).release() } }

    // MARK: Running code

    /// Runs a chunk of text; `name` as in `load` (`"@file.lua"`, `"=stdin"`).
    /// - Throws: `BSSError` with the script's traceback.
    @discardableResult
    public func run(_ text: String, name: String) throws -> [Value] {
        try balanced { L in
            try load(text, name: name, on: L)
            return try call(arguments: 0, on: L)
        }
    }

    /// Compiles and keeps a chunk without running it.
    /// - Throws: the syntax error.
    public func function(_ text: String, name: String) throws -> LuaFunction {
        try balanced { L in
            try load(text, name: name, on: L)
            return LuaFunction(self, on: L)
        }
    }

    /// Turns a notebook whose cells end with results into a chunk; nil: it is no such text.
    nonisolated(unsafe) package static var withAssignedResults: (([UInt8]) -> [UInt8]?)?

    /// Runs a file (`nil`: standard input) with arguments. It is read once, and stands in `sources`.
    @discardableResult
    public func runFile(_ path: String?, arguments: [String] = []) throws -> [Value] {
        var bytes = try path.map(LuaState.script) ?? LuaState.standardInput()
        sources.add(bytes, name: path ?? "stdin")
        // As luaL_loadfilex: a mark of UTF-8 and a first line that begins with `#` are no Lua; the line keeps its
        // number.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        if bytes.first == UInt8(ascii: "#") {
            bytes.removeFirst(bytes.firstIndex(of: 0x0A) ?? bytes.count)
            if bytes.count > 1, bytes[1] == 0x1B { bytes.removeFirst() }
        }
        if Jail.inside != nil, bytes.first == 0x1B { throw BSSError("", "the sandbox refuses bytecode: \(path ?? "")") }
        return try balanced { L in
            func loaded(_ bytes: [UInt8]) -> Int32 {
                bytes.withUnsafeBufferPointer { buffer in
                    buffer.withMemoryRebound(to: CChar.self) {
                        bss_lua_load(L, $0.baseAddress, $0.count, path.map { "@\($0)" } ?? "=stdin")
                    }
                }
            }
            // Cells may end with an expression, which no chunk may.
            let text = bytes.first == 0x1B ? nil : LuaState.withAssignedResults?(bytes)
            let status = loaded(text ?? bytes)
            if status != LUA_OK {
                throw explained(takeError(on: L, status: status), source: String(decoding: bytes, as: UTF8.self))
            }
            for argument in arguments {
                guard lua_checkstack(L, 4) != 0 else { throw BSSError("lua", "too many arguments") }
                push(argument, on: L)
            }
            return try call(arguments: Int32(arguments.count), on: L)
        }
    }

    private static func script(_ path: String) throws -> [UInt8] {
        do { return try Files.read(path) } catch let error as BSSError {
            throw BSSError("", "cannot open \(error.message)")
        }
    }

    private static func standardInput() throws -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(STDIN_FILENO, &piece, piece.count)
            if count == 0 { return bytes }
            if count > 0 { bytes += piece[..<count] }
            if count < 0 {
                try Cancellation.check("reading standard input")
                guard errno == EINTR else {
                    throw BSSError("", "cannot read standard input: \(String(cString: strerror(errno)))")
                }
            }
        }
    }

    private func load(_ source: String, name: String, on L: OpaquePointer) throws {
        var text = source
        let status = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { bss_lua_load(L, $0.baseAddress, $0.count, name) }
        }
        if status != LUA_OK { throw explained(takeError(on: L, status: status), source: source) }
    }

    /// Calls the function below `arguments` values and converts its results.
    func call(arguments: Int32, on L: OpaquePointer) throws -> [Value] {
        let base = lua_gettop(L) - arguments - 1
        try protectedCall(arguments: arguments, results: LUA_MULTRET, on: L)
        let count = lua_gettop(L) - base
        guard lua_checkstack(L, 8) != 0 else { throw BSSError("lua", "too many results") }
        return try (0..<count).map { try value(at: base + 1 + $0, on: L) }
    }

    func protectedCall(arguments: Int32, results: Int32, on L: OpaquePointer) throws {
        let status = bss_lua_pcall(L, arguments, results)
        if status != LUA_OK { throw takeError(on: L, status: status) }
    }

    /// Runs `body` on the current stack and leaves the stack as it was.
    func balanced<T>(_ body: (OpaquePointer) throws -> T) throws -> T {
        let L = self.L
        let top = lua_gettop(L)
        guard lua_checkstack(L, 24) != 0 else { throw BSSError("lua", "stack overflow") }
        defer { lua_settop(L, top) }
        lifeline.releaseDead(on: L)
        return try body(L)
    }

    // MARK: Globals

    /// Sets a global without the strict-globals check.
    public func setGlobal(_ name: String, _ value: Value) throws {
        try balanced { L in
            bss_lua_push_globals(L)
            try push(value, on: L)
            bss_lua_raw_set(L, -2, name)
        }
    }

    public func global(_ name: String) throws -> Value {
        try balanced { L in
            bss_lua_push_globals(L)
            bss_lua_raw_get(L, -1, name)
            return try value(at: -1, on: L)
        }
    }

    // MARK: Figures

    /// Host objects that scripts still hold, finalised ones excluded.
    public var liveObjects: Int { Int(host.pointee.live_objects) - 1 }  // without the interrupt value
    /// Errors raised in `__gc` so far; Lua itself only warns.
    public var finalizerErrors: Int { Int(host.pointee.finalizer_errors) }
    /// Bytes of Lua's own heap, and bytes that host objects keep alive outside.
    public var memory: (heap: Int, external: Int) { (bss_lua_heap_bytes(main), host.pointee.external_bytes) }
    /// A full collection.
    public func collect() {
        bss_lua_collect(L)
        lifeline.releaseDead(on: L)
    }
    /// Limits Lua's heap; scripts that need more get "not enough memory".
    public func limitMemory(bytes: Int) { host.pointee.memory_cap = bytes }
    public var warningsOn: Bool {
        get { host.pointee.warnings_on }
        set { host.pointee.warnings_on = newValue }
    }
}

/// What Lua functions held by Swift need to know about their state: whether it lives, and where to hand back
/// their registry slot. Slots are returned later, at the next call, because a `deinit` may run at any moment.
final class Lifeline {
    weak var state: LuaState?
    private var dead: [Int32] = []
    func retire(_ reference: Int32) { dead.append(reference) }
    func releaseDead(on L: OpaquePointer) {
        guard !dead.isEmpty else { return }
        for reference in dead { bss_lua_unref(L, reference) }
        dead.removeAll()
    }
}
