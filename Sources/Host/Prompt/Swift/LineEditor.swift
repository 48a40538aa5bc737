import BSSLua
import CBSSLua
import CBSSReadline
import Glibc

/// What came from the keyboard.
public enum LineInput: Equatable {
    case text(String)
    /// Ctrl-C; what had been typed.
    case interrupted(String)
    /// Ctrl-D.
    case end
    /// A signal (TERM, HUP, …) that asks the program to leave.
    case told
}

/// Reads one block of input.
public protocol LineEditor: AnyObject {
    /// True if prompts and results belong on a terminal.
    var isTerminal: Bool { get }
    func read(prompt: String, continuation: String) -> LineInput
    func remember(_ text: String)
}

/// Without a terminal or without readline: lines as they come, gathered until they are complete.
public final class PlainEditor: LineEditor {
    public let isTerminal = false
    private let isComplete: (String) -> Bool

    public init(isComplete: @escaping (String) -> Bool) { self.isComplete = isComplete }

    public func read(prompt: String, continuation: String) -> LineInput {
        var text = ""
        var first = true
        while true {
            Terminal.error(first ? prompt : continuation)
            let line = readLine()
            if bss_lua_prompt_interrupted() { return .interrupted(text) }
            if bss_lua_signal_pending() != 0 { return .told }
            guard let line else { return first ? .end : .text(text) }
            text += (first ? "" : "\n") + line
            first = false
            if isComplete(text) { return .text(text) }
        }
    }

    public func remember(_ text: String) {}
}

/// GNU readline: editing of whole blocks, history search, completion, bracketed paste.
public final class ReadlineEditor: LineEditor {
    public let isTerminal = true
    nonisolated(unsafe) private static var isComplete: (String) -> Bool = { _ in true }
    nonisolated(unsafe) private static var complete: (String, Int, Int) -> [String] = { _, _, _ in [] }
    nonisolated(unsafe) private static var drawing = InputDrawing()

    /// nil: there is no readline on this machine.
    /// - Parameter hasColor: inputs are drawn by us, in colours; else by readline.
    public init?(
        hasColor: Bool, isComplete: @escaping (String) -> Bool,
        complete: @escaping (_ text: String, _ start: Int, _ end: Int) -> [String]
    ) {
        ReadlineEditor.isComplete = isComplete
        ReadlineEditor.complete = complete
        var drawing = bss_line_drawing()
        drawing.begin = { ReadlineEditor.drawing.begin() }
        drawing.indent = { text, point, excess in
            let indent = text.map { BlockIndent(String(cString: $0), at: Int(point)) }
            excess?.pointee = Int32(indent?.excess ?? 0)
            return Int32(indent?.next ?? 0)
        }
        drawing.suggest = { text in
            text.flatMap { ReadlineEditor.drawing.suggestion(String(cString: $0)) }.map { strdup($0) } ?? nil
        }
        if hasColor {
            drawing.draw = { prompt, text, point, isSettled in
                guard let prompt, let text else { return }
                ReadlineEditor.drawing.draw(
                    String(cString: prompt), String(cString: text), cursor: Int(point), isSettled: isSettled)
            }
        }
        let opened = bss_line_open(
            { text in text.map { ReadlineEditor.isComplete(String(cString: $0)) } ?? true },
            { text, start, end in
                let found = text.map { ReadlineEditor.complete(String(cString: $0), Int(start), Int(end)) } ?? []
                guard !found.isEmpty,
                    let list = calloc(found.count + 1, MemoryLayout<UnsafeMutablePointer<CChar>?>.stride)
                else { return nil }
                let strings = list.bindMemory(to: UnsafeMutablePointer<CChar>?.self, capacity: found.count + 1)
                for (i, text) in found.enumerated() { strings[i] = strdup(text) }
                return strings
            },
            {
                if bss_lua_prompt_interrupted() { return BSS_LINE_FRESH }
                return bss_lua_signal_pending() != 0 ? BSS_LINE_LEAVE : BSS_LINE_GO_ON
            }, drawing)
        guard opened else { return nil }
    }

    public func read(prompt: String, continuation: String) -> LineInput {
        fflush(stdout)
        bss_lua_signals_at_prompt(true)
        defer { bss_lua_signals_at_prompt(false) }
        var text: UnsafeMutablePointer<CChar>?
        let status = bss_line_read(prompt, &text)
        let line = text.map { String(cString: $0) } ?? ""
        free(text)
        switch Int(status) {
        case BSS_LINE_END: return .end
        case BSS_LINE_INTERRUPTED: return .interrupted(line)
        case BSS_LINE_TOLD_TO_LEAVE: return .told
        default: return .text(line)
        }
    }

    public func remember(_ text: String) {
        bss_line_remember(text)
        ReadlineEditor.drawing.earlier.append(text)
    }
}
