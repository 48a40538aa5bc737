import CBSSLua
import Glibc

/// Standard output of a stretch of code, taken at the file descriptor.
public enum OutputCapture {
    /// Captures nest. False: the system refused.
    public static func begin(limit: Int, tee: Bool) -> Bool { bss_capture_begin(limit, tee) == 0 }

    /// The bytes kept, and how many there were.
    public static func end() -> (bytes: [UInt8], total: Int) {
        var kept = 0
        var total = 0
        guard let pointer = bss_capture_end(&kept, &total) else { return ([], total) }
        defer { free(pointer) }
        return (Array(UnsafeRawBufferPointer(start: pointer, count: kept)), total)
    }
}
