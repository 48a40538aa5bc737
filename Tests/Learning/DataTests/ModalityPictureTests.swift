import BSSCore
import Testing

@testable import BSSData

/// Samples as pictures: which numbers are shown, and as what.
@Suite struct ModalityPictureTests {
    private func picture(_ kind: Modality.Kind, _ shape: [Int]) throws -> (channels: Int, pixels: [UInt8]) {
        let values = (0..<shape.reduce(1, *)).map { Float($0) }
        let picture = try Modality("m", kind, shape: shape, values: values).picture(of: 0)
        return (picture?.channels ?? 0, picture?.pixels ?? [])
    }

    @Test("three channels are colours, of other numbers the first is grey: flow and frames that are stacked, too")
    func channels() throws {
        #expect(try picture(.image, [3, 1, 2]) == (3, [0, 102, 204, 51, 153, 255]))
        for (kind, shape) in [
            (Modality.Kind.image, [1, 1, 2]), (.image, [8, 1, 2]), (.video, [4, 2, 1, 2]), (.video, [2, 4, 1, 2]),
        ] {
            #expect(try picture(kind, shape) == (1, [0, 255]), "\(shape)")
        }
        // [frames, channels, H, W] and [channels, frames, H, W]: the first frame.
        #expect(try picture(.video, [4, 3, 1, 2]) == (3, [0, 102, 204, 51, 153, 255]))
        #expect(try picture(.video, [3, 4, 1, 2]) == (3, [0, 120, 240, 15, 135, 255]))
    }

    @Test("features have no picture")
    func features() throws { #expect(try Modality("m", .features, shape: [2], values: [1, 2]).picture(of: 0) == nil) }
}
