import BSSBackend
import BSSCore
import CBSSCUDA

/// cuDNN on one card and one stream. A convolution is computed by the same kernels in every run: the fastest of those
/// that cuDNN lists which add in a fixed order and round no more than was asked for (plans.c). Its memory comes from
/// the backend's own blocks, so that it allocates nothing while a step is captured.
final class ConvolutionLibrary {
    private let handle: cudnnHandle
    /// "cuDNN 9.26"
    let summary: String
    /// Convolutions so far.
    private(set) var calls = 0
    private var plans: [Key: ConvolutionPlan?] = [:]
    /// Bytes of working memory that a plan may ask for: what the first layer of a ResNet at 224² needs at batch 64.
    private let mostWorkspace = 256 << 20

    private struct Key: Hashable {
        let geometry: ConvolutionGeometry
        let pass: UInt32
        let rounds: Bool
    }

    /// - Throws: kind `.device`: it is not there, not wanted (`BSS_CUDA_CUDNN=none`), or refuses the card.
    init(_ card: GraphicsCard, _ stream: CUstream) throws {
        let path = try NVIDIALibrary.convolutions.open(driverMajor: card.driverVersion / 1000)
        var (major, minor): (Int32, Int32) = (0, 0)
        try ConvolutionLibrary.check(bss_cudnn_property(0, &major))
        try ConvolutionLibrary.check(bss_cudnn_property(1, &minor))
        summary = "cuDNN \(major).\(minor)"
        var handle: cudnnHandle?
        let status = bss_cudnn_create(&handle)
        guard status == 0, let handle else {
            throw BSSError(
                "device", "\(summary) at \(path) refuses the card, status \(status)",
                hint: "one for the driver's CUDA \(card.driverText) may not", kind: .device)
        }
        self.handle = handle
        try ConvolutionLibrary.check(bss_cudnn_set_stream(handle, stream))
    }

    /// How it computes this convolution; nil: it does not as asked.
    func plan(_ geometry: ConvolutionGeometry, _ pass: bss_pass, rounds: Bool) -> ConvolutionPlan? {
        let key = Key(geometry: geometry, pass: pass.rawValue, rounds: rounds)
        if let known = plans[key] { return known }
        var request = bss_plan_request(
            geometry: bss_geometry(geometry), pass: pass, rounds: rounds, most_workspace: Int64(mostWorkspace))
        let made = bss_plan_make(handle, nil, &request).map(ConvolutionPlan.init)
        plans[key] = made
        return made
    }

    /// Enqueues it.
    func run(_ plan: ConvolutionPlan, x: Address, weight: Address, y: Address, workspace: Address?) throws -> Int32 {
        calls += 1
        try ConvolutionLibrary.check(bss_plan_run(plan.plan, handle, x, weight, y, workspace))
        return 0
    }

    private static func check(_ status: Int32) throws {
        if status != 0 { throw BSSError("conv", "cuDNN answers with status \(status)", kind: .device) }
    }
}

typealias Address = UnsafeMutableRawPointer

/// One convolution as cuDNN computes it, for the life of the process.
struct ConvolutionPlan {
    fileprivate let plan: OpaquePointer
    var workspace: Int { Int(bss_plan_workspace(plan)) }

    fileprivate init(_ plan: OpaquePointer) { self.plan = plan }
}
