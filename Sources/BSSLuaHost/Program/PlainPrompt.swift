import BSSCore
import CBSSLua
import Glibc

/// A prompt without a line editor: for `-i` on a pipe, where prompts and echoes go to standard error.
public enum PlainPrompt {
    public static func run(_ state: LuaState, _ namespace: Namespace, _ options: RunOptions) -> Int32 {
        var text = ""
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
        if (try? state.function("return " + text, name: "=stdin")) != nil { return false }
        do { _ = try state.function(text, name: "=stdin") } catch { return "\(error)".hasSuffix("<eof>") }
        return false
    }

    private static func evaluate(_ text: String, _ state: LuaState) {
        do {
            let function = try (try? state.function("return " + text, name: "=stdin")) ?? state.function(text, name: "=stdin")
            let results = try function.call([])
            if !results.isEmpty { Terminal.error(try state.texts(results).joined(separator: "\t") + "\n") }
        } catch {
            Terminal.error(ErrorReport.text(error as? BSSError ?? BSSError("", "\(error)"), sources: ["stdin": text]))
            state.regainControl()
        }
    }
}

extension LuaState {
    /// Each value as `tostring` gives it.
    public func texts(_ values: [Value]) throws -> [String] {
        try balanced { L in
            try values.map { value in
                try push(value, on: L)
                var length = 0
                bss_lua_push_text(L, -1, &length)
                defer { bss_lua_pop(L, 2) }
                return string(at: -1, on: L)
            }
        }
    }
}
