import BSSBackend
import BSSCore
import BSSData
import BSSTensor
import BSSTraining

/// `model:predict(data)`, `run:predict(split)`: what a model says of samples.
enum PredictFunctions {
    private static let data = Argument<Value>(
        "data", default: .null,
        "a dataset, one of its splits (data.test), or raw tensors [n, …] by modality, { audio = …, image = … }")
    static let split = Argument(
        "split", default: "test", "which samples", check: .oneOf(SplitName.allCases.map(\.rawValue) + ["all"]))
    private static let ofData = Argument(
        "split", default: "all", "which samples of a dataset",
        check: .oneOf(SplitName.allCases.map(\.rawValue) + ["all"]))
    private static let missing = Argument<Value>(
        "missing", default: .null,
        "a modality, or a list, that is not there: its features are 0 and it has no part in the total "
            + "(not where the fusion couples the encoders)")
    static let output = Argument<String?>(
        "output", default: nil, "total, fused, or a modality; by default total (Eq. 12, or the method's own)")
    private static let csv = Argument<String?>(
        "csv", default: nil, "also writes a file: id, label, predicted, correct, and a probability a class")
    private static let returned = "table"
    private static let words =
        "{ logits, probabilities [n, C], predicted, labels [n] (class positions), correct [n], "
        + "accuracy, ids, class_names, outputs = { total, fused, <modality> = the same } }"

    static let ofModel = Function(
        "predict",
        "What the model says of samples, in evaluation mode: \(words). Modalities and classes go by name. Raw values "
            + "get the model's own standardisation; what a dataset did to them is undone first.",
        [data, ofData, missing, output, csv], returns: returned,
        example: "(function(d) return bss.model{ strong = \"mlp\", weak = \"mlp\" }:build(d):predict(d).accuracy end)"
            + "(bss.data.synthetic{ samples = 60 })",
        rest: "raw tensors by modality, instead of data: model:predict{ audio = …, image = … }"
    ) { a in
        let model = try a.receiver(as: ModelObject.self)
        let predictor = try model.predictor(a.operation, missing: try names(a[missing], a.operation))
        let prediction: ModelPrediction
        switch try given(a) {
        case .object(let object as Dataset):
            prediction = try predictor.predict(object, rows: rows(object, a[ofData], a.operation))
        case .object(let object as DatasetSplit):
            prediction = try predictor.predict(
                object.dataset, rows: rows(object.dataset, object.split.rawValue, a.operation))
        case .table(let table):
            guard a[ofData] == "all" else {
                throw BSSError(a.operation, "raw tensors have no split '\(a[ofData])'", kind: .usage)
            }
            prediction = try predictor.predict(try tensors(table, a.operation))
        case let other:
            throw BSSError(
                a.operation, "option 'data' expects a dataset, a split or tensors by modality, got \(other.described)",
                kind: .usage)
        }
        return [try value(prediction, a[output], a[csv], a.operation)]
    }

    static let ofRun = Function(
        "predict", "What the trained model says of a split of its own data: \(words).",
        [split, missing, output, csv], returns: returned,
        example: "bss.train{ data = bss.data.synthetic{ samples = 300 }, epochs = 2 }:predict(\"test\").accuracy"
    ) { a in
        let run = try a.receiver(as: RunObject.self).whole()
        let missing = try names(a[missing], a.operation)
        return [try value(try run.predict(a[split], missing, a.operation), a[output], a[csv], a.operation)]
    }

    static let confusion = Function(
        "confusion",
        "How often samples of each class (rows) were taken for each (columns); it prints, and :plot() draws it.",
        [split, output], returns: "confusion",
        example: "print(bss.train{ data = bss.data.synthetic{ samples = 300 }, epochs = 2 }:confusion(\"test\"))"
    ) { a in
        let run = try a.receiver(as: RunObject.self).whole()
        let prediction = try run.predict(a[split], [], a.operation)
        let chosen = try logits(prediction, a[output], a.operation)
        return [
            .object(
                ConfusionObject(
                    classNames: prediction.classNames, labels: prediction.labels,
                    predicted: predicted(chosen.logits, prediction.classNames.count),
                    title: "\(a[split]), \(chosen.name)"))
        ]
    }

