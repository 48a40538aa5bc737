import BSSCore
import CBSSCUDA

/// A card that the driver sees.
public struct GraphicsCard {
    public let ordinal: Int
    public let name: String
    public let memory: Int
    /// Compute capability: 8.6 is (8, 6).
    public let capability: (major: Int, minor: Int)
    public let multiprocessors: Int
    /// CUDA version that the driver supports, 12080 for 12.8.
    public let driverVersion: Int
    let device: CUdevice

    /// "NVIDIA H100, 80.0 GiB, sm_90"
    public var summary: String { "\(name), \(Memory.gibibytes(Double(memory))), \(architecture)" }
    var architecture: String { "sm_\(capability.major)\(capability.minor)" }
    /// "12.8"
    public var driverText: String { "\(driverVersion / 1000).\(driverVersion % 1000 / 10)" }

    /// The entry of `CUDA_VISIBLE_DEVICES` that shows this card; its number where that is not set.
    public var visibleName: String {
        let shown = Environment.text("CUDA_VISIBLE_DEVICES")?.split(separator: ",").map(String.init) ?? []
        return shown.indices.contains(ordinal) ? shown[ordinal] : String(ordinal)
    }

    /// All cards of this machine.
    /// - Throws: kind `.device`: no driver, or none that answers.
    public static func all() throws -> [GraphicsCard] {
        _ = try NVIDIALibrary.driver.open()
        try Driver.check(bss_cuda_init(0), "device")
        var (count, version): (Int32, Int32) = (0, 0)
        try Driver.check(bss_cuda_device_count(&count), "device")
        try Driver.check(bss_cuda_driver_version(&version), "device")
        guard version >= 12_000 else {
            throw BSSError(
                "device", "the NVIDIA driver supports CUDA \(version / 1000).\(version % 1000 / 10), 12.0 is needed",
                hint: "driver 525 or later brings it", kind: .device)
        }
        return try (0..<max(Int(count), 0)).map { try GraphicsCard(ordinal: $0, driverVersion: Int(version)) }
    }

    private init(ordinal: Int, driverVersion: Int) throws {
        var device: CUdevice = 0
        try Driver.check(bss_cuda_device(&device, Int32(ordinal)), "device")
        var text = [CChar](repeating: 0, count: 256)
        try Driver.check(bss_cuda_device_name(&text, 255, device), "device")
        var bytes = 0
        try Driver.check(bss_cuda_device_memory(&bytes, device), "device")
        func attribute(_ number: Int32) throws -> Int {
            var value: Int32 = 0
            try Driver.check(bss_cuda_device_attribute(&value, number, device), "device")
            return Int(value)
        }
        self.ordinal = ordinal
        self.driverVersion = driverVersion
        self.device = device
        name = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        memory = bytes
        multiprocessors = try attribute(16)
        capability = (try attribute(75), try attribute(76))
    }
}
