import BSSBackend
import BSSCore
import CBSSCUDA

// A recorded step as one CUDA graph: started with one call, however many kernels it has.

extension CUDABackend {
    /// Captures the calls. They start kernels and products on memory that is there: nothing is allocated meanwhile.
    public func joined(_ calls: [() throws -> Int32]) throws -> (() throws -> Int32)? {
        try enter()
        let graph = try StepGraph(stream) { for call in calls { try Cancellation.checkKernel(call(), "graph") } }
        graphs += 1
        let drawing = drawing
        self.drawing = nil
        return { [unowned self] in
            try Cancellation.check("graph")
            try enter()
            if let drawing { try write(drawing.draws.shift, to: drawing.shift) }
            return try graph.start()
        }
    }
}

/// What a stream was given between two points, ready to be given again.
private final class StepGraph {
    private let stream: CUstream
    private var handle: CUgraphExec?

    init(_ stream: CUstream, _ enqueue: () throws -> Void) throws {
        self.stream = stream
        let relaxed: Int32 = 2
        try Driver.check(bss_cuda_capture_begin(stream, relaxed), "graph")
        var graph: CUgraph?
        do {
            try enqueue()
        } catch {
            // What was captured is worth nothing.
            _ = bss_cuda_capture_end(stream, &graph)
            _ = bss_cuda_graph_destroy(graph)
            throw error
        }
        try Driver.check(bss_cuda_capture_end(stream, &graph), "graph")
        defer { _ = bss_cuda_graph_destroy(graph) }
        try Driver.check(bss_cuda_graph_instantiate(&handle, graph, 0), "graph")
    }

    func start() throws -> Int32 {
        try Driver.check(bss_cuda_graph_launch(handle, stream), "graph")
        return 0
    }

    /// The driver waits with it until the last start has run.
    deinit { _ = bss_cuda_graph_exec_destroy(handle) }
}