    static let accuracy: Function = {
        let logits = Argument<TensorArgument>("logits", "scores [n, C]")
        let labels = Argument<TensorArgument>("labels", "class positions from 1, [n]")
        return Function(
            "accuracy",
            "The share of rows whose largest score stands at the label; NaN for none, and where a score is NaN.",
            [logits, labels],
            returns: "number",
            example: "bss.accuracy(bss.tensor{ { 0.1, 0.9 }, { 0.8, 0.2 } }, bss.tensor{ 2, 2 })", style: .positional
        ) { a in
            let scores = try a[logits].tensor
            guard scores.shape.rank == 2 else {
                throw BSSError(a.operation, "expects logits [n, C], got shape \(scores.shape)", kind: .usage)
            }
            let positions: [Int] = try a[labels].integers(a.operation, "labels").values()
            let classes = scores.shape[1]
            guard positions.count == scores.shape[0] else {
                throw BSSError(
                    a.operation, "\(scores.shape[0]) rows of logits and \(positions.count) labels", kind: .usage)
            }
            if let stray = positions.first(where: { $0 < 1 || $0 > classes }) {
                throw BSSError(
                    a.operation, "label \(stray) is no position from 1 to \(classes)",
                    hint: "labels count from 1, as logits:argmax{ axis = 2 } and split.classes do", kind: .usage)
            }
            let best = predicted(try scores.values(Float.self), classes)
            let hits = zip(best, positions).count { $0 == $1 - 1 }
            return [.number(best.contains(-1) ? .nan : Double(hits) / Double(positions.count))]
        }
    }()

    // MARK: Reading arguments

    /// What is to be scored: data, or the tensors that stand among the options.
    private static func given(_ a: Arguments) throws -> Value {
        if a.rest.isEmpty, !a[data].isNull { return a[data] }
        guard let first = a.rest.first else {
            throw BSSError(a.operation, "option 'data' is missing: \(data.help)", kind: .usage)
        }
        guard a[data].isNull else {
            let near = Text.nearest(to: first.key, in: ofModel.arguments.map(\.name)).map { "did you mean '\($0)'?" }
            throw BSSError(a.operation, "unknown option '\(first.key)' beside data", hint: near, kind: .usage)
        }
        return .fields(a.rest.map { ($0.key, $0.value) })
    }

    private static func names(_ value: Value, _ operation: String) throws -> [String] {
        switch value {
        case .null: return []
        case .string(let name): return [name]
        case .table(let list) where list.keys.isEmpty && list.items.allSatisfy { $0.string != nil }:
            return list.items.compactMap(\.string)
        default:
            throw BSSError(
                operation, "option 'missing' expects a modality or a list of them, got \(value.described)",
                kind: .usage)
        }
    }

    /// The samples of a split, or all.
    /// - Throws: kind `.usage`: there are none.
    static func rows(_ data: Dataset, _ split: String, _ operation: String) throws -> [Int] {
        let rows = SplitName(rawValue: split).map(data.indices) ?? Array(0..<data.count)
        if rows.isEmpty { throw BSSError(operation, "the data has no split '\(split)'", kind: .usage) }
        return rows
    }

