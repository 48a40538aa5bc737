import BSSCore
import BSSRuns

/// What `bss-lua verify` has a script run again: these runs alone, in this order. The answers of the others come from
/// the artifact's records, so that a script goes on after them.
struct Replay {
    private let records: [String: ExperimentRecord]
    private let wanted: [String]

    /// - Throws: kind `.usage`: a file that is no such list.
    init(file: String) throws {
        let table = try JSON.parse(Files.readText(file), source: file).table ?? Table()
        guard let folder = table["records"]?.string, let runs = table["runs"]?.table else {
            throw BSSError("--replay", "\(file) names no records and runs", kind: .usage)
        }
        records = Dictionary(
            try ExperimentRecord.all(in: folder).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        wanted = runs.items.compactMap(\.string)
    }

    /// One run among those of an artifact.
    static func key(_ experiment: String, _ arm: String, _ seed: Int) -> String { "\(experiment)\t\(arm)\t\(seed)" }

    /// The places that are to be run, the first ones first; the others are filled in.
    func take(
        _ name: String, _ open: [(arm: Int, seed: Int)], of record: ExperimentRecord, _ seeds: [Int],
        _ answers: inout [[ExperimentRecord.Answer?]]
    ) throws -> [(arm: Int, seed: Int)] {
        var places: [(rank: Int, arm: Int, seed: Int)] = []
        for place in open {
            let (arm, seed) = (record.rows[place.arm].name, seeds[place.seed])
            if let rank = wanted.firstIndex(of: Replay.key(name, arm, seed)) {
                places.append((rank, place.arm, place.seed))
            } else if let known = known(name, arm, seed, at: place.seed) {
                answers[place.arm][place.seed] = known
            } else {
                throw BSSError(name, "the artifact's records hold no '\(arm)', seed \(seed)", kind: .data)
            }
        }
        return places.sorted { $0.rank < $1.rank }.map { ($0.arm, $0.seed) }
    }

    /// The answer for this seed; with new seeds the one in its place.
    private func known(_ name: String, _ arm: String, _ seed: Int, at index: Int) -> ExperimentRecord.Answer? {
        let answers = records[name]?.row(arm)?.answers ?? []
        return answers.first { $0.seed == seed } ?? (answers.indices.contains(index) ? answers[index] : nil)
    }

    /// Writes what came out so far: of the runs made here alone.
    func note(
        _ answer: ExperimentRecord.Answer, of arm: String, in record: ExperimentRecord, _ store: RunStore?
    ) throws {
        guard let store else { return }
        let known = try ExperimentRecord.all(in: store.root).first { $0.name == record.name }
        var made = record
        for index in made.rows.indices {
            made.rows[index].answers = known?.row(made.rows[index].name)?.answers ?? []
            if made.rows[index].name == arm { made.rows[index].answers.append(answer) }
        }
        try made.write(in: store.root)
    }
}
