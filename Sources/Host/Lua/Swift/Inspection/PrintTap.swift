import CBSSLua

/// What `print` and `io.write` write to standard output, kept as well as written: outputs of notebook cells and of
/// runs.
public enum PrintTap {
    nonisolated(unsafe) private static var bytes: [UInt8] = []
    nonisolated(unsafe) private static var listeners: [Listener] = []

    /// Told everything, and who was told before.
    private struct Listener {
        let hear: (UnsafeRawBufferPointer) -> Void
        let outer: (@convention(c) (UnsafePointer<CChar>?, Int) -> Void)?
        let isShown: Bool
    }

    public static func begin() {
        bytes = []
        let tap: @convention(c) (UnsafePointer<CChar>?, Int) -> Void = { text, length in
            if PrintTap.bytes.count < 1 << 20 { PrintTap.bytes += UnsafeRawBufferPointer(start: text, count: length) }
        }
        bss_lua_set_print_tap(tap, false)
    }

    /// The text since `begin`.
    public static func end() -> String {
        bss_lua_set_print_tap(nil, false)
        defer { bytes = [] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// From now on `hear` is told what is printed, until the program ends.
    static func listen(_ hear: @escaping (UnsafeRawBufferPointer) -> Void) {
        var outer: (@convention(c) (UnsafePointer<CChar>?, Int) -> Void)?
        var only = false
        bss_lua_print_tap(&outer, &only)
        listeners.append(Listener(hear: hear, outer: outer, isShown: true))
        bss_lua_set_print_tap({ text, length in PrintTap.tell(text, length) }, only)
    }

    /// `hear` is told what is printed while `body` runs; so are, with `isShown`, standard output and everybody who was
    /// told before. Calls nest.
    public static func listening<R>(
        isShown: Bool,
        _ hear: @escaping (UnsafeRawBufferPointer) -> Void, _ body: () throws -> R
    ) rethrows -> R {
        var outer: (@convention(c) (UnsafePointer<CChar>?, Int) -> Void)?
        var only = false
        bss_lua_print_tap(&outer, &only)
        listeners.append(Listener(hear: hear, outer: outer, isShown: isShown))
        let depth = listeners.count
        bss_lua_set_print_tap({ text, length in PrintTap.tell(text, length) }, only || !isShown)
        defer {
            listeners.removeLast(listeners.count - depth + 1)
            bss_lua_set_print_tap(outer, only)
        }
        return try body()
    }

    /// The innermost listener and those around it, as far as it is shown; at last whoever was told before the first of
    /// them.
    private static func tell(_ text: UnsafePointer<CChar>?, _ length: Int) {
        for listener in listeners.reversed() {
            listener.hear(UnsafeRawBufferPointer(start: text, count: length))
            if !listener.isShown { return }
        }
        listeners.first?.outer?(text, length)
    }
}

extension LuaState {
    /// Writes to standard output as `print` does.
    public func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bss_lua_write($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count) }
    }

    /// "Lua 5.4.4"
    public static var luaRelease: String { String(cString: bss_lua_release_name()) }
}
