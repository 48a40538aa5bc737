import BSSCore
import CBSSCUDA

/// cublasLt on one card: products with bias and ReLU in one kernel (linear.c).
final class LinearLibrary {
    private let handle: cublasLtHandle
    /// By what was asked for; NULL where cublasLt has nothing.
    private var known: [[UInt8]: OpaquePointer?] = [:]
    /// Products so far.
    private(set) var calls = 0

    /// - Throws: kind `.device`: it is not there, or refuses the card.
    init(_ card: GraphicsCard) throws {
        _ = try NVIDIALibrary.linear.open(driverMajor: card.driverVersion / 1000)
        var handle: cublasLtHandle?
        let status = bss_cublaslt_create(&handle)
        guard status == 0, let handle else {
            throw BSSError("device", "cublasLt refuses the card, status \(status)", kind: .device)
        }
        self.handle = handle
    }

    /// How it computes that; nil: it does not.
    func find(_ request: bss_linear_request) -> OpaquePointer? {
        let p = request.product
        let numbers = [p.m, p.n, p.k, p.lda, p.ldb, p.ldc, p.relu, Int64(request.compute)]
        let turns: [UInt8] = [request.turn_a ? 1 : 0, request.turn_b ? 1 : 0, request.has_bias ? 1 : 0]
        let key = numbers.withUnsafeBytes { Array($0) } + turns
        if let found = known[key] { return found }
        var request = request
        let made = bss_linear_make(handle, &request)
        known[key] = made
        return made
    }

    /// Enqueues it.
    /// - Returns: cuBLAS's status.
    func run(
        _ linear: OpaquePointer, _ a: Address, _ b: Address, _ bias: Address?, _ out: Address, _ workspace: Address?,
        _ stream: CUstream
    ) -> Int32 {
        calls += 1
        return bss_linear_run(linear, handle, a, b, bias, out, workspace, stream)
    }
}
