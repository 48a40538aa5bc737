import BSSCore
import BSSRuns

/// What the function of an experiment gives for an arm and a seed.
extension Experiment {
    /// - Parameter isFirst: the first answer says which facts there are.
    func answer(
        _ arm: Table, _ seed: Int, _ job: PlannedJob?, isFirst: Bool
    ) throws -> (ExperimentRecord.Answer, RunObject?) {
        let call = Trial.Call(
            workbench: workbench, body: body, parameters: parameters, arm: arm, seed: seed, job: job)
        workbench.progress?.begin(arm: Experiment.name(arm), seed: seed)
        let trial = try StatusLine.sharing { try Trial(call) }
        if isFirst { try checkFacts(trial.answer) }
        let ids = job?.runs ?? []
        var answer = ExperimentRecord.Answer(
            seed: seed, runs: ids, isRun: trial.isRun && ids.count == 1 && trial.run?.facts.id == ids[0], values: [:],
            facts: [:])
        for metric in metrics { answer.values[metric] = try number(trial.answer, metric, arm) }
        for fact in facts {
            answer.facts[fact] = (trial.answer[fact] ?? trial.answer.value(atPath: fact))?.double
        }
        let figures = metrics.prefix(2).compactMap { metric in
            answer.values[metric].map { (name: metric, value: $0) }
        }
        workbench.progress?.end(figures, id: trial.run?.facts.id)
        return (answer, trial.run)
    }

    /// - Throws: a fact that neither the first answer nor any arm has.
    private func checkFacts(_ answer: Table) throws {
        let fields = Set(arms.flatMap(\.keys))
        for fact in facts where !fields.contains(fact) && (answer[fact] ?? answer.value(atPath: fact)) == nil {
            let known = answer.keys + fields.subtracting(answer.keys + ["name"]).sorted()
            let near = Text.nearest(to: fact, in: known).map { "did you mean '\($0)'?" }
            throw BSSError(
                "bss.experiment", "no arm and no answer has the fact '\(fact)'",
                hint: near ?? "there are: \(known.joined(separator: ", "))", kind: .usage)
        }
    }

    private func number(_ table: Table, _ metric: String, _ arm: Table) throws -> Double {
        guard let number = (table[metric] ?? table.value(atPath: metric))?.double else {
            throw BSSError(
                "bss.experiment", "arm '\(Experiment.name(arm))' gives no number '\(metric)'",
                hint: "it has: \(table.keys.joined(separator: ", "))")
        }
        return number
    }
}
