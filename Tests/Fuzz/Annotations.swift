import BSSCore
import BSSData
import Glibc
import _BSSTestSupport

/// A folder of this process.
enum Scratch {
    static func folder(_ name: String) -> String {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let path = "\(base)/bss-fuzz-\(getpid())/\(name)"
        try? Files.makeFolder(path)
        return path
    }

    /// Without the care for crashes that `Files.write` takes: it would be all that a second is spent on.
    static func write(_ bytes: [UInt8], to path: String) {
        guard let file = fopen(path, "w") else { return }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }
}

/// The annotation lists of miniature collections.
enum Annotations {
    struct List {
        let collection, path: String
        let original: [UInt8]

        /// Reads the collection with other bytes in place of this list.
        func check(_ bytes: [UInt8]) throws {
            Scratch.write(bytes, to: path)
            defer { Scratch.write(original, to: path) }
            let root = String(path[..<(path.range(of: "/\(collection)/")?.upperBound ?? path.endIndex)].dropLast())
            _ = try DataCheck.run(collection, Table(fields: [("root", .string(root))]), reads: false)
        }
    }

    static let lists: [List] = {
        let folder = Scratch.folder("annotations")
        var lists: [List] = []
        for (name, files) in [
            ("crema_d", ["annotations/train.csv"]), ("kinetics_sounds", ["my_train.txt"]), ("vggsound", ["train.csv"]),
            ("twitter2015", ["annotations/train.tsv", "annotations/test.tsv"]),
            ("sarcasm", ["train.txt", "test2.txt"]),
            ("nvgesture", ["nvgesture_train_correct_cvpr2016_v2.lst"]),
        ] {
            guard let data = try? MiniatureData(name, in: folder) else { continue }
            for file in files {
                guard let bytes = try? Files.read(data.path(file)) else { continue }
                lists.append(List(collection: name, path: data.path(file), original: bytes))
            }
        }
        return lists
    }()
}

extension String {
    /// The first occurrence.
    fileprivate func range(of text: String) -> Range<String.Index>? {
        var at = startIndex
        while at < endIndex {
            if self[at...].hasPrefix(text) { return at..<index(at, offsetBy: text.count) }
            at = index(after: at)
        }
        return nil
    }
}
