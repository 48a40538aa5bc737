import BSSCore
import BSSLua

/// `%debug`: the frames of the last error, and their locals.
struct Debugger {
    private let frames: [ErrorFrame]
    private var position = 0

    init(_ frames: [ErrorFrame]) { self.frames = frames }

    /// `up`, `down`, a number, or an expression over the frame's locals; nothing: where we are.
    mutating func answer(_ text: String, _ session: Session) throws -> String {
        guard !frames.isEmpty else { throw BSSError("%debug", "no cell has failed yet", kind: .usage) }
        switch text {
        case "", "where": return list + "\n" + locals(session)
        case "locals": return locals(session)
        case "up": return try move(to: position + 1, session)
        case "down": return try move(to: position - 1, session)
        default:
            if let number = Int(text) { return try move(to: number - 1, session) }
            return try value(of: text, session)
        }
    }

    private var list: String {
        frames.enumerated().map { k, frame in
            "\(k == position ? ">" : " ") \(k + 1)  \(frame.place): \(frame.name)"
        }.joined(separator: "\n")
    }

    private mutating func move(to next: Int, _ session: Session) throws -> String {
        guard frames.indices.contains(next) else {
            let edge = next < 0 ? "this is the frame of the error" : "this is the outermost frame"
            throw BSSError("%debug", edge, hint: "%debug lists them", kind: .usage)
        }
        position = next
        return "> \(next + 1)  \(frames[next].place): \(frames[next].name)\n" + locals(session)
    }

    /// Of equal names the last one.
    private var visible: [(name: String, value: LuaValue)] {
        let locals = frames[position].locals
        return locals.enumerated().filter { k, one in !locals[(k + 1)...].contains { $0.name == one.name } }.map(
            \.element)
    }

    private func locals(_ session: Session) -> String {
        let width = visible.reduce(0) { max($0, $1.name.count) }
        let printer = Printer(width: session.display().columns - width - 7)
        let lines = visible.map {
            "    \(Text.padded($0.name, to: width)) = \(printer.line($0.value, in: session.state))"
        }
        return lines.isEmpty ? "    no locals" : lines.joined(separator: "\n")
    }

    private func value(of expression: String, _ session: Session) throws -> String {
        let visible = Array(visible.suffix(150))
        let names = visible.isEmpty ? "" : "local \(visible.map(\.name).joined(separator: ", ")) = ... "
        let function = try session.state.function("\(names)return \(expression)", name: "=debug")
        guard let value = try session.state.evaluate(function, with: visible.map(\.value)) else { return "nil" }
        return session.runner.show(value, session.state)
    }
}
