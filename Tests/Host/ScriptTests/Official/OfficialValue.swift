import BSSCodecs
import BSSCore

/// How what a case expects is compared with what came: each function gives the reason of a failure, or nil.
enum OfficialValue {
    /// An entry of `expected.json`'s `values`.
    static func mismatch(_ entry: Table, in results: Table) -> String? {
        guard let path = entry["path"]?.string, let wanted = entry["value"], let tolerance = entry["tolerance"]?.double
        else { return "an expected value lacks path, value or tolerance" }
        guard let got = results.value(atPath: path) else { return "\(path): missing" }
        switch entry["compare"]?.string {
        case nil, "list": return difference(path, got, wanted, tolerance)
        case "set":
            func sorted(_ value: Value) -> Value {
                .list((value.table?.items ?? []).compactMap(\.double).sorted())
            }
            return difference(path, sorted(got), sorted(wanted), tolerance)
        case "chi2": return chiSquared(path, got, wanted, limit: tolerance)
        case let other?: return "\(path): unknown comparison '\(other)'"
        }
    }

    private static func difference(_ path: String, _ got: Value, _ wanted: Value, _ tolerance: Double) -> String? {
        switch wanted {
        case .table(let b):
            guard let a = got.table, a.items.count == b.items.count else {
                return "\(path): \(got.described), expected \(wanted.described)"
            }
            for (i, pair) in zip(a.items, b.items).enumerated() {
                if let found = difference("\(path)[\(i + 1)]", pair.0, pair.1, tolerance) { return found }
            }
            for (key, value) in b.fields {
                guard let entry = a[key] else { return "\(path).\(key): missing" }
                if let found = difference("\(path).\(key)", entry, value, tolerance) { return found }
            }
            return nil
        case .string(let text): return got.string == text ? nil : "\(path): \(got.described), expected \"\(text)\""
        case .bool(let flag): return got.bool == flag ? nil : "\(path): \(got.described), expected \(flag)"
        case .int, .number:
            guard let a = got.double, let b = wanted.double, abs(a - b) <= tolerance || (a.isNaN && b.isNaN) else {
                return "\(path): \(got.described), expected \(wanted.described) within \(tolerance)"
            }
            return nil
        default: return "\(path): nothing can be compared with \(wanted.described)"
        }
    }

    /// `got`: outcomes as text; `wanted`: their probabilities.
    private static func chiSquared(_ path: String, _ got: Value, _ wanted: Value, limit: Double) -> String? {
        let outcomes = (got.table?.items ?? []).compactMap(\.string)
        let law = wanted.table?.fields.compactMap { field in field.value.double.map { (field.key, $0) } } ?? []
        guard !outcomes.isEmpty, !law.isEmpty else { return "\(path): \(got.described), expected outcomes" }
        let counts = Dictionary(outcomes.map { ($0, 1.0) }, uniquingKeysWith: +)
        if let stranger = counts.keys.first(where: { key in !law.contains { $0.0 == key } }) {
            return "\(path): the outcome '\(stranger)' has probability 0"
        }
        let statistic = law.reduce(0.0) { sum, entry in
            let mean = entry.1 * Double(outcomes.count)
            let excess = (counts[entry.0] ?? 0) - mean
            return sum + excess * excess / mean
        }
        return statistic <= limit ? nil : "\(path): chi-squared \(statistic), at most \(limit)"
    }

    static func mismatch(
        _ name: String, _ got: StoredTensor?, _ wanted: StoredTensor, _ tolerance: Double
    ) throws
        -> String?
    {
        guard let got else { return "\(name): no such tensor" }
        guard got.shape == wanted.shape else { return "\(name): shape \(got.shape), expected \(wanted.shape)" }
        let (a, b) = (try got.floats(), try wanted.floats())
        let worst = a.indices.max { badness(a[$0], b[$0]) < badness(a[$1], b[$1]) }
        guard let worst, badness(a[worst], b[worst]) > tolerance else { return nil }
        return "\(name)[\(worst)]: \(a[worst]), expected \(b[worst]) within \(tolerance)"
    }

    private static func badness(_ a: Float, _ b: Float) -> Double {
        let difference = abs(Double(a) - Double(b))
        return difference.isNaN ? .infinity : difference
    }
}
