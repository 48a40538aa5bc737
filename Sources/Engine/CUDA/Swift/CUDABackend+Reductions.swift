import BSSBackend
import BSSCore
import CBSSCUDA

// Reductions: reduce.cu.h. How the work is cut depends on the shape alone.

extension CUDABackend {
    public func reduce(_ op: ReduceOp, _ x: ArrayView, axes: UInt32, out: ArrayView) throws {
        let call = try KernelCall("reduce", x, op.takes)
        let from = try call.strided(x)
        func isReduced(_ axis: Int) -> Bool { axes >> UInt32(axis) & 1 == 1 }
        let kept = from.shape.indices.filter { !isReduced($0) }
        let outputs = kept.reduce(1) { $0 * from.shape[$1] }
        let result = try KernelCall("reduce", out, DTypes(op.result(of: x.dtype))).memory(out, outputs)
        let plan = bss_reduction(from, kept: kept, reduced: from.shape.indices.filter(isReduced))
        try runKept(op.name, writes: outputs, reduced(op, plan, call.dtype, from.address, result))
    }

    private func reduced(
        _ op: ReduceOp, _ plan: bss_reduction, _ dtype: DType, _ x: UnsafeMutableRawPointer,
        _ out: UnsafeMutableRawPointer
    ) throws -> Int32 {
        let (outputs, groups, code) = (Int(plan.kept.count), Int(plan.groups), Int(op.rawValue))
        let partial = groups > 1 ? try scratch(outputs * groups * 16) : nil
        let kernel = Kernel(plan.goesByColumns ? "reduce_columns" : "reduce_rows", "reduce", dtype)
        let grid = plan.goesByColumns ? elements(outputs * groups) : rowGrid(plan)
        try launch(kernel, grid, plan, code, x, out, partial?.address)
        guard let partial else { return 0 }
        return try launch(
            Kernel("reduce_groups", "reduce", dtype), elements(outputs), outputs, groups, code, partial.address, out)
    }

    /// Blocks that take outputs and groups in turns.
    private func rowGrid(_ plan: bss_reduction) -> Grid {
        let blocks = min(Int(plan.kept.count * plan.groups), 16 * card.multiprocessors)
        return Grid(blocks, threads: plan.reduced.count / plan.groups <= 512 ? 64 : 256)
    }

    /// Sums over the first axis of [rows, columns], rows `leading` apart.
    func columnSums(
        _ x: UnsafeMutableRawPointer, rows: Int, columns: Int, leading: Int, _ dtype: DType,
        out: UnsafeMutableRawPointer
    ) throws {
        let plan = bss_reduction(
            kept: bss_walk([columns], [[1]]), reduced: bss_walk([rows], [[leading]]))
        _ = try reduced(.sum, plan, dtype, x, out)
    }
}

extension Backend {
    /// `runKept` for a call of several kernels.
    func runKept(_ name: String, writes elements: Int, _ body: () throws -> Int32) throws {
        try runKept(name, writes: elements, try body())
    }
}

extension bss_reduction {
    fileprivate init(_ x: ArrayView, kept: [Int], reduced: [Int]) {
        func walk(_ axes: [Int]) -> bss_walk { bss_walk(axes.map { x.shape[$0] }, [axes.map { x.strides[$0] }]) }
        self.init(kept: walk(kept), reduced: walk(reduced))
    }

    fileprivate init(kept: bss_walk, reduced: bss_walk) {
        self.init()
        (self.kept, self.reduced) = (kept, reduced)
        // Enough parts to fill a card, none so short that joining them costs more.
        let most = goesByColumns ? 65_536 / max(kept.count, 1) : 1024 / max(kept.count, 1)
        groups = max(1, min(64, most, reduced.count / (goesByColumns ? 32 : 4096)))
    }

    /// A thread an output, rather than a block.
    fileprivate var goesByColumns: Bool { reduced.count < 32 || (kept.isDense && kept.count >= 32) }
}
