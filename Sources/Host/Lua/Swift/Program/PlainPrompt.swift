import BSSCore
import CBSSLua
import Glibc

/// A prompt without a line editor: for `-i` on a pipe, where prompts and echoes go to standard error.
public enum PlainPrompt {
    public static func run(_ context: PromptContext) -> Int32 {
        let state = context.state
        var text = ""
        context.whenReady()
        while true {
            Terminal.error(text.isEmpty ? "bss> " : "..> ")
            guard let line = readLine() else {
                if !text.isEmpty { evaluate(text, state) }
                Terminal.error("\n")
                return 0
            }
            text += (text.isEmpty ? "" : "\n") + line
            if isIncomplete(text, state) { continue }
            evaluate(text, state)
            text = ""
        }
    }

    private static func isIncomplete(_ text: String, _ state: LuaState) -> Bool {
        // What is no expression may still be the beginning of a statement.
        if (try? state.function("return " + text, name: "=stdin")) != nil { return false }
        do { _ = try state.function(text, name: "=stdin") } catch { return "\(error)".hasSuffix("<eof>") }
        return false
    }

    private static func evaluate(_ text: String, _ state: LuaState) {
        do {
            let function =
                // What is no expression is read as statements, whose error is the one to tell.
                try (try? state.function("return " + text, name: "=stdin")) ?? state.function(text, name: "=stdin")
            let results = try function.call([])
            if !results.isEmpty { Terminal.error(try state.texts(results).joined(separator: "\t") + "\n") }
        } catch {
            Terminal.error(ErrorReport.text(BSSError.of(error), sources: ["stdin": text]))
            state.regainControl()
        }
    }
}
