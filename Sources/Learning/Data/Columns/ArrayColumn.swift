import BSSCodecs
import BSSCore

/// Turning arrays of files into parts of a draft.
enum ArrayColumn {
    private static func damage(_ operation: String, _ message: String) -> BSSError {
        BSSError(operation, message, kind: .data)
    }

    /// A numeric array [n, …] as a modality. Its kind is given or told by its rank: [n, d] features, [n, steps, d]
    /// sequence, [n, channels, height, width] image.
    static func modality(
        _ name: String, _ array: NpyArray, _ origin: String, _ operation: String, kind: Modality.Kind? = nil
    ) throws -> Modality {
        guard !array.isText else {
            throw damage(operation, "\(origin): holds text; numbers were expected for modality '\(name)'")
        }
        guard array.shape.count >= 1 else {
            throw damage(operation, "\(origin): a single number; one row a sample was expected for modality '\(name)'")
        }
        var shape = Array(array.shape.dropFirst())
        if shape.isEmpty { shape = [1] }
        guard let kind = kind ?? Modality.Kind(rank: shape.count) else {
            throw damage(
                operation,
                "\(origin): shape \(array.shape) has too many axes for modality '\(name)'; [n, d], [n, steps, d], "
                    + "[n, channels, height, width] or [n, frames, channels, height, width] was expected"
            )
        }
        let rank = kind.rank
        if shape.count == 2, rank == 3 { shape = [1] + shape }
        if kind == .features { shape = [shape.reduce(1, *)] }
        guard shape.count == rank else {
            throw damage(
                operation,
                "\(origin): shape \(array.shape) does not suit modality '\(name)' of kind \(kind.rawValue)")
        }
        if case .floats(let values) = array.elements { return Modality(name, kind, shape: shape, values: values) }
        try Memory.reserve(array.count, of: 12, operation, "the numbers of '\(name)'")
        return Modality(name, kind, shape: shape, exact: array.doubles ?? [])
    }

    /// Texts or integers, one a sample.
    static func names(
        _ array: NpyArray, _ origin: String, _ what: String, _ operation: String
    ) throws -> [String] {
        guard let texts = array.strings ?? array.integers?.map(String.init) else {
            throw damage(operation, "\(origin): \(array.described); text or integers were expected as \(what)")
        }
        return texts
    }

    static func texts(_ array: NpyArray, _ origin: String, _ operation: String) throws -> [String] {
        guard array.shape.count == 1, let texts = array.strings else {
            throw damage(operation, "\(origin): \(array.described); one text a sample was expected")
        }
        return texts
    }
}

extension DatasetDraft {
    /// One integer or text a sample.
    mutating func setLabels(_ array: NpyArray, from origin: String) throws {
        guard array.shape.count == 1 || (array.shape.count == 2 && array.shape[1] == 1) else {
            throw failure("\(origin): \(array.described); one label a sample was expected")
        }
        labelOrigin = origin
        if let texts = array.strings {
            labels = .texts(texts)
        } else if let integers = array.integers {
            labels = .integers(integers)
        } else {
            let values = array.doubles ?? []
            let bad = values.firstIndex { Int(exactly: $0) == nil } ?? 0
            throw failure("\(origin): \(rowName(bad)): label \(Text.number(values[bad])) is not an integer")
        }
    }

    /// Ids 1, 2, … for files that have none.
    mutating func numberIds() { ids = labels.count == 0 ? [] : (1...labels.count).map(String.init) }
}
