import BSSBackend
import BSSCore
import CBSSCUDA

/// A kernel's parameters in one buffer, each at its own alignment, as the driver lays them out.
struct Parameters {
    private(set) var bytes: [UInt8] = []

    init<each P>(_ parameter: repeat each P) {
        bytes.reserveCapacity(64)
        repeat append(each parameter)
    }

    private mutating func append<P>(_ value: P) {
        let alignment = MemoryLayout<P>.alignment
        while bytes.count % alignment != 0 { bytes.append(0) }
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }
}

/// How many blocks a kernel is started with; empty: not at all.
struct Grid {
    let blocks: (UInt32, UInt32, UInt32)
    var threads: UInt32 = 256

    var isEmpty: Bool { blocks.0 == 0 || blocks.1 == 0 || blocks.2 == 0 }

    init(_ x: Int, _ y: Int = 1, _ z: Int = 1, threads: Int = 256) {
        blocks = (UInt32(x), UInt32(y), UInt32(z))
        self.threads = UInt32(threads)
    }

    /// A block a row, of one warp where rows are short.
    static func rows(_ rows: Int, of columns: Int) -> Grid {
        Grid(columns == 0 ? 0 : rows, threads: columns <= 256 ? 32 : columns <= 1024 ? 128 : 256)
    }

    /// Tiles of 64 x 64 results.
    static func tiles(_ rows: Int, _ columns: Int, _ depth: Int = 1) -> Grid {
        Grid((rows + 63) / 64, (columns + 63) / 64, depth)
    }
}

extension CUDABackend {
    /// Blocks for `count` elements that threads share in turns.
    func elements(_ count: Int) -> Grid { Grid(min((count + 255) / 256, 8 * card.multiprocessors)) }

    /// Enqueues a kernel, and keeps the call where one is recorded. What goes wrong while it runs is thrown by a later
    /// call that reads.
    /// - Returns: 0, as kernels of the CPU do.
    /// - Throws: Ctrl-C, a kernel that does not compile, a card that stopped.
    @discardableResult
    func launch<each P>(_ kernel: Kernel, _ grid: Grid, _ parameter: repeat each P) throws -> Int32 {
        if grid.isEmpty { return 0 }
        try Cancellation.check(kernel.name)
        try enter()
        let function = try kernels.function(kernel)
        return try enqueue(
            kernel.symbol, [grid.blocks.0, grid.blocks.1, grid.blocks.2], grid.threads, function,
            Parameters(repeat each parameter))
    }

    private func enqueue(
        _ symbol: String, _ blocks: [UInt32], _ threads: UInt32, _ function: CUfunction, _ parameters: Parameters
    ) throws -> Int32 {
        let bytes = parameters.bytes
        func start() throws -> Int32 {
            let status = bss_cuda_launch_packed(function, blocks, threads, stream, bytes, bytes.count)
            try Driver.check(status, symbol)
            return 0
        }
        launches += 1
        if KernelCall.isRecorded { KernelCall.add(start, on: self) }
        return try start()
    }
}
