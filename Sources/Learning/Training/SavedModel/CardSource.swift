import BSSBackend
import BSSCore
import BSSData
import BSSTensor

/// A dataset for a model that was made for another: samples with the model's own standardisation, labels in the columns
/// of its classes.
public final class CardSource: SampleSource {
    private let base: DatasetSource
    private let card: ModelCard
    public let classColumns: [Int]

    /// `base` itself where nothing differs.
    /// - Throws: kind `.usage`: a class that the model does not know.
    public static func adapting(
        _ base: DatasetSource, to card: ModelCard, _ operation: String
    ) throws -> any SampleSource {
        let data = base.dataset
        let differs = data.modalities.contains { modality in
            card.modality(modality.name).map { $0.standardisation != modality.standardisation } ?? false
        }
        guard differs || data.classNames != card.classNames else { return base }
        return CardSource(base, card, try card.columns(ofClasses: data.classNames, operation))
    }

    private init(_ base: DatasetSource, _ card: ModelCard, _ columns: [Int]) {
        (self.base, self.card) = (base, card)
        classColumns = base.classColumns.map { columns[$0] }
    }

    public var name: String { base.name }
    public var modalities: [String] { base.modalities }
    public func sampleShape(_ modality: Int) -> [Int] { base.sampleShape(modality) }
    public var classes: Int { card.classNames.count }
    public func rows(_ split: SplitName) -> [Int] { base.rows(split) }
    public func describe(row: Int) -> String { base.describe(row: row) }
    public var fingerprint: String { get throws { try base.fingerprint } }

    public func announce(_ modalities: [Int], rows: [Int], batchSize: Int, augments: Bool, random: RandomStream) {
        base.announce(modalities, rows: rows, batchSize: batchSize, augments: augments, random: random)
    }

    public func batch(_ modality: Int, rows: [Int], augments: Bool, random: RandomStream) throws -> Tensor {
        let source = base.dataset.modalities[modality]
        return try card.standardised(
            base.batch(modality, rows: rows, augments: augments, random: random), source.name, source.standardisation)
    }
}

extension ModelCard {
    /// The values of a modality as its encoder was trained on them; `before`: what was done to them already.
    func standardised(_ batch: Tensor, _ name: String, _ before: Standardisation?) throws -> Tensor {
        guard let own = modality(name), before != own.standardisation else { return batch }
        let shape = Array(batch.shape.array.dropFirst())
        let size = shape.reduce(1, *)
        var values: [Float] = try batch.values()
        values.withUnsafeMutableBufferPointer { values in
            for sample in 0..<batch.shape[0] {
                let x = UnsafeMutableBufferPointer(rebasing: values[sample * size..<(sample + 1) * size])
                Standardisation.exchange(x, own.kind, shape, from: before, to: own.standardisation)
            }
        }
        return try Tensor.from(values, batch.shape, on: batch.backend)
    }

    /// The model's column of each class, by its name.
    /// - Throws: kind `.usage`: a class that the model does not know.
    func columns(ofClasses names: [String], _ operation: String) throws -> [Int] {
        let known = Dictionary(classNames.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        return try names.map { name in
            guard let column = known[name] else {
                throw BSSError(
                    operation, "the data's class '\(name)' is none of the model's",
                    hint: "it knows \(listed(classNames))", kind: .usage)
            }
            return column
        }
    }

    /// What goes by the position of a class needs the same classes in the same order.
    /// - Throws: kind `.usage`, naming both lists.
    public func requireClasses(_ names: [String], of what: String, _ operation: String) throws {
        guard names != classNames else { return }
        throw BSSError(
            operation, "\(what) knows the classes \(listed(classNames)), the data has \(listed(names))",
            hint: "bss.model{ … }:build(data):load(path) takes the weights alone, class by class as they stand",
            kind: .usage)
    }

    private func listed(_ names: [String]) -> String {
        names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", …" : "")
    }
}
