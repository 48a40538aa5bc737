import BSSCore
import CBSSCUDA

/// What the driver answered, in words.
enum Driver {
    static let outOfMemory: Int32 = 2

    /// - Throws: the driver's name for `status`, unless it is 0. Most others stay: every later call fails alike.
    static func check(_ status: Int32, _ call: @autoclosure () -> String) throws {
        if status == 0 { return }
        throw BSSError(
            call(), "the graphics card reports \(name(status))",
            hint: status == outOfMemory ? nil : "after such an error the program has to be started again",
            kind: .device)
    }

    /// "CUDA_ERROR_ILLEGAL_ADDRESS (700)"
    static func name(_ status: Int32) -> String {
        var text: UnsafePointer<CChar>?
        guard bss_cuda_error_name(status, &text) == 0, let text else { return "error \(status)" }
        return "\(String(cString: text)) (\(status))"
    }
}
