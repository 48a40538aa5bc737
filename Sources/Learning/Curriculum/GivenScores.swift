import BSSCodecs
import BSSCore

/// Scores or difficulties that come with the scheduler instead of from a scan: transfer scoring by any teacher.
///
/// A list has one number per sample of the training split, in its order. A CSV file has a column `score` (high = easy)
/// or `difficulty` or `loss` (high = hard), and its rows are those of the training split in order, or name samples in a
/// column `id`.
public struct GivenScores: ArgumentType {
    private let values: [Double]
    private let ids: [String]?
    /// The file, or nil for a list.
    private let path: String?
    /// Values are high for hard samples.
    private let isDifficulty: Bool?

    public static let expected = "list of numbers or path of a CSV file"
    public static let luaType = "number[]|string"

    public init(value: Value) throws {
        if case .string(let path) = value {
            let table = try CSVTable(path)
            guard let column = ["score", "difficulty", "loss"].first(where: table.has) else {
                throw BSSError(
                    "given scores", "\(path) has no column 'score', 'difficulty' or 'loss'",
                    hint: "it has \(table.columns.joined(separator: ", "))", kind: .data)
            }
            (values, ids, self.path, isDifficulty) = (
                try table.doubles(column), table.has("id") ? try table.strings("id") : nil, path, column != "score"
            )
        } else {
            (values, ids, path, isDifficulty) = (try Vector(value: value).values, nil, nil, nil)
        }
        try Measurer.checkFinite(values, path ?? "given scores")
    }

    /// A file's path; a short list; a long list by its hash.
    public var plain: Value {
        if let path { return .string(path) }
        if values.count <= 100 { return .list(values) }
        return .string(
            "list of \(values.count), sha256 "
                + "\(SHA256.hex(values.map { String($0.bitPattern, radix: 16) }.joined(separator: " ")))"
        )
    }

    /// High = easy, for the samples that are trained on: `positions` count in the training split of `splitCount`
    /// samples, `ids` name them.
    /// - Throws: another number of values than samples, a sample that the file does not name.
    func scores(asDifficulty: Bool, positions: [Int], splitCount: Int, ids wanted: [String]) throws -> [Double] {
        let sign: Double = isDifficulty ?? asDifficulty ? -1 : 1
        let source = path ?? "the list"
        if let ids {
            var row: [String: Int] = [:]
            for (index, id) in ids.enumerated() { row[id] = index }
            return try wanted.map { id in
                guard let index = row[id] else {
                    throw BSSError("given scores", "\(source) has no row with id '\(id)'", kind: .data)
                }
                return sign * values[index]
            }
        }
        guard values.count == splitCount else {
            throw BSSError(
                "given scores", "\(source) has \(values.count) values, the training split \(splitCount) samples",
                hint: "give one value per training sample, in order, or a column 'id'", kind: .data)
        }
        return positions.map { sign * values[$0] }
    }
}

/// Where the difficulty of a ranked curriculum comes from: given scores, or a scan by the measurer.
public struct DifficultySource {
    let given: GivenScores
    let isDifficulty: Bool

    init(_ given: GivenScores, isDifficulty: Bool) {
        self.given = given
        self.isDifficulty = isDifficulty
    }

    /// High = easy, per sample that is trained on.
    public func scores(positions: [Int], splitCount: Int, ids: [String]) throws -> [Double] {
        try given.scores(asDifficulty: isDifficulty, positions: positions, splitCount: splitCount, ids: ids)
    }
}

/// The two ways to say scores that come with the scheduler.
public struct GivenOptions: OptionGroup {
    @Option(
        "scores",
        "scores of the training samples, high = easy: a list, or a CSV file with a column score (or difficulty or "
            + "loss) "
            + "and maybe id")
    var scores: GivenScores? = nil
    @Option("difficulty", "the same as difficulties, high = hard: the losses of another model, for example")
    var difficulty: GivenScores? = nil

    public init() {}

    public func check(_ operation: String) throws {
        guard scores != nil, difficulty != nil else { return }
        throw BSSError(
            operation, "scores and difficulty are two ways to say one thing; give one", kind: .usage)
    }

    var source: DifficultySource? {
        (scores ?? difficulty).map { DifficultySource($0, isDifficulty: scores == nil) }
    }
}
