import BSSBackend
import BSSCore
import BSSLua
import BSSTensor

/// `bss.device`: where tensors can live.
enum DeviceFunctions {
    static let list = Function(
        "list",
        "The devices of this machine: name, description, memory in bytes, usable; a card that cannot be used says why.",
        returns: "list of tables", example: "bss.device.list()[1].name"
    ) { _ in
        [
            .list(
                Devices.list().map { device in
                    .fields(
                        [
                            ("name", .string(device.name)), ("description", .string(device.description)),
                            ("usable", .bool(device.isUsable)),
                        ] + (device.memory.map { [("memory", .int($0))] } ?? []))
                })
        ]
    }

    static let current = Function(
        "current", "The device of this run: cpu or cuda:N, as --device or BSS_DEVICE chose it.", returns: "string",
        example: "bss.device.current()"
    ) { _ in [.string("\(Devices.current.device)")] }

    static let namespace = Namespace("device", "Where tensors live: the CPU, NVIDIA cards.") {
        [.function(list), .function(current)]
    }
}

extension RunOptions.Device {
    /// As the engine names it.
    var place: Device {
        switch self {
        case .cpu: return .cpu
        case .cuda(let ordinal): return .cuda(ordinal ?? 0)
        }
    }
}
