import CBSSInterrupt

/// The one interrupt flag: set by the SIGINT handler, polled by kernels between tiles and by loops between batches.
public enum Cancellation {
    public static var isRequested: Bool { bss_cancel_requested() }
    public static func request() { bss_cancel_request() }
    public static func clear() { bss_cancel_clear() }

    /// The signal that asks a training to leave at its next checkpoint; 0: none. The host of the process knows.
    nonisolated(unsafe) public static var leavingSignal: () -> Int32 = { 0 }
    public static var isLeaving: Bool { leavingSignal() != 0 }

    /// - Throws: `BSSError.cancelled` if Ctrl-C was pressed since `clear()`.
    public static func check(_ operation: @autoclosure () -> String) throws {
        if bss_cancel_requested() { throw BSSError.cancelled(operation()) }
    }

    /// Turns a kernel's status into a thrown error: `cancelled`, or out of memory.
    @inline(__always)
    public static func checkKernel(_ status: Int32, _ operation: @autoclosure () -> String) throws {
        if status == Int32(BSS_OK) { return }
        if status == Int32(BSS_NO_MEMORY) { throw BSSError(operation(), "no memory for scratch buffers") }
        throw BSSError.cancelled(operation())
    }
}
