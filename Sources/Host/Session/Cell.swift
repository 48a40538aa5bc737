import BSSCore

/// One evaluated input.
public struct Cell {
    public let number: Int
    public let code: String
    /// The code as it ran: a last line that is an expression became `_ = …`.
    package let executed: String
    public let outcome: CellRunner.Outcome
    public let outputs: [CellOutput]
    public var error: BSSError? { outcome.error }
    /// The same without its values: lists of cells must not keep every result alive.
    package var released: Cell {
        Cell(number: number, code: code, executed: executed, outcome: outcome.released, outputs: outputs)
    }
    /// What a reader saw, as lines.
    public var lines: [String] {
        outputs.flatMap { $0.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
    }
}
