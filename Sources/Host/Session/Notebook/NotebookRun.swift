import BSSCore
import BSSLua

/// Runs a notebook from the top in the runner's state and fills in the outputs.
public struct NotebookRun {
    /// With this tag a cell may fail and the rest still runs.
    public static let failureTag = "raises-exception"

    public private(set) var file: NotebookFile
    /// The path that messages and chunk names carry.
    public let path: String
    private let runner: CellRunner

    public init(_ file: NotebookFile, path: String, runner: CellRunner) {
        self.file = file
        self.path = path
        self.runner = runner
    }

    /// Position in `cells` and the error of a cell that stopped the run.
    public struct Failure {
        public var cell: Int
        public var error: BSSError
        /// Of a cell that called `os.exit`.
        public var exitCode: Int32?
    }

    /// Runs every code cell; outputs of cells after a failure are removed, because nothing made them.
    /// - Parameter each: called after each cell with its position among the code cells, their number, and what came of
    ///   it.
    public mutating func run(
        each: (_ number: Int, _ count: Int, CellRunner.Outcome) -> Void = { _, _, _ in }
    ) -> Failure? {
        let order = file.codeCells
        var failure: Failure?
        for i in file.cells.indices
        where file.cells[i].kind == .code && !order.contains(i) && !file.cells[i].outputs.isEmpty {
            file.cells[i].outputs = []
        }
        for (n, i) in order.enumerated() {
            if failure != nil {
                if !file.cells[i].outputs.isEmpty { file.cells[i].outputs = [] }
                continue
            }
            let cell = file.cells[i]
            var outcome = runner.run(cell.source, name: "@" + (cell.place ?? path), line: cell.line)
            let outputs = runner.outputs(of: &outcome, path: cell.place ?? path)
            if outputs != cell.outputs { file.cells[i].outputs = outputs }
            each(n + 1, order.count, outcome)
            if let code = outcome.exitCode {
                let error = outcome.error ?? BSSError("os.exit", "stopped by os.exit(\(code))")
                failure = Failure(cell: i, error: error, exitCode: code)
            } else if let error = outcome.error, outcome.wasInterrupted || !cell.tags.contains(NotebookRun.failureTag) {
                failure = Failure(cell: i, error: error)
            }
        }
        return failure
    }
}
