import BSSCore

/// What a device must supply; ops, autograd, layers and training are written once on top of it.
///
/// * Ops have checked shapes, dtypes and axes, with errors for users, and allocated `out` on this backend. A backend
///   hands memory to kernels through `KernelCall` alone, which looks at dtype, layout and bounds once more.
/// * Unless a requirement says "contiguous", views may have any strides.
/// * Work may be enqueued; `synchronise` waits. No requirement but `download` hands a number to the host. On Ctrl-C a
///   call throws `BSSError.cancelled` and `out` is undefined.
/// * Requirements have no default bodies: a kernel a backend lacks is a compile error.
///
/// Shape letters: N rows, C columns or classes, M×K · K×N products.
public protocol Backend: AnyObject, StructuredBackend, AttentionBackend, StepBackend {
    var device: Device { get }
    /// "OpenBLAS 0.3.21 SkylakeX, v4, 2 threads": for run records.
    var summary: String { get }
    /// f32 at first.
    var precision: Precision { get }
    /// - Throws: kind `.device`: a precision that the device does not compute in.
    func setPrecision(_ precision: Precision) throws
    /// Calls that were made before, as one that makes them again in their order; nil where nothing would be gained.
    func joined(_ calls: [() throws -> Int32]) throws -> (() throws -> Int32)?

    // MARK: Memory

    /// At least `byteCount` bytes from the pool, not cleared.
    func allocate(byteCount: Int) throws -> Storage
    /// Called by `Storage.deinit` only.
    func deallocate(_ address: UnsafeMutableRawPointer, byteCount: Int)
    func synchronise() throws
    /// Host to device; `out` contiguous.
    func upload(_ bytes: UnsafeRawBufferPointer, to out: ArrayView) throws
    /// Device to host; `x` contiguous.
    func download(_ x: ArrayView, to bytes: UnsafeMutableRawBufferPointer) throws

    // MARK: Elementwise (views of one call share a shape; inputs may be broadcast)

