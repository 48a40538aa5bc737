import BSSCUDA
import BSSTensor
import Glibc

/// The emulated NVIDIA card of scripts/gpu-emulator, which `BSS_TEST_CUDA` names: ring 1 of the tests of `BSSCUDA`.
/// Every finding of its checker is an error of the card, so that a test that meets one fails.
public enum EmulatedCard {
    /// `fast`, or `checked`: which of the two builds of the emulator is in use.
    public static let folder: String? = {
        guard let folder = getenv("BSS_TEST_CUDA").map({ String(cString: $0) }), !folder.isEmpty else { return nil }
        setenv("BSS_CUDA_PATH", folder, 1)
        setenv("BSS_CUDA_CACHE", "none", 1)
        return folder
    }()

    public static var isChecked: Bool { folder?.hasSuffix("checked") ?? false }

    /// Runs `body` with the card as the current device, products and convolutions by own kernels; says so where
    /// there is none.
    public static func run(_ what: String, _ body: (CUDABackend) throws -> Void) throws {
        guard folder != nil else {
            return print("ring 1 (emulated card), \(what): 0 of 1 ran (BSS_TEST_CUDA names no folder)")
        }
        let card = try CUDABackend.shared(0)
        let before = Devices.current
        Devices.current = card
        card.usesLibraries = false
        defer {
            Devices.current = before
            card.usesLibraries = true
        }
        clear()
        try body(card)
        try card.synchronise()
        print("ring 1 (emulated card), \(what): 1 of 1 ran")
    }

    /// The same by own kernels, then by cuBLAS and cuDNN.
    public static func runBothWays(_ what: String, _ body: (CUDABackend) throws -> Void) throws {
        try run("\(what), own kernels", body)
        try run("\(what), cuBLAS and cuDNN") { card in
            card.usesLibraries = true
            try body(card)
        }
    }

    // MARK: What the emulator offers beyond a card

    private static let library = folder.flatMap { dlopen("\($0)/libcuda.so.1", RTLD_NOW) }

    private static func function<F>(_ name: String, as type: F.Type) -> F? {
        dlsym(library, name).map { unsafeBitCast($0, to: type) }
    }

    /// Forgets findings, and counts calls anew.
    public static func clear() { function("emulated_clear", as: (@convention(c) () -> Void).self)?() }

    /// What the checker found, in words.
    public static var findings: String {
        var text: UnsafePointer<CChar>?
        let count = function(
            "emulated_findings",
            as: (@convention(c) (UnsafeMutablePointer<UnsafePointer<CChar>?>) -> UInt32).self)?(&text)
        return (count ?? 0) > 0 ? text.map { String(cString: $0) } ?? "" : ""
    }

    /// How often an entry of the driver was called.
    public static func calls(_ entry: String) -> Int {
        Int(function("emulated_calls", as: (@convention(c) (UnsafePointer<CChar>) -> Int32).self)?(entry) ?? 0)
    }

    private static func number(_ name: String) -> Int {
        Int(function(name, as: (@convention(c) () -> Int32).self)?() ?? 0)
    }

    /// Waits since the last `clear`.
    public static var waits: Int { number("emulated_waits") }
    /// Operations that have yet to run.
    public static var pending: Int { number("emulated_pending") }
    /// Whether the wait that `SKIP` left out had nothing to wait for.
    public static var wasIdle: Bool { number("emulated_idle") == 1 }

    public enum Order: Int32, CaseIterable { case forward, reverse, shuffled }

    /// Of threads in a block and blocks in a grid.
    public static func set(_ order: Order) {
        function("emulated_order", as: (@convention(c) (Int32) -> Void).self)?(order.rawValue)
    }

    /// `body` with a variable of the emulator set.
    public static func with<R>(_ variable: String, _ value: String, _ body: () throws -> R) rethrows -> R {
        setenv("EMULATED_CUDA_\(variable)", value, 1)
        clear()
        defer {
            unsetenv("EMULATED_CUDA_\(variable)")
            clear()
        }
        return try body()
    }
}
