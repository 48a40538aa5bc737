import BSSCore
import CBSSCodecs

/// What a file may become in memory, measured by what it weighs: 256 MiB and 128 times its bytes.
///
/// A claim beyond that is a mistake or an attack, and is refused before anything is allocated. The fixed part lets
/// small files of plain pictures, silence or zeros through (it is Pillow's limit of 89 million pixels).
public struct DecodingBudget {
    public let fileBytes: Int
    public let limit: Int

    public init(fileBytes: Int) {
        self.fileBytes = fileBytes
        let (scaled, overflow) = fileBytes.multipliedReportingOverflow(by: 128)
        limit = overflow ? .max : scaled.addingReportingOverflow(1 << 28).overflow ? .max : scaled + 1 << 28
    }

    /// The product of sizes; nil where it is beyond 2^56.
    static func product(_ sizes: [Int]) -> Int? {
        var product = 1
        for size in sizes {
            let (next, overflow) = product.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflow, next <= 1 << 56 else { return nil }
            product = next
        }
        return product
    }

    /// The number of elements of an array; nil where that is impossibly large. An array without elements, which no data
    /// bounds, may have 2^24 of them but for its zeros.
    public static func elements(_ shape: [Int]) -> Int? {
        guard shape.count <= 64, let product = product(shape.filter { $0 != 0 }) else { return nil }
        guard shape.contains(0) else { return product }
        return product <= 1 << 24 ? 0 : nil
    }

    /// The product of `sizes`, in bytes.
    /// - Throws: when it is more than the budget; `what` is who claims it.
    @discardableResult
    func claim(_ sizes: Int..., by what: String, in file: Bytes, hint: String? = nil) throws -> Int {
        guard let bytes = DecodingBudget.product(sizes), bytes <= limit else {
            var error = file.damage(
                "\(what) would take \(DecodingBudget.product(sizes).map { "\($0)" } ?? "more than 2^56") bytes, too "
                    + "many for a file of \(fileBytes)"
            )
            error.hint = hint
            throw error
        }
        return bytes
    }

    /// Asked by decoders in C as they go.
    static let isCancelled: @convention(c) () -> Int32 = { Cancellation.isRequested ? 1 : 0 }
}
