import BSSCore
import BSSLua

/// One call of an experiment's function: what it returned, and the run that it is about.
struct Trial {
    let answer: Table
    /// The run that was returned, else the last one that was trained; nil if none was. Without its model, which is
    /// trained again when it is asked for: the models of all runs would not fit into memory.
    let run: RunObject?
    /// The run was returned: its numbers are those of its record.
    let isRun: Bool

    init(_ call: Call) throws {
        let (value, trained) = try call.run()
        isRun = Trial.run(value) != nil
        run = (Trial.run(value) ?? trained).map { run in
            var facts = run.facts
            facts.arm = call.arm["name"]?.string
            return RunObject(facts) { try call.again() }
        }
        guard let answer = Trial.answer(value) else {
            throw BSSError(
                "bss.experiment",
                "arm '\(call.arm["name"]?.string ?? "")' returned \(value.described), expected a run or a table")
        }
        self.answer = answer
    }

    /// The numbers in what a function returned; nil: it returned neither a run nor a table.
    private static func answer(_ value: Value) -> Table? {
        if let run = run(value) { return run.facts.numbers }
        if case .table(let given) = value { return given }
        return nil
    }

    private static func run(_ value: Value) -> RunObject? {
        guard case .object(let object) = value else { return nil }
        return object as? RunObject
    }

    /// The function with its arguments.
    struct Call {
        unowned let workbench: Workbench
        let body: Callback
        let parameters: Table
        let arm: Table
        let seed: Int
        let job: PlannedJob?

        /// What it returns, and the last run that it trained.
        fileprivate func run() throws -> (Value, RunObject?) {
            var last: RunObject?
            let outer = (workbench.job, workbench.onTrained)
            defer { (workbench.job, workbench.onTrained) = outer }
            (workbench.job, workbench.onTrained) = (job, { last = $0 })
            job?.trainings = 0
            job?.runs = []
            let call = { try body.function.call([.table(parameters), .table(arm), .int(seed)]).first ?? .null }
            guard let shared = try FunctionRun(workbench, job) else { return (try call(), last) }
            if let found = try shared.recorded() { return (.table(found), nil) }
            return (try shared.compute(call, answer: Trial.answer), last)
        }

        /// The whole run, in silence: what it prints was shown before.
        fileprivate func again() throws -> RunObject {
            let (value, trained) = try PrintTap.listening(isShown: false, { _ in }) { try run() }
            guard let found = Trial.run(value) ?? trained else {
                throw BSSError("bss.experiment", "its function trained nothing when it was called again")
            }
            return try found.whole()
        }
    }
}
