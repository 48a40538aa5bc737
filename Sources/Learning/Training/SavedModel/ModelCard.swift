import BSSCore
import BSSData

/// What a model needs to be used on new data beside its weights: which modalities in which form, their standardisation,
/// the classes, and how outputs become the total. A model file carries it in its metadata.
public struct ModelCard {
    public struct Modality {
        public let name: String
        public let kind: BSSData.Modality.Kind
        /// Of one sample.
        public let shape: [Int]
        /// What raw values get before the encoder sees them.
        public let standardisation: Standardisation?
    }

    /// In the order of the data it was made for.
    public let modalities: [Modality]
    public let classNames: [String]
    /// As stored, in the order of the model's outputs.
    public let classLabels: [Value]
    /// nil: a method's own rule made the total, which no file holds.
    public var inference: InferenceRule?
    /// Who made it, for people: engine, script, data, method, run.
    public var identity = Table()

    /// The card of a network that is made for a dataset: all outputs are summed (Eq. 12) until a training says else.
    public init(_ dataset: Dataset) {
        modalities = dataset.modalities.map {
            Modality(name: $0.name, kind: $0.kind, shape: $0.shape, standardisation: $0.standardisation)
        }
        classNames = dataset.classNames
        classLabels = dataset.storedLabels
        inference = InferenceRule(
            weights: Array(repeating: 1, count: dataset.modalities.count + 1), unimodal: .head)
    }

    public func modality(_ name: String) -> Modality? { modalities.first { $0.name == name } }

    // MARK: As a file has it

    public static let key = "bss_model"
    private static let format = "bss-lua model 1"

    public func table(configuration: Table) -> Table {
        Table(fields: [
            ("format", .string(ModelCard.format)), ("model", .table(configuration)),
            ("modalities", .list(modalities.map(\.value))),
            ("classes", .list(classNames.map(Value.string))), ("labels", .list(classLabels)),
            ("inference", inference.map { .table($0.table) } ?? .null), ("identity", .table(identity)),
        ])
    }

    /// - Throws: kind `.data`: not what `table` gives.
    public init(_ table: Table, source: String) throws {
        func damage(_ what: String) -> BSSError {
            BSSError("bss.model.load", "\(source): the description of its model has no \(what)", kind: .data)
        }
        guard table["format"]?.string == ModelCard.format else { throw damage("format '\(ModelCard.format)'") }
        guard let parts = table["modalities"]?.table?.items, !parts.isEmpty else { throw damage("modalities") }
        modalities = try parts.map { part in
            guard let modality = Modality(part) else { throw damage("modality that can be read") }
            return modality
        }
        guard let names = table["classes"]?.table?.items.compactMap(\.string), names.count > 1,
            let labels = table["labels"]?.table?.items, labels.count == names.count
        else { throw damage("classes") }
        (classNames, classLabels) = (names, labels)
        identity = table["identity"]?.table ?? Table()
        inference = try table["inference"]?.table.map { rule in
            guard let rule = InferenceRule(rule), rule.weights.count <= modalities.count + 1 else {
                throw damage("inference that can be read")
            }
            return rule
        }
    }

    /// In what a file's description differs from another, one sentence each.
    public static func differences(_ file: Table, _ own: Table) -> [String] {
        func flat(_ value: Value, _ path: String, _ out: inout [(String, String)]) {
            if let table = value.table, !table.keys.isEmpty {
                for (key, inner) in table.fields { flat(inner, path.isEmpty ? key : "\(path).\(key)", &out) }
            } else {
                out.append((path, JSON.lua(value)))
            }
        }
        func entries(_ table: Table) -> [(String, String)] {
            var out: [(String, String)] = []
            flat(table["model"] ?? .null, "", &out)
            for modality in table["modalities"]?.table?.items ?? [] {
                let name = modality.table?["name"]?.string ?? "?"
                out.append(("samples of '\(name)'", JSON.lua(modality.table?["shape"] ?? .null)))
            }
            out.append(("classes", JSON.lua(table["classes"] ?? .null)))
            return out
        }
        let (theirs, ours) = (entries(file), entries(own))
        let known = Dictionary(ours, uniquingKeysWith: { first, _ in first })
        let names = Set(theirs.map(\.0))
        return theirs.compactMap { path, value in
            known[path] == value ? nil : "\(path): \(value) in the file, \(known[path] ?? "nothing") here"
        } + ours.filter { !names.contains($0.0) }.map { "\($0.0): nothing in the file, \($0.1) here" }
    }
}

extension ModelCard.Modality {
    fileprivate var value: Value {
        var fields: [(String, Value)] = [
            ("name", .string(name)), ("kind", .string(kind.rawValue)), ("shape", .list(shape.map(Value.int))),
        ]
        if let standardisation {
            fields.append(("mean", .list(standardisation.mean)))
            fields.append(("deviation", .list(standardisation.deviation)))
        }
        return .fields(fields)
    }

    fileprivate init?(_ value: Value) {
        guard let table = value.table, let name = table["name"]?.string,
            let kind = table["kind"]?.string.flatMap(BSSData.Modality.Kind.init(rawValue:)),
            let sizes = table["shape"]?.table?.items.compactMap(\.int), !sizes.isEmpty, sizes.allSatisfy({ $0 > 0 })
        else { return nil }
        (self.name, self.kind, shape) = (name, kind, sizes)
        guard let mean = table["mean"]?.table?.items.compactMap(\.double) else {
            standardisation = nil
            return
        }
        guard let deviation = table["deviation"]?.table?.items.compactMap(\.double), deviation.count == mean.count,
            mean.count == Standardisation.columns(kind, sizes), deviation.allSatisfy({ $0 > 0 })
        else { return nil }
        standardisation = Standardisation(mean: mean, deviation: deviation)
    }
}
