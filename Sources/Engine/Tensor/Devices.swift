import BSSBackend
import BSSCPU
import BSSCore

/// The devices of this process. One visible list: a new backend is one more case here.
public enum Devices {
    /// Where tensors are made when nothing else is said.
    nonisolated(unsafe) public static var current: any Backend = CPUBackend.shared

    /// - Throws: kind `.device` when the device is not available.
    public static func backend(for device: Device) throws -> any Backend {
        switch device {
        case .cpu: return CPUBackend.shared
        case .cuda: throw BSSError("device", "this build has no CUDA backend", hint: "use --device cpu", kind: .device)
        }
    }
}