    private static func tensors(_ table: Table, _ operation: String) throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for (name, value) in table.fields {
            do { tensors[name] = try TensorArgument(value: value).tensor } catch is Mismatch {
                throw BSSError(operation, "'\(name)' expects a tensor, got \(value.described)", kind: .usage)
            }
        }
        return tensors
    }

    // MARK: Results

    /// Columns of the largest logits, the first of equals; -1 where there is a NaN.
    static func predicted(_ logits: [Float], _ classes: Int) -> [Int] {
        guard classes > 0 else { return [] }
        return stride(from: 0, to: logits.count, by: classes).map { start in
            let row = logits[start..<start + classes]
            guard !row.contains(where: \.isNaN), let top = row.max() else { return -1 }
            return (row.firstIndex(of: top) ?? start) - start
        }
    }

    static func logits(
        _ prediction: ModelPrediction, _ name: String?, _ operation: String
    ) throws -> (name: String, logits: [Float]) {
        let known = prediction.outputs.map(\.name)
        if let found = prediction.outputs.first(where: { $0.name == name ?? "total" }) { return found }
        guard let name, name != "total" else {
            throw BSSError(
                operation, "the method combined the outputs by a rule of its own, which the model does not hold",
                hint: "choose output = \"\(known.joined(separator: "\" or \""))\"", kind: .usage)
        }
        let near = Text.nearest(to: name, in: known).map { "did you mean '\($0)'? " } ?? ""
        throw BSSError(
            operation, "there is no output '\(name)'", hint: near + "it has \(known.joined(separator: ", "))",
            kind: .usage)
    }

    private static func value(
        _ prediction: ModelPrediction, _ output: String?, _ csv: String?, _ operation: String
    ) throws -> Value {
        let chosen = try logits(prediction, output, operation)
        let table = try PredictionTable(prediction, chosen.logits)
        if let csv { try table.write(to: csv) }
        var fields = try table.fields()
        fields.append(("output", .string(chosen.name)))
        fields.append(("ids", .list(prediction.ids.map(Value.string))))
        fields.append(("class_names", .list(prediction.classNames.map(Value.string))))
        let outputs = try prediction.outputs.map { name, logits in
            (name, Value.fields(try PredictionTable(prediction, logits).fields()))
        }
        return .fields(fields + [("outputs", .fields(outputs))])
    }
}

/// One output of a prediction, as tensors and as a file.
private struct PredictionTable {
    let prediction: ModelPrediction
    let logits, probabilities: Tensor
    let best: [Int]

    init(_ prediction: ModelPrediction, _ values: [Float]) throws {
        self.prediction = prediction
        let shape = try Shape([prediction.count, prediction.classNames.count], operation: "predict")
        logits = try Tensor.from(values, shape)
        probabilities = try logits.softmax(axis: 1)
        best = PredictFunctions.predicted(values, prediction.classNames.count)
    }

    private var correct: [Bool]? {
        prediction.labels.isEmpty ? nil : zip(best, prediction.labels).map { $0 == $1 }
    }

    func fields() throws -> [(String, Value)] {
        var fields: [(String, Value)] = [
            ("logits", .object(logits)), ("probabilities", .object(probabilities)),
            ("predicted", .object(try Tensor.from(best.map { $0 + 1 }))),
        ]
        guard let correct else { return fields }
        fields.append(("labels", .object(try Tensor.from(prediction.labels.map { $0 + 1 }))))
        fields.append(("correct", .object(try Tensor.from(correct))))
        let hasNaN = best.contains(-1)
        let share = Double(correct.count { $0 }) / Double(correct.count)
        return fields + [("accuracy", .number(hasNaN ? .nan : share))]
    }

    /// `id,label,predicted,correct,p(class), …`
    func write(to path: String) throws {
        let names = prediction.classNames
        var lines = [["id", "label", "predicted", "correct"] + names.map { "p(\($0))" }]
        let p: [Float] = try probabilities.values()
        for row in 0..<prediction.count {
            let label = prediction.labels.isEmpty ? "" : names[prediction.labels[row]]
            let hit = correct.map { $0[row] ? "true" : "false" } ?? ""
            let shares = p[row * names.count..<(row + 1) * names.count].map { "\($0)" }
            lines.append([prediction.ids[row], label, best[row] < 0 ? "nan" : names[best[row]], hit] + shares)
        }
        let text = lines.map { $0.map(PredictionTable.quoted).joined(separator: ",") + "\n" }.joined()
        try Files.write(Array(text.utf8), to: path)
    }

    private static func quoted(_ field: String) -> String {
        guard field.contains(where: { ",\"\n\r".contains($0) }) else { return field }
        return "\"" + field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
