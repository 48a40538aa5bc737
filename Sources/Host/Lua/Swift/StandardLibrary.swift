import BSSCore
import CBSSLua
import Glibc

/// What differs from Lua's own libraries, so that runs repeat and ends are clean:
/// * `pairs` visits numbers in order, then names in order (C side; `bss.upairs` is the raw one);
/// * `math.random` draws from the named stream `math.random` of the run's root seed;
/// * `os.exit` finishes the run, closes the state and checks that all output was written;
/// * `os.setlocale` keeps numbers in C's locale.
extension LuaState {
    public func installStandardReplacements(seed: UInt64) {
        rootSeed = seed
        random = RandomStream(seed: seed, name: "math.random")
        replace(in: "math", "random") { state, L in try state.mathRandom(L) }
        replace(in: "math", "randomseed") { state, L in try state.mathRandomSeed(L) }
        replace(in: "os", "exit") { state, L in
            let given = try state.arguments(from: 1, on: L, operation: "os.exit").first ?? .null
            switch given {
            case .null, .bool(true): return try state.leave(0)
            case .bool(false): return try state.leave(1)
            default:
                guard let code = given.int else {
                    throw BSSError("os.exit", "expects true, false or an integer, got \(given.described)")
                }
                return try state.leave(Int32(truncatingIfNeeded: code))
            }
        }
        replace(in: "os", "setlocale") { state, L in
            let asked = lua_type(L, 1) == LUA_TSTRING ? state.string(at: 1, on: L) : "C"
            if ["", "C", "POSIX"].contains(asked) { state.push("C", on: L) } else { lua_pushnil(L) }
            return 1
        }
    }

    private func replace(
        in library: String, _ name: String, _ body: @escaping (LuaState, OpaquePointer) throws -> Int32
    ) {
        let L = main
        bss_lua_push_globals(L)
        if bss_lua_raw_get(L, -1, library) == LUA_TTABLE {
            push(ClosureEntry(self, body), on: L)
            bss_lua_raw_set(L, -2, name)
        }
        bss_lua_pop(L, 2)
    }

    /// Makes `read` what `io.read` does: it is given the formats.
    package func replaceInput(_ read: @escaping ([Value]) throws -> [Value]) {
        replace(in: "io", "read") { state, L in
            try state.push(read(state.arguments(from: 1, on: L, operation: "io.read")), on: L)
        }
    }

    /// `pairs` in Lua's own, unrepeatable order.
    public func installRawPairs(as name: String, in table: inout [(String, Value)]) {
        bss_lua_push_raw_pairs(main)
        table.append((name, .function(LuaFunction(self, on: main))))
    }

    // MARK: math.random

    private func mathRandom(_ L: OpaquePointer) throws -> Int32 {
        let values = try arguments(from: 1, on: L, operation: "math.random")
        if values.isEmpty {
            lua_pushnumber(L, random.uniform())
            return 1
        }
        let bounds = try values.map { value -> Int in
            guard let i = value.int else { throw BSSError("math.random", "expected integers, got \(value.described)") }
            return i
        }
        guard bounds.count <= 2 else { throw BSSError("math.random", "takes at most 2 values, got \(bounds.count)") }
        if bounds == [0] {
            lua_pushinteger(L, lua_Integer(truncatingIfNeeded: word()))
            return 1
        }
        let low = bounds.count == 2 ? bounds[0] : 1
        let high = bounds[bounds.count - 1]
        guard low <= high else { throw BSSError("math.random", "the interval from \(low) to \(high) is empty") }
        let span = UInt64(bitPattern: Int64(high)) &- UInt64(bitPattern: Int64(low))
        lua_pushinteger(L, lua_Integer(truncatingIfNeeded: UInt64(bitPattern: Int64(low)) &+ word(upTo: span)))
        return 1
    }

    private func word() -> UInt64 { UInt64(random.nextWord()) << 32 | UInt64(random.nextWord()) }

    /// Uniform in 0 ... span, without modulo bias.
    private func word(upTo span: UInt64) -> UInt64 {
        guard span < .max else { return word() }
        let range = span + 1
        let limit = UInt64.max - UInt64.max % range
        while true {
            let w = word()
            if w < limit { return w % range }
        }
    }

    /// Without a value: back to the run's root seed. Returns the two components, as Lua 5.4.4 does.
    private func mathRandomSeed(_ L: OpaquePointer) throws -> Int32 {
        let values = try arguments(from: 1, on: L, operation: "math.randomseed")
        var seed = rootSeed
        if let first = values.first {
            guard let number = first.double else {
                throw BSSError("math.randomseed", "expected a number, got \(first.described)")
            }
            seed = first.int.map { UInt64(bitPattern: Int64($0)) } ?? number.bitPattern
            if values.count > 1, let second = values[1].int {
                seed ^= RandomStream(seed: UInt64(bitPattern: Int64(second)), name: "second").key
            }
        }
        random = RandomStream(seed: seed, name: "math.random")
        lua_pushinteger(L, lua_Integer(truncatingIfNeeded: seed))
        lua_pushinteger(L, 0)
        return 2
    }

    // MARK: The end

    /// Finishes the program: end-of-run actions, finalizers, output check.
    /// `os.exit`: ends the program, or only the cell where a notebook runs.
    private func leave(_ code: Int32) throws -> Int32 {
        guard exitEndsCell else { exit(code) }
        exitAsked = code
        throw BSSError("os.exit", "stopped by os.exit(\(code))")
    }

    public func exit(_ code: Int32) -> Never {
        for action in atExit.reversed() { action() }
        atExit = []
        close()
        Glibc.exit(LuaState.flushOutput(code))
    }

    /// Writes what standard output still buffers.
    /// - Returns: `code`, or 74 if something could not be written, or 141 if the reader went away (quietly).
    static func flushOutput(_ code: Int32) -> Int32 {
        errno = 0
        let failed = fflush(stdout) != 0 || ferror(stdout) != 0
        let reason = bss_lua_output_error() != 0 ? bss_lua_output_error() : errno
        if code == 128 + SIGPIPE || bss_lua_signal_pending() == SIGPIPE || (failed && reason == EPIPE) {
            return 128 + SIGPIPE
        }
        guard failed else { return code }
        let words = reason != 0 ? ": " + String(cString: strerror(reason)) : ""
        Terminal.error("bss-lua: standard output could not be written\(words)\n")
        return code == 0 ? 74 : code
    }
}

/// Unbuffered text on standard error.
public enum Terminal {
    public static func error(_ text: String) {
        fflush(stdout)
        fputs(text, stderr)
    }
}
