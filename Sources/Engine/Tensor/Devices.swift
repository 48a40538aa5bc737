import BSSBackend
import BSSCPU
import BSSCUDA
import BSSCore

/// The devices of this process. One visible list: a new backend is one more case here.
public enum Devices {
    /// Where tensors are made when nothing else is said.
    nonisolated(unsafe) public static var current: any Backend = CPUBackend.shared

    /// - Throws: kind `.device` when the device is not available.
    public static func backend(for device: Device) throws -> any Backend {
        switch device {
        case .cpu: return CPUBackend.shared
        case .cuda(let ordinal): return try CUDABackend.shared(ordinal)
        }
    }

    /// What a card whose memory is full calls before it gives up: lets the owners of dropped tensors go.
    public static func whenMemoryIsFull(_ collect: @escaping () -> Void) { CUDABackend.whenMemoryIsFull(collect) }

    /// The cards of this process as `CUDA_VISIBLE_DEVICES` names them.
    /// - Throws: kind `.device`: no driver.
    public static func visibleCards() throws -> [String] {
        try GraphicsCard.all().map(\.visibleName)
    }

    /// Of the current card: what it and its libraries are, and what it does at most, measured; nil on the CPU.
    public static func card() throws -> (facts: [(name: String, text: String)], peaks: [(name: String, value: Double)])?
    {
        guard let card = current as? CUDABackend else { return nil }
        return (card.facts, try card.peaks())
    }

    /// Bytes of the current card: of live tensors, the most there ever were, of freed blocks that are kept, of all, and
    /// the limit; nil on the CPU.
    public static func memory() -> [(name: String, bytes: Int)]? {
        guard let card = current as? CUDABackend else { return nil }
        let now = card.memoryStatistics
        return [("live", now.live), ("peak", now.peak), ("cached", now.cached), ("total", card.card.memory)]
            + (card.memoryLimit.map { [("limit", $0)] } ?? [])
    }

    /// Gives freed blocks back to the driver, and limits what the process takes from now on (nil: not).
    public static func limitMemory(_ bytes: Int?) {
        guard let card = current as? CUDABackend else { return }
        card.emptyCache()
        card.memoryLimit = bytes
    }

    /// A device by its name, with what it is, or why it cannot be used.
    public struct Listing {
        public let name, description: String
        public let isUsable: Bool
        /// Bytes of a card's own memory.
        public let memory: Int?
    }

    /// The CPU, then every card; where there is none, one entry that says what is missing.
    public static func list() -> [Listing] {
        let cpu = Listing(name: "cpu", description: CPUBackend.shared.summary, isUsable: true, memory: nil)
        do {
            let cards = try GraphicsCard.all()
            if cards.isEmpty { return [cpu, missing("the driver sees no card")] }
            return try [cpu]
                + cards.map { card in
                    _ = try CUDABackend.shared(card.ordinal)
                    return Listing(
                        name: "cuda:\(card.ordinal)", description: card.summary, isUsable: true, memory: card.memory)
                }
        } catch { return [cpu, missing("\(error)")] }
    }

    private static func missing(_ reason: String) -> Listing {
        Listing(name: "cuda", description: reason, isUsable: false, memory: nil)
    }
}
