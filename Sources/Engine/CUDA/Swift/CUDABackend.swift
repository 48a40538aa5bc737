import BSSBackend
import BSSCore
import CBSSCUDA
import Glibc

/// An NVIDIA card: every requirement enqueues kernels of `CUDA/C/kernels` on one stream, so that they run in the order
/// of the calls; only `download` and `synchronise` wait.
///
/// Results are the same bits in every run on one card: no kernel adds in the order in which threads happen to come.
public final class CUDABackend: Backend {
    public let card: GraphicsCard
    let kernels: KernelLibrary
    let memory: DeviceMemory
    private let staging: StagingRing
    let stream: CUstream
    private let context: CUcontext
    private var thread: pthread_t?
    /// How far the stream of the step that is being recorded has moved, for the host and for the card.
    var drawing: (draws: Recording.Draws, shift: Storage)?
    /// Where kernels of a step say that a gradient is not finite.
    var flag: Storage?
    /// Kernels enqueued so far.
    public internal(set) var launches = 0
    /// Recorded steps that became graphs.
    public internal(set) var graphs = 0

    nonisolated(unsafe) private static var opened: [Int: CUDABackend] = [:]

    /// The backend of card `ordinal`; one for the life of the process.
    /// - Throws: kind `.device`, one sentence: which library or card is missing, and what brings it.
    public static func shared(_ ordinal: Int) throws -> CUDABackend {
        if let known = opened[ordinal] { return known }
        let cards = try GraphicsCard.all()
        guard cards.indices.contains(ordinal) else {
            let seen = cards.isEmpty ? "none" : cards.map { "cuda:\($0.ordinal) \($0.name)" }.joined(separator: ", ")
            throw BSSError(
                "device", "there is no card cuda:\(ordinal); the driver sees \(seen)", hint: "use --device cpu",
                kind: .device)
        }
        let backend = try CUDABackend(cards[ordinal])
        opened[ordinal] = backend
        return backend
    }

    /// What a full card calls before it gives up: lets the owners of dropped tensors go.
    public static func whenMemoryIsFull(_ collect: @escaping () -> Void) { DeviceMemory.collect = collect }

    private init(_ card: GraphicsCard) throws {
        self.card = card
        try NVIDIALibrary.checkChoices()
        kernels = try KernelLibrary(card)
        var context: CUcontext?
        try Driver.check(bss_cuda_context_retain(&context, card.device), "device")
        try Driver.check(bss_cuda_context_set(context), "device")
        var stream: CUstream?
        let nonBlocking: UInt32 = 1
        try Driver.check(bss_cuda_stream_create(&stream, nonBlocking), "device")
        guard let context, let stream else { throw BSSError("device", "the driver gave no context", kind: .device) }
        (self.context, self.stream) = (context, stream)
        memory = DeviceMemory(stream: stream)
        staging = StagingRing(stream: stream)
    }

    public var device: Device { .cuda(card.ordinal) }
    public var summary: String {
        "\(card.summary), CUDA \(card.driverText), \(kernels.summary), "
            + (products.map(\.summary) ?? "products by own kernels") + ", "
            + (convolutions.map(\.summary) ?? "convolutions by own kernels")
    }
    /// cuBLAS and cuDNN, or why they are not used; opened when they are first asked for.
    private(set) lazy var productLibrary = Result { try entered { try ProductLibrary(card, stream) } }
    private(set) lazy var convolutionLibrary = Result { try entered { try ConvolutionLibrary(card, stream) } }
    /// A library that is missing or refuses the card is no error: own kernels give the same numbers.
    private(set) lazy var products = try? productLibrary.get()  // as above
    private(set) lazy var convolutions = try? convolutionLibrary.get()  // as above
    /// Whether work goes to cuBLAS and cuDNN where they are there; tests of own kernels say no.
    public var usesLibraries = true
    public private(set) var precision = Precision.f32
    /// Every card that is taken on has tensor cores for both.
    public func setPrecision(_ precision: Precision) throws { self.precision = precision }
    /// Gives memory that no tensor holds back to the driver (`torch.cuda.empty_cache`).
    public func emptyCache() { memory.release() }

    /// Bytes: of live tensors, cached, most ever live; and how often the driver was asked.
    public var memoryStatistics: (live: Int, cached: Int, peak: Int, driverCalls: Int) {
        (memory.liveBytes, memory.cachedBytes, memory.peakBytes, memory.driverCalls)
    }
    /// The most bytes that this process takes of the card, what is cached among them; nil: all there are.
    public var memoryLimit: Int? {
        get { memory.limit }
        set { memory.limit = newValue }
    }

    /// Makes the card's context that of the calling thread.
    func enter() throws {
        if let thread, pthread_equal(thread, pthread_self()) != 0 { return }
        try Driver.check(bss_cuda_context_set(context), "device")
        thread = pthread_self()
    }

    private func entered<R>(_ body: () throws -> R) throws -> R {
        try enter()
        return try body()
    }

    // MARK: Memory

    public func allocate(byteCount: Int) throws -> Storage {
        try enter()
        let size = max(byteCount, 1)
        guard KernelCall.isWatched else {
            return Storage(address: try memory.take(size), byteCount: size, backend: self)
        }
        let address = try KernelCall.recycled(size, of: self) ?? memory.take(size)
        let storage = Storage(address: address, byteCount: size, backend: self)
        KernelCall.allocated(storage)
        return storage
    }

    public func deallocate(_ address: UnsafeMutableRawPointer, byteCount: Int) {
        if KernelCall.isWatched, KernelCall.recycles(address, byteCount, of: self) { return }
        memory.give(address)
    }

    public func synchronise() throws {
        try enter()
        try Driver.check(bss_cuda_stream_wait(stream), "synchronise")
    }

    /// The bytes have left when it returns; when they arrive, the stream knows.
    public func upload(_ bytes: UnsafeRawBufferPointer, to out: ArrayView) throws {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        let target = try KernelCall("upload", out, .any).memory(out, bytes.count / out.dtype.byteSize)
        try runOnce("upload", writes: out.elementCount, sent(source, to: target, bytes.count))
    }

    public func download(_ x: ArrayView, to bytes: UnsafeMutableRawBufferPointer) throws {
        guard let target = bytes.baseAddress, bytes.count > 0 else { return }
        let source = try KernelCall("download", x, .any).memory(x, bytes.count / x.dtype.byteSize)
        try runOnce("download", writes: x.elementCount, fetched(source, to: target, bytes.count))
    }

    func sent(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ byteCount: Int) throws -> Int32 {
        try enter()
        let address = CUdeviceptr(UInt(bitPattern: target))
        if byteCount >= StagingRing.shortest, try staging.send(source, to: address, byteCount) { return 0 }
        try Driver.check(bss_cuda_upload(address, source, byteCount, stream), "upload")
        return 0
    }

    func fetched(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ byteCount: Int) throws -> Int32 {
        try enter()
        try Driver.check(
            bss_cuda_download(target, CUdeviceptr(UInt(bitPattern: source)), byteCount, stream), "download")
        try Driver.check(bss_cuda_stream_wait(stream), "download")
        return 0
    }

    /// Memory that the kernels of one call share; given back when the call ends, used again by later work alone.
    func scratch(_ byteCount: Int) throws -> Storage { try allocate(byteCount: byteCount) }
}
