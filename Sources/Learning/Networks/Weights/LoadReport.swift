import BSSBackend
import BSSCodecs
import BSSCore
import BSSTensor

/// What happened to every key when weights were loaded.
public struct LoadReport {
    /// Our parameters and buffers that were filled.
    public var loaded: [String] = []
    /// Ours that the file does not have.
    public var missing: [String] = []
    /// Keys of the file that we have no place for.
    public var unexpected: [String] = []
    /// Both have it, in different shapes: `"conv1.weight: [64, 3, 7, 7] in the file, [64, 1, 7, 7] here"`.
    public var misshaped: [String] = []
    /// Keys of the file that belong to other parts, and objects in it that are no tensors.
    public var foreign: [String] = []

    public var isComplete: Bool { missing.isEmpty && unexpected.isEmpty && misshaped.isEmpty }

    /// `120 loaded, 2 missing, 1 unexpected, 0 of another shape`
    public var summary: String {
        "\(loaded.count) loaded, \(missing.count) missing, \(unexpected.count) unexpected, \(misshaped.count) of "
            + "another shape"
    }

    /// Every key that did not fit, one a line.
    public var details: String {
        (missing.map { "  missing: \($0)" } + unexpected.map { "  unexpected: \($0)" }
            + misshaped.map { "  other shape: \($0)" }).joined(separator: "\n")
    }

    public var table: Table {
        Table(fields: [
            ("loaded", .list(loaded)), ("missing", .list(missing)), ("unexpected", .list(unexpected)),
            ("misshaped", .list(misshaped)), ("ignored", .list(foreign)),
        ])
    }
}

extension Module {
    /// Fills parameters and buffers by name from a weight file. Nothing is written unless everything fits or `strict`
    /// is false.
    ///
    /// - Throws: kind `.data`; with `strict`, every key that is missing, unexpected or of another shape, one a line.
    ///   Also when no key at all fits.
    @discardableResult
    public func load(_ file: WeightFile, _ map: KeyMap = .same, strict: Bool = true) throws -> LoadReport {
        var report = LoadReport()
        report.foreign = file.others
        var found: [String: StoredTensor] = [:]
        let entries = try file.entries(map, anchor: parameters().first?.name)
        for (key, name, tensor) in entries {
            if let name { found[name] = tensor } else { report.foreign.append(key) }
        }
        let targets =
            parameters().map { ($0.name, Target.parameter($0.parameter)) }
            + buffers().map { ($0.name, Target.buffer($0.buffer)) }
        let known = Set(targets.map(\.0))
        report.unexpected = entries.compactMap { entry in
            entry.name.map { known.contains($0) } ?? true ? nil : entry.key
        }
        var fitting: [(Target, StoredTensor)] = []
        for (name, target) in targets {
            guard let tensor = found[name] else {
                if !map.isOwn(name) { report.missing.append(name) }
                continue
            }
            guard tensor.shape == target.fileShape else {
                report.misshaped.append("\(name): \(tensor.shape) in the file, \(target.fileShape) here")
                continue
            }
            report.loaded.append(name)
            fitting.append((target, tensor))
        }
        guard report.isComplete || !strict && !fitting.isEmpty else {
            throw BSSError(
                "pretrained", "\(file.path) does not fit: \(report.summary)\n\(report.details)",
                hint: fitting.isEmpty ? "no key fits: another network?" : "strict = false loads what fits", kind: .data)
        }
        for (target, tensor) in fitting { try target.fill(tensor) }
        return report
    }
}

extension Module {
    /// Writes parameters and buffers as safetensors, atomically, in the layout of other programs: linear weights as [O,
    /// I]. `dtype`: what real numbers are rounded to; nil: as they are.
    public func save(to path: String, as dtype: DType? = nil, metadata: [(String, String)] = []) throws {
        let weights = try parameters().map { name, parameter in
            (
                name: name,
                tensor: parameter.isTransposedInFiles
                    ? try parameter.value.detached.transposed(0, 1) : parameter.value.detached
            )
        }
        let all = weights + buffers().map { (name: $0.name, tensor: $0.buffer.value) }
        try TensorFile.write(
            all.map {
                ($0.name, $0.tensor.dtype.isReal ? try $0.tensor.converted(to: dtype ?? $0.tensor.dtype) : $0.tensor)
            },
            metadata: [("format", "pt")] + metadata, to: path
        )
    }
}

/// A place for numbers of a file.
private enum Target {
    case parameter(Parameter)
    case buffer(StateTensor)

    /// The shape that files have for it.
    var fileShape: [Int] {
        switch self {
        case .parameter(let p): return p.isTransposedInFiles ? p.value.shape.array.reversed() : p.value.shape.array
        case .buffer(let b): return b.value.shape.array
        }
    }

    func fill(_ tensor: StoredTensor) throws {
        let values = try Tensor.from(try tensor.floats(), Shape(tensor.shape))
        switch self {
        case .parameter(let p): try p.assign(p.isTransposedInFiles ? values.transposed(0, 1) : values)
        case .buffer(let b): try b.assign(values)
        }
    }
}
