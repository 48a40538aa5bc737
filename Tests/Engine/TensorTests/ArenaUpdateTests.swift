import BSSCore
import CBSSKernels
import Testing

/// One optimizer call over an arena gives the bits of a call for every span.
@Suite struct ArenaUpdateTests {
    private static let sizes = [12, 40_000, 1, 70_001, 7]

    private func numbers(_ name: String, from low: Float = -1) -> [Float] {
        var random = RandomStream(seed: 1, name: name)
        return (0..<110_100).map { _ in low + Float(random.uniform()) * 2 }
    }

    /// Spans with gaps of three elements between them; those elements must keep their values.
    private func spans(scale: Double, rate: Double) -> [bss_span] {
        var first = 0
        return Self.sizes.map { count in
            defer { first += count + 3 }
            return bss_span(first: Int64(first), count: Int64(count), scale: scale, rate: rate, step: 2)
        }
    }

    @Test("SGD with momentum: scaled gradients, rates of their own", arguments: [(1.0, 1.0), (0.3, 1.0), (1.0, 0.5)])
    func sgd(_ scale: Double, _ rate: Double) {
        let gradient = numbers("g")
        var options = bss_sgd_options()
        (options.lr, options.momentum, options.weight_decay) = (0.1, 0.9, 0.01)
        var (a, ma) = (numbers("p"), numbers("m"))
        var (b, mb) = (a, ma)
        let spans = spans(scale: scale, rate: rate)
        #expect(bss_sgd_arena(BSS_F32, Int64(spans.count), spans, &a, gradient, &ma, &options) == 0)
        options.lr *= rate
        for span in spans {
            let range = Int(span.first)..<Int(span.first + span.count)
            let scaled = gradient[range].map { scale == 1 ? $0 : $0 * Float(scale) }
            var (p, m) = (Array(b[range]), Array(mb[range]))
            #expect(bss_sgd(BSS_F32, span.count, &p, scaled, &m, &options) == 0)
            b.replaceSubrange(range, with: p)
            mb.replaceSubrange(range, with: m)
        }
        #expect(a == b && ma == mb)
    }

    @Test("Adam: every span has its own step")
    func adam() {
        let gradient = numbers("g")
        var options = bss_adam_options()
        (options.lr, options.beta1, options.beta2, options.eps) = (0.1, 0.9, 0.999, 1e-8)
        var (a, ma, va) = (numbers("p"), numbers("m"), numbers("v", from: 0))
        var (b, mb, vb) = (a, ma, va)
        var spans = spans(scale: 1, rate: 1)
        for i in spans.indices { spans[i].step = Int64(i + 1) }
        #expect(bss_adam_arena(BSS_F32, Int64(spans.count), spans, &a, gradient, &ma, &va, nil, &options) == 0)
        for span in spans {
            let range = Int(span.first)..<Int(span.first + span.count)
            options.step = span.step
            var (p, m, v) = (Array(b[range]), Array(mb[range]), Array(vb[range]))
            #expect(bss_adam(BSS_F32, span.count, &p, Array(gradient[range]), &m, &v, nil, &options) == 0)
            b.replaceSubrange(range, with: p)
            mb.replaceSubrange(range, with: m)
            vb.replaceSubrange(range, with: v)
        }
        #expect(a == b && ma == mb && va == vb)
    }
}
