import BSSCodecs
import BSSCore

/// One NumPy file a sample, as it is stored: [columns], [steps, columns], [channels, height, width] or [frames,
/// channels, height, width].
struct ArrayReader: SampleReader {
    var cacheKey: String? { nil }
    func shape(augments: Bool) -> [Int]? { nil }

    func read(_ medium: Medium, _ use: SampleUse) throws -> SampleBlock {
        let array = try Npy.parse(try medium.contents(), source: medium.name)
        guard let values = array.floats, !values.isEmpty else {
            throw medium.damage("\(array.described); numbers were expected")
        }
        if let bad = values.firstIndex(where: { !$0.isFinite }) {
            throw medium.damage("value \(bad + 1) is \(Text.number(Double(values[bad]))); finite numbers were expected")
        }
        return SampleBlock(shape: array.shape.isEmpty ? [1] : array.shape, values: values)
    }
}
