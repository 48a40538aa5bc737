import BSSCore
import BSSLua

/// Who shows a session to a user: the prompt, a Jupyter kernel. The session asks for no terminal.
public protocol FrontEnd: AnyObject {
    /// What a command answers.
    func show(_ text: String)
    /// The results of a cell that ran; its error too, if it has one.
    func show(_ cell: Cell, seconds: Double)
    /// An error of a command, or of code that a cell runs through one.
    func report(_ error: BSSError)
    /// What a user may want to know beside the result.
    func note(_ text: String)
    /// A value in its richest form, beside a cell's results; false: as text is what there is.
    func display(_ value: LuaValue) -> Bool
    /// Removes what is shown.
    func clear()
    /// The text after the user had it in an editor.
    /// - Throws: where there is none.
    func edit(_ text: String) throws -> String
}

extension FrontEnd {
    public func display(_ value: LuaValue) -> Bool { false }
    public func clear() {}
    public func edit(_ text: String) throws -> String {
        throw BSSError("%edit", "there is no editor here", hint: "a terminal has one", kind: .usage)
    }
}
