import BSSBackend
import CBSSCUDA

// Convolutions by cuDNN. Images lie as it likes them; of weights, [kD, kH, kW, C/G, O] here, it gets a copy
// [O, kD, kH, kW, C/G]. Factors of bfloat16 stay float32 in memory: TF32 holds them exactly, and cuDNN has no kernel
// that takes 16 bits and gives 32.

extension CUDABackend {
    /// Enqueues a pass of a convolution by cuDNN; one of the arrays is its result.
    /// - Returns: false: it is for own kernels.
    func convolve(
        _ g: ConvolutionGeometry, _ pass: bss_pass, _ dtype: DType, x: Address, weight: Address, y: Address
    ) throws -> Bool {
        // Also where a view begins between the addresses that cuDNN takes.
        let areAligned = UInt(bitPattern: x) % 16 == 0 && UInt(bitPattern: y) % 16 == 0
        guard usesLibraries, dtype == .float32, g.isForLibrary, areAligned, let convolutions else { return false }
        try enter()
        guard let plan = convolutions.plan(g, pass, rounds: precision != .f32) else { return false }
        var blocks: [Storage] = []
        func block(_ byteCount: Int) throws -> Address {
            blocks.append(try scratch(byteCount))
            return blocks[blocks.count - 1].address
        }
        func factor(_ array: Address, _ count: Int) throws -> Address {
            guard precision == .bf16 else { return array }
            let rounded = try block(count * dtype.byteSize)
            try move(bss_walk([count], [[1], [1]]), array, to: rounded)
            return rounded
        }
        let image = pass == BSS_INPUT_GRADIENT ? x : try factor(x, g.inputCount)
        let result = pass == BSS_FORWARD ? y : try factor(y, g.outputCount)
        let turned = try block(g.weightCount * dtype.byteSize)
        if pass != BSS_WEIGHT_GRADIENT {
            try move(bss_walk(g.turnedWeight.shape, g.turnedWeight.strides), weight, to: turned)
        }
        let workspace = plan.workspace > 0 ? try block(plan.workspace) : nil
        func start() throws -> Int32 {
            try convolutions.run(plan, x: image, weight: turned, y: result, workspace: workspace)
        }
        KernelCall.add(start, on: self)
        _ = try start()
        if pass == BSS_WEIGHT_GRADIENT {
            let (shape, strides) = g.turnedWeight
            try move(bss_walk(shape, strides.reversed()), turned, to: weight, isFactor: false)
        }
        return withExtendedLifetime(blocks) { true }
    }

    /// A copy in another order, of a factor as `precision` wants it.
    private func move(_ walk: bss_walk, _ x: Address, to out: Address, isFactor: Bool = true) throws {
        try launch(
            Kernel("convolution_factors", "convolution", .float32), elements(Int(walk.count)), walk,
            isFactor && precision == .bf16 ? 2 : 0, x, out)
    }

    /// out += bias, over the channels.
    func add(_ bias: Address, _ rows: Int, _ channels: Int, _ dtype: DType, to out: Address) throws {
        var product = bss_product()
        (product.m, product.n, product.ldc) = (Int64(rows), Int64(channels), Int64(channels))
        try launch(Kernel("gemm_epilogue", "gemm", dtype), elements(rows * channels), product, bias, out)
    }
}

extension ConvolutionGeometry {
    /// Whether there is something to compute, and sizes are what cuDNN counts with.
    fileprivate var isForLibrary: Bool {
        let most = 1 << 31
        return [inputCount, outputCount, weightCount].allSatisfy { 0 < $0 && $0 < most }
    }

    /// The weight in cuDNN's order: shape [O, taps, C/G], strides here and there.
    fileprivate var turnedWeight: (shape: [Int], strides: [[Int]]) {
        let (volume, channels) = (kernel.volume, inChannels / groups)
        return (
            [outChannels, volume, channels],
            [[1, channels * outChannels, outChannels], [volume * channels, channels, 1]]
        )
    }
}
