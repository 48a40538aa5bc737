import BSSCore

extension Dataset: Family {
    public static var familyName: String { "data" }
    public static var noun: String { "dataset" }
    public static var help: String {
        "Datasets: generated, from your own arrays and tables, or one of the known collections."
    }

    public static let parts: [Part<Dataset>] = resident + collections.map { $0.part }

    private static let resident: [Part<Dataset>] = [
        SyntheticData.part, ArrayData.npz, ArrayData.npy, TableData.part, Mosi.part, MultipleFeatures.part,
    ]

    /// Those whose media annotation files list.
    static let collections: [any MediaCollection.Type] = [
        FolderData.self, SpokenDigits.self, GridDigits.self, EmojiGroups.self, CremaD.self, KineticsSounds.self,
        VGGSound.self, Twitter2015.self, Sarcasm.self, NVGesture.self,
    ]
}

extension Dataset {
    /// Datasets that need no files, and those whose folder lies on the data path.
    public static var offered: [String] {
        let folders = DataPath.folderNames.map(letters)
        return parts.filter { part in
            guard part.arguments.allSatisfy({ !$0.isRequired }) else { return false }
            return !part.arguments.contains { $0.name == "root" }
                || folders.contains { $0.contains(letters(part.name)) }
        }.map(\.name)
    }

    /// `av-digits` and `av_digits` are one name, and `uci-mfeat` holds `mfeat`.
    private static func letters(_ name: String) -> String { name.lowercased().filter { $0.isLetter || $0.isNumber } }
}

/// Arguments that several datasets share.
enum DataArgument {
    static let root = Argument<String?>(
        "root", default: nil, "the dataset's folder; without it the data path is searched")
    static let standardise = Argument<Bool>(
        "standardise", default: true,
        "subtract the mean and divide by the deviation of each column (or channel), fitted on the training split alone")

    /// Which of the known modalities, in which order.
    static func modalities(_ known: [String]) -> Argument<[String]> {
        let names = known.dropLast().joined(separator: ", ") + " and " + (known.last ?? "")
        return Argument(
            "modalities", default: known, "which of \(names), in which order",
            check: Check("out of \(names), each once") {
                !$0.isEmpty && Set($0).count == $0.count && $0.allSatisfy(known.contains)
            })
    }
}
