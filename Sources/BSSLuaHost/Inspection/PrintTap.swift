import CBSSLua

/// What `print` writes, kept as well as written: outputs of notebook cells.
public enum PrintTap {
    nonisolated(unsafe) private static var bytes: [UInt8] = []

    /// - Parameter only: kept, not written.
    public static func begin(only: Bool = false) {
        bytes = []
        let tap: @convention(c) (UnsafePointer<CChar>?, Int) -> Void = { text, length in
            if PrintTap.bytes.count < 1 << 20 { PrintTap.bytes += UnsafeRawBufferPointer(start: text, count: length) }
        }
        bss_lua_set_print_tap(tap, only)
    }

    /// The lines since `begin`.
    public static func end() -> [String] {
        bss_lua_set_print_tap(nil, false)
        defer { bytes = [] }
        if bytes.last == 0x0A { bytes.removeLast() }
        return bytes.isEmpty ? [] : bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }
}
