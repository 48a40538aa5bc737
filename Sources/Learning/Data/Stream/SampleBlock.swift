import BSSCodecs

/// One sample of one modality, or one medium of it: numbers of a shape, or an 8-bit picture.
struct SampleBlock: Sendable {
    enum Content: Sendable {
        case numbers([Float])
        case picture(RasterImage)
    }

    let shape: [Int]
    let content: Content

    init(shape: [Int], values: [Float]) {
        self.shape = shape
        content = .numbers(values)
    }

    init(_ image: RasterImage) {
        shape = [image.height, image.width, image.channels]
        content = .picture(image)
    }

    /// The numbers of a block that holds numbers.
    var values: [Float] {
        if case .numbers(let values) = content { return values }
        return []
    }

    var byteCount: Int {
        switch content {
        case .numbers(let values): return 4 * values.count
        case .picture(let image): return image.pixels.count
        }
    }

    // MARK: Bytes in a cache: kind, rank, sizes (32 bits each), then the data

    var packed: [UInt8] {
        var header: [Int32] = [Int32(shape.count)] + shape.map { Int32($0) }
        switch content {
        case .numbers(let values):
            header.insert(0, at: 0)
            return header.withUnsafeBytes { Array($0) } + values.withUnsafeBytes { Array($0) }
        case .picture(let image):
            header.insert(1, at: 0)
            return header.withUnsafeBytes { Array($0) } + image.pixels
        }
    }

    /// - Returns: nil for bytes that `packed` did not make.
    init?(packed bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 8 else { return nil }
        func word(_ i: Int) -> Int { Int(bytes.loadUnaligned(fromByteOffset: 4 * i, as: Int32.self)) }
        let kind = word(0)
        let rank = word(1)
        guard (0...8).contains(rank), bytes.count >= 8 + 4 * rank else { return nil }
        let shape = (0..<rank).map { word(2 + $0) }
        guard shape.allSatisfy({ (0...1 << 30).contains($0) }) else { return nil }
        let count = shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
        let body = UnsafeRawBufferPointer(rebasing: bytes[(8 + 4 * rank)...])
        switch kind {
        case 0:
            guard body.count == 4 * count else { return nil }
            let values = [Float](unsafeUninitializedCapacity: count) { to, filled in
                UnsafeMutableRawBufferPointer(to).copyMemory(from: body)
                filled = count
            }
            self.init(shape: shape, values: values)
        case 1:
            guard rank == 3, body.count == count else { return nil }
            self.init(RasterImage(width: shape[1], height: shape[0], channels: shape[2], pixels: Array(body)))
        default: return nil
        }
    }
}