    func unary(_ op: UnaryOp, _ x: ArrayView, _ p0: Double, _ p1: Double, out: ArrayView) throws
    /// out = grad · f'(x); `x` is f(x) instead for ops whose derivative reads that.
    func unaryBackward(
        _ op: UnaryOp, grad: ArrayView, x: ArrayView, _ p0: Double, _ p1: Double, out: ArrayView) throws
    func binary(_ op: BinaryOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws
    func compare(_ op: CompareOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws
    func logical(_ op: LogicalOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws
    /// out = condition ? a : b
    func select(_ condition: ArrayView, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws
    /// out = x, converted to the dtype of out.
    func copy(_ x: ArrayView, out: ArrayView) throws
    func fill(_ out: ArrayView, _ value: Double) throws
    /// `out` i64: integers beyond 2^53.
    func fill(_ out: ArrayView, integer value: Int) throws
    /// out += alpha x
    func accumulate(_ alpha: Double, _ x: ArrayView, into out: ArrayView) throws
    /// out = c + alpha a b
    func multiplyAdd(_ alpha: Double, _ a: ArrayView, _ b: ArrayView, _ c: ArrayView, out: ArrayView) throws

    // MARK: Reductions

    /// Over the axes whose bit is set in `axes`; `out` is contiguous and has the kept axes.
    func reduce(_ op: ReduceOp, _ x: ArrayView, axes: UInt32, out: ArrayView) throws

    // MARK: Matrix products
    // a [M, K], b [K, N] row-major with the row strides given; transposed reads the stored matrix turned.

    /// out[i] = alpha op(a[i]) op(b[i]) + beta out[i] for i < batch; batch strides in elements, 0 shares the matrix.
    func gemm(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, alpha: Double, a: ArrayView, lda: Int, strideA: Int,
        b: ArrayView, ldb: Int, strideB: Int, beta: Double, out: ArrayView, ldc: Int, strideC: Int, batch: Int) throws
    /// out = epilogue(op(a) op(b) + bias), bias [N] contiguous or nil.
    func gemmBias(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, a: ArrayView, lda: Int, b: ArrayView, ldb: Int,
        bias: ArrayView?, epilogue: Epilogue, out: ArrayView, ldc: Int) throws

    /// The way back through epilogue and bias: with `y` (ReLU) out = y > 0 ? grad : 0, else grad itself and `out` is
    /// nil; biasOut [N] = its sums over rows. grad [M, N] may have rows apart; y and out are contiguous.
    func linearBackward(grad: ArrayView, y: ArrayView?, out: ArrayView?, biasOut: ArrayView?) throws

    // MARK: Softmax family, rows [N, C] contiguous

    func softmax(_ x: ArrayView, log: Bool, out: ArrayView) throws
    /// From y = softmax(x) or log_softmax(x).
    func softmaxBackward(grad: ArrayView, y: ArrayView, log: Bool, out: ArrayView) throws
    func logSumExp(_ x: ArrayView, out: ArrayView) throws
    /// Per-row loss and d loss / d logits, unscaled (see bss_softmax.h). Any of the outputs may be nil.
    func crossEntropy(
        logits: ArrayView, target: ArrayView, classWeight: ArrayView?, labelSmoothing: Double, ignoreIndex: Int,
        loss: ArrayView?, logitsGradient: ArrayView?, rowWeight: ArrayView?) throws
    /// out[n, c] = x[n, c] · scale[n] · factor; `scale` has N elements or 1.
    func scaleRows(_ x: ArrayView, scale: ArrayView, factor: Double, out: ArrayView) throws

    // MARK: Random numbers, contiguous `out` (definition: bss_random.h)

    func randomUniform(key: UInt64, block: UInt64, low: Double, high: Double, out: ArrayView) throws
    func randomNormal(key: UInt64, block: UInt64, mean: Double, std: Double, out: ArrayView) throws
    /// out = u < p ? value : 0
    func randomMask(key: UInt64, block: UInt64, p: Double, value: Double, out: ArrayView) throws
}

/// One parameter's part of an optimizer's step. All views are buffers of one size and dtype, laid out alike.
public struct ParameterUpdate {
    /// What the rule does and with which numbers, learning rate and decay of this parameter included.
    public enum Rule { case sgd(SGDStep), adam(AdamStep), rmsprop(RMSpropStep) }

    public let parameter, gradient: ArrayView
    /// SGD: momentum. Adam: mean, square, largest square. RMSprop: square, mean, momentum. nil where unused.
    public let state: (ArrayView?, ArrayView?, ArrayView?)
    public let rule: Rule

    public init(
        _ parameter: ArrayView, _ gradient: ArrayView, _ state: (ArrayView?, ArrayView?, ArrayView?), _ rule: Rule
    ) {
        (self.parameter, self.gradient, self.state, self.rule) = (parameter, gradient, state, rule)
    }
}

/// One SGD update: g += wd p; buf = first ? g : momentum buf + (1 - dampening) g; g = nesterov ? g + momentum buf :
/// buf; p -= lr g.
public struct SGDStep {
    public var learningRate, momentum, dampening, weightDecay: Double
    public var nesterov, isFirst: Bool
    public init(
        learningRate: Double, momentum: Double, dampening: Double, weightDecay: Double, nesterov: Bool, isFirst: Bool
    ) {
        self.learningRate = learningRate
        self.momentum = momentum
        self.dampening = dampening
        self.weightDecay = weightDecay
        self.nesterov = nesterov
        self.isFirst = isFirst
    }
}

/// One Adam update (Kingma and Ba, ICLR 2015, Algorithm 1); `decoupled` = AdamW (Loshchilov and Hutter, ICLR 2019).
public struct AdamStep {
    public var learningRate, beta1, beta2, eps, weightDecay: Double
    public var decoupled: Bool
    /// 1 for the first update.
    public var step: Int
    public init(
        learningRate: Double, beta1: Double, beta2: Double, eps: Double, weightDecay: Double, decoupled: Bool, step: Int
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.weightDecay = weightDecay
        self.decoupled = decoupled
        self.step = step
    }
}

/// One RMSprop update (Tieleman and Hinton, lecture 6.5, 2012; centered: Graves, arXiv 1308.0850, 2013).
public struct RMSpropStep {
    public var learningRate, alpha, eps, weightDecay, momentum: Double
    public var centered: Bool
    public init(learningRate: Double, alpha: Double, eps: Double, weightDecay: Double, momentum: Double, centered: Bool)
    {
        self.learningRate = learningRate
        self.alpha = alpha
        self.eps = eps
        self.weightDecay = weightDecay
        self.momentum = momentum
        self.centered = centered
    }
}
