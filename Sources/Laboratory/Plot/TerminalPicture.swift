import BSSCore
import Glibc

/// How a terminal shows a figure.
enum TerminalPicture: String, CaseIterable {
    case text, kitty, sixel, none

    /// `BSS_PLOT`, else what the terminal answers; text where no terminal is.
    /// - Throws: `BSS_PLOT` is something else.
    static func chosen(_ display: Display) throws -> TerminalPicture {
        if let value = getenv("BSS_PLOT").map({ String(cString: $0) }), !value.isEmpty {
            guard let choice = TerminalPicture(rawValue: value) else {
                throw BSSError(
                    "BSS_PLOT", "expects one of \(allCases.map(\.rawValue).joined(separator: ", ")), got '\(value)'",
                    kind: .usage)
            }
            return choice
        }
        guard display.isTerminal, display.isUnicode, isatty(STDIN_FILENO) != 0, isatty(STDOUT_FILENO) != 0,
            Gnuplot.find() != nil
        else { return .text }
        if let answered { return answered }
        let found = parse(query())
        answered = found
        return found
    }

    nonisolated(unsafe) private static var answered: TerminalPicture?

    /// kitty's query for one pixel, then the primary device attributes, which every terminal answers: 4 among them
    /// means sixel.
    private static let question = "\u{1B}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1B}\\\u{1B}[c"

    static func parse(_ answer: String) -> TerminalPicture {
        if answer.contains("_Gi=31;OK") { return .kitty }
        return attributes(answer)?.dropFirst().contains("4") ?? false ? .sixel : .text
    }

    /// The numbers of `ESC [ ? 62 ; 4 c`; nil until they are complete.
    private static func attributes(_ answer: String) -> [Substring]? {
        for piece in answer.split(separator: "\u{1B}") where piece.hasPrefix("[?") {
            if let end = piece.firstIndex(of: "c") { return piece[..<end].dropFirst(2).split(separator: ";") }
        }
        return nil
    }

    /// What the terminal answers within 100 ms.
    private static func query() -> String {
        var saved = termios()
        guard tcgetattr(STDIN_FILENO, &saved) == 0 else { return "" }
        var raw = saved
        cfmakeraw(&raw)
        fflush(stdout)
        guard tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0 else { return "" }
        defer { tcsetattr(STDIN_FILENO, TCSANOW, &saved) }
        let bytes = Array(question.utf8)
        guard write(STDOUT_FILENO, bytes, bytes.count) == bytes.count else { return "" }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 256)
        var left: Int32 = 100
        while left > 0, attributes(String(decoding: answer, as: UTF8.self)) == nil {
            var wait = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            if poll(&wait, 1, 10) > 0 {
                let count = read(STDIN_FILENO, &buffer, buffer.count)
                if count <= 0 { break }
                answer += buffer[..<count]
            }
            left -= 10
        }
        return String(decoding: answer, as: UTF8.self)
    }

    // MARK: Drawing

    /// The figure for standard output: text, or the escape sequence of a picture that gnuplot drew.
    static func output(_ figure: Figure, on display: Display) throws -> String {
        switch try chosen(display) {
        case .none: return ""
        case .text: return try figure.text(on: display) + "\n"
        case .kitty: return kitty(try bytes(figure, .png)) + "\n"
        case .sixel: return String(decoding: try bytes(figure, .sixel), as: UTF8.self) + "\n"
        }
    }

    private static func bytes(_ figure: Figure, _ picture: Figure.Picture) throws -> [UInt8] {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let path = "\(folder)/bss-plot-\(getpid())"
        defer { Files.remove(path) }
        try Gnuplot.draw(figure, as: picture, to: path)
        return try Files.read(path)
    }

    /// Pieces of 4096 characters, all but the last with m=1.
    static func kitty(_ png: [UInt8]) -> String {
        let text = Array(Text.base64(png).utf8)
        return stride(from: 0, to: text.count, by: 4096).map { start in
            let isLast = start + 4096 >= text.count
            return "\u{1B}_G" + (start == 0 ? "a=T,f=100," : "") + "m=\(isLast ? 0 : 1);"
                + String(decoding: text[start..<min(start + 4096, text.count)], as: UTF8.self) + "\u{1B}\\"
        }.joined()
    }
}
