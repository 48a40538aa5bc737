import BSSCodecs
import BSSCore

/// Miniature folders in the real layouts of the paper's six collections: real formats, few samples, classes that can be
/// learned.
public struct MiniatureData {
    public static let names = ["crema_d", "kinetics_sounds", "vggsound", "twitter2015", "sarcasm", "nvgesture"]
    /// The collection's folder.
    public let folder: String

    /// Writes the collection `name` as a folder of `parent`.
    public init(_ name: String, in parent: String) throws {
        folder = "\(parent)/\(name)"
        switch name {
        case "crema_d": try cremaD()
        case "kinetics_sounds": try kineticsSounds()
        case "vggsound": try vggsound()
        case "twitter2015": try twitter()
        case "sarcasm": try sarcasm()
        case "nvgesture": try nvgesture()
        default: throw BSSError("miniature", "no collection '\(name)'")
        }
    }

    public func path(_ name: String) -> String { "\(folder)/\(name)" }

    public func write(_ name: String, _ bytes: [UInt8]) throws {
        let parts = path(name).split(separator: "/", omittingEmptySubsequences: false)
        try Files.makeFolder(parts.dropLast().joined(separator: "/"))
        try Files.write(bytes, to: path(name))
    }
    public func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

    // MARK: Media of a class

    private func picture(_ label: Int, _ variant: Int, width: Int = 48, height: Int = 40) -> [UInt8] {
        MediaBytes.jpeg(width: width, height: height) { column, row in
            let level = 40 + (label * 67 + (column + row + variant) * 11) % 180
            return (level, (label * 91) % 256, (variant * 40 + row * 20) % 256)
        }
    }

    private func clip(
        _ id: String, _ label: Int, _ variant: Int, frames: Int, sound: String = "AudioWAV",
        pictures: String = "Image-01-FPS"
    ) throws {
        try write(
            "\(sound)/\(id).wav",
            MediaBytes.tone(
                200 + 150 * Double(label) + 5 * Double(variant), rate: 16000, seconds: 0.4 + 0.05 * Double(variant)))
        for frame in 0..<frames {
            try write("\(pictures)/\(id)/\(Text.format("%05d", frame)).jpg", picture(label, variant + frame))
        }
    }

    // MARK: Collections

    private func cremaD() throws {
        let codes = ["NEU", "HAP", "SAD", "FEA", "DIS", "ANG"]
        for (list, count) in [("train", 3), ("test", 1)] {
            var lines = ""
            for variant in 0..<count {
                for (label, code) in codes.enumerated() {
                    let id = "10\(list == "train" ? 0 : 9)\(variant)_IEO_\(code)_XX"
                    lines += "\(id),\(code)\r\n"
                    try clip(id, label, variant, frames: 2)
                }
            }
            try write("annotations/\(list).csv", lines)
        }
    }

    private func kineticsSounds() throws {
        for (list, count) in [("train", 4), ("test", 2)] {
            var lines = ""
            for variant in 0..<count {
                for label in 0..<4 {
                    let id = "\(list)\(label)\(variant)_000010_000020"
                    lines += "\(id),10,\(label)\n"
                    try clip(id, label, variant, frames: 4, sound: "\(list)_wav", pictures: "\(list)_img/Image-01-FPS")
                }
            }
            try write("my_\(list).txt", lines)
        }
    }

    private func vggsound() throws {
        let labels = ["playing harp", "\"bird chirping, tweeting\"", "rapping"]
        for (list, count) in [("train", 4), ("test", 2)] {
            var lines = ""
            for variant in 0..<count {
                for (label, name) in labels.enumerated() {
                    let id = "\(list)\(label)\(variant)_000030"
                    lines += "\(id).mp4,\(name)\n"
                    try clip(id, label, variant, frames: 4)
                }
            }
            try write("\(list).csv", lines)
        }
    }

    private func twitter() throws {
        let words = ["awful sad lost", "meets plays today", "great love win"]
        for (list, count) in [("train", 4), ("dev", 1), ("test", 2)] {
            // The header of upstream's test list names four of its five columns.
            var lines =
                list == "test"
                ? "index\t#1 ImageID\t#2 String\t#2 String\n" : "index\t#1 Label\t#2 ImageID\t#3 String\t#3 String\n"
            for variant in 0..<count {
                for label in 0..<3 {
                    let image = "\(list)\(label)\(variant).jpg"
                    lines += "\(variant * 3 + label + 1)\t\(label)\t\(image)\t"
                    lines += "RT @ someone : $T$ is \(words[label]) # tag \"quoted\t Chuck Bass \(variant)\n"
                    try write("twitter2015_images/\(image)", picture(label, variant))
                }
            }
            try write("annotations/\(list).tsv", lines)
        }
    }

    private func sarcasm() throws {
        for (list, count) in [("train", 6), ("valid2", 2), ("test2", 3)] {
            var lines = ""
            for variant in 0..<count {
                for label in 0..<2 {
                    let id = "8500\(list.count)\(label)\(variant)"
                    let text =
                        label == 1
                        ? "oh great , another monday isn 't it" : "a walk in the park \\u2026 emoji_\(variant)"
                    let quote = text.contains("'") ? "\"" : "'"
                    lines += "['\(id)', \(quote)\(text) \(quote), \(list == "train" ? "\(label)" : "0, \(label)")]\n"
                    try write("dataset_image/\(id).jpg", picture(label, variant))
                }
            }
            if list == "train" { lines += "['99', 'so # sarcasm much', 1]\n" }
            try write("\(list).txt", lines)
        }
    }

    private func nvgesture() throws {
        for (list, count) in [("train", 2), ("test", 1)] {
            var lines = ""
            for label in 1...3 {
                for variant in 0..<count {
                    let path = "Video_data/class_0\(label)/subject\(list == "train" ? 1 : 2)_r\(variant)"
                    let row = (label - 1) * count + variant
                    lines += "path:./\(path) depth:sk_depth:2:82 color:sk_color:2:82 duo_left:duo_left:3:90 "
                    lines += "label:\(label) \n"
                    // Colour as a recording, depth as extracted frames called by their number.
                    try write(
                        "\(path)/sk_color.avi",
                        MediaBytes.avi((0..<84).map { picture(label, variant + $0, width: 32, height: 24) }))
                    for frame in 2..<82 {
                        try write(
                            "\(path)/sk_depth/\(Text.format("%05d", frame)).jpg",
                            picture(label + 3, frame, width: 32, height: 24))
                    }
                    let flow = (0..<24 * 24 * 2 * 80).map {
                        Float((($0 / 160) % 24) * label) / 24 - Float($0 % 80) / 80
                    }
                    try write(
                        "Video_data/flow_data/\(list)/\(row).npy", Npy.bytes(NpyArray(flow, shape: [24, 24, 2, 80])))
                }
            }
            try write("nvgesture_\(list)_correct_cvpr2016_v2.lst", lines)
        }
    }
}
