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

    static let card = Function(
        "card",
        "The card of this run: it, its driver and libraries, and what it does at most, measured: copy_gb_per_second, "
            + "multiply_add_gflops, product_f32_gflops; nil on the CPU.",
        returns: "table or nil", example: "bss.device.card()"
    ) { _ in
        guard let card = try Devices.card() else { return [.null] }
        return [
            .fields(
                card.facts.map { ($0.name, .string($0.text)) }
                    + card.peaks.map { ($0.name, .number(Double(Text.format("%.4g", $0.value)) ?? $0.value)) })
        ]
    }

    static let memory = Function(
        "memory",
        "Bytes of this run's card: live (tensors), peak (the most there were), cached (freed, kept for the next), "
            + "total, limit; nil on the CPU.",
        returns: "table or nil", example: "bss.device.memory()"
    ) { _ in [Devices.memory().map { .fields($0.map { ($0.name, .int($0.bytes)) }) } ?? .null] }

    static let limitMemory: Function = {
        let bytes = Argument<Int?>(
            "bytes", default: nil, "the most; nil: what the card has",
            check: Check("at least 1", anyInteger: true) { $0 ?? 1 > 0 })
        return Function(
            "limit_memory",
            "Limits what this process takes of its card; what was freed goes back to the driver. On the CPU: nothing.",
            [bytes], returns: "nothing", example: "bss.device.limit_memory(8 << 30)", style: .positional
        ) { a in
            Devices.limitMemory(a[bytes])
            return []
        }
    }()

    static let namespace = Namespace("device", "Where tensors live: the CPU, NVIDIA cards.") {
        [.function(list), .function(current), .function(card), .function(memory), .function(limitMemory)]
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
