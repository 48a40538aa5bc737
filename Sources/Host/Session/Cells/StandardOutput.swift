import BSSCore
import BSSLua
import Glibc

/// What code writes to standard output, taken at the file descriptor.
public enum StandardOutput {
    /// More than this is dropped from the copy, with a note.
    public static let limit = 1 << 20

    /// Writes whole lines, also where nobody sees a terminal.
    public static func buffersLines() { setvbuf(stdout, nil, _IOLBF, 1 << 16) }

    /// Runs `body`; with `tee` the output also goes where it went before.
    /// - Returns: the text as it stands on a screen: escape sequences and addresses gone, carriage returns folded.
    public static func capture(tee: Bool = false, _ body: () -> Void) -> String {
        guard OutputCapture.begin(limit: limit, tee: tee) else {
            body()
            return ""
        }
        body()
        let (bytes, total) = OutputCapture.end()
        var text = StableText.masked(StableText.plain(String(decoding: bytes, as: UTF8.self)), times: false)
        if total > bytes.count { text += "\n… \(total - bytes.count) more bytes" }
        return text
    }
}
