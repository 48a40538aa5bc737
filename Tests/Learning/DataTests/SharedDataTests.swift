import BSSCore
import Glibc
import Testing
import _BSSTestSupport

@testable import BSSData

/// The collections of `../shared/data` (or of `BSS_DATA`): their own files give classes, splits and shapes.
@Suite(.serialized) struct SharedDataTests {
    /// The folder of collections, or `nil` after saying that it is absent.
    private func folder(_ name: String) -> String? {
        let roots = DataPath.all + [Repository.shared + "/data"]
        if let root = roots.first(where: { Files.isFolder("\($0)/\(name)") }) { return "\(root)/\(name)" }
        print("shared data: \(name) is not there, 0 of 1 ran")
        return nil
    }

    private func make(_ part: String, _ options: [(String, Value)]) throws -> Dataset {
        let start = clock()
        let data = try Configured<Dataset>(part, Table(fields: options)).product
        print(
            "shared data: \(part) loaded in \(Text.fixed(Double(clock() - start) / Double(CLOCKS_PER_SEC), 3)) s of "
                + "processor time"
        )
        return data
    }

    @Test func mosi() throws {
        guard let root = folder("mosi-trimodal") else { return }
        let data = try make("mosi", [("root", .string(root))])
        #expect(data.modalities.map(\.name) == ["text", "audio", "video"])
        #expect(data.modalities.map(\.shape) == [[100], [73], [100]])
        #expect([data.train.count, data.val.count, data.test.count] == [1166, 281, 752])
        #expect(data.classNames == ["0", "1"])
        #expect(Set(data.ids).count == 2199 && data.ids[0] == "1DmNV9C1hbY_10")
        for modality in data.modalities { #expect(isStandardised(modality, data.train)) }
        print(data.summary)
    }

    @Test func mfeat() throws {
        guard let root = folder("uci-mfeat") else { return }
        let data = try make("mfeat", [("root", .string(root))])
        #expect(data.modalities.map(\.name) == ["fou", "fac", "kar", "pix", "zer", "mor"])
        #expect(data.modalities.map(\.size) == [76, 216, 64, 240, 47, 6])
        #expect([data.train.count, data.val.count, data.test.count] == [1200, 200, 600])
        #expect(data.histogram(data.test) == [Int](repeating: 60, count: 10))
        let two = try make("mfeat", [("root", .string(root)), ("views", .list(["mor", "fou"]))])
        #expect(two.modalities.map(\.name) == ["mor", "fou"])
        let isSame = two.modalities[1].values == data.modalities[0].values
        #expect(isSame)
    }

    @Test func avDigits() throws {
        guard let root = folder("av-digits") else { return }
        let data = try make("av_digits", [("root", .string(root))])
        #expect(data.modalities.map(\.shape) == [[1, 24, 24], [1, 28, 28]])
        #expect([data.train.count, data.val.count, data.test.count] == [1320, 180, 300])
        let speakers = try make(
            "av_digits",
            [("root", .string(root)), ("split", .string("split_speaker")), ("modalities", .list(["image"]))])
        #expect([speakers.train.count, speakers.val.count, speakers.test.count] == [1200, 300, 300])
        #expect(speakers.modalities.count == 1)
        print(data.summary)
    }

    @Test func gridDigits() throws {
        guard let root = folder("grid-digit-av") else { return }
        let data = try make("grid_digit_av", [("root", .string(root))])
        #expect(data.modalities.map(\.shape) == [[1, 24, 24], [8, 32, 48]] && data.classNames.contains("seven"))
        #expect([data.train.count, data.val.count, data.test.count] == [400, 80, 120])
    }

    @Test func emojiGroups() throws {
        guard let root = folder("emoji-groups") else { return }
        let data = try make("emoji_groups", [("root", .string(root)), ("text", .string("name_keywords"))])
        #expect(data.modalities.map(\.name) == ["twemoji", "noto", "text"] && data.modalities[0].shape == [3, 32, 32])
        #expect(
            [data.train.count, data.val.count, data.test.count] == [1316, 189, 382]
                && data.classNames[0] == "Smileys & Emotion")
        print(data.summary)
    }

    private func isStandardised(_ modality: Modality, _ train: [Int]) -> Bool {
        let d = modality.size
        let constant = modality.standardisation?.constantColumns ?? []
        for column in 0..<d where !constant.contains(column) {
            let x = train.map { Double(modality.values[$0 * d + column]) }
            let mean = x.reduce(0, +) / Double(x.count)
            let variance = x.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(x.count)
            if abs(mean) > 1e-3 || abs(variance - 1) > 1e-3 { return false }
        }
        return modality.standardisation != nil
    }
}
