import CBSSLua

/// What `print` writes, kept as well as written: outputs of notebook cells.
public enum PrintTap {
    nonisolated(unsafe) private static var bytes: [UInt8] = []

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
}
