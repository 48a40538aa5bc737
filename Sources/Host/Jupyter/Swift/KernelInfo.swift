import BSSCore
import BSSLua

/// What the kernel says of itself.
enum KernelInfo {
    /// Set once, before any thread is started.
    nonisolated(unsafe) static var version = ""

    static var content: Table {
        let lua = String(LuaState.luaRelease.drop { !$0.isNumber })
        return Table(fields: [
            ("status", .string("ok")), ("protocol_version", .string(Message.version)),
            ("implementation", .string("bss-lua")), ("implementation_version", .string(version)),
            (
                "language_info",
                .fields([
                    ("name", .string("lua")), ("version", .string(lua)), ("mimetype", .string("text/x-lua")),
                    ("file_extension", .string(".lua")), ("pygments_lexer", .string("lua")),
                    ("codemirror_mode", .string("lua")),
                ])
            ),
            ("banner", .string("bss-lua \(version), \(LuaState.luaRelease).  ?name help   %help commands")),
            ("debugger", .bool(false)), ("help_links", Message.emptyList),
        ])
    }

    static func error(_ name: String, _ message: String, _ traceback: [String] = []) -> Table {
        Table(fields: [
            ("status", .string("error")), ("ename", .string(name)), ("evalue", .string(message)),
            ("traceback", traceback.isEmpty ? Message.emptyList : .list(traceback)),
        ])
    }
}
