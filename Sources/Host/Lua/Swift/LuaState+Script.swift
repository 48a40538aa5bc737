import BSSCore
import CBSSLua

/// What a program around the state needs: arguments, modules, interrupts.
extension LuaState {
    /// The `arg` table.
    func setArguments(_ entries: [(Int, String)]) {
        let L = main
        bss_lua_push_globals(L)
        bss_lua_new_table(L)
        for (position, text) in entries {
            push(text, on: L)
            lua_rawseti(L, -2, lua_Integer(position))
        }
        bss_lua_raw_set(L, -2, "arg")
        bss_lua_pop(L, 1)
    }

    /// Modules beside the script are found after those of the working folder.
    func addModuleFolder(of script: String) {
        guard let slash = script.lastIndex(of: "/") else { return }
        let L = main
        let top = lua_gettop(L)
        defer { lua_settop(L, top) }
        bss_lua_push_globals(L)
        guard bss_lua_raw_get(L, -1, "package") == LUA_TTABLE, bss_lua_raw_get(L, -1, "path") == LUA_TSTRING else {
            return
        }
        let path = string(at: -1, on: L)
        push("\(path);\(script[..<slash])/?.lua", on: L)
        bss_lua_raw_set(L, -3, "path")
    }

    /// `-l`: global = require(module)
    func require(_ module: String, as global: String) throws {
        try balanced { L in
            bss_lua_push_globals(L)
            guard bss_lua_raw_get(L, -1, "require") == LUA_TFUNCTION else { throw BSSError("", "'require' is missing") }
            push(module, on: L)
            try protectedCall(arguments: 1, results: 1, on: L)
            bss_lua_raw_set(L, -2, global)
        }
    }

    /// After an interrupt: the host is in charge, code may run again.
    public func regainControl() {
        if bss_lua_signal_pending() != 0 { lastSignal = bss_lua_signal_pending() }
        bss_lua_signals_clear(main)
        Cancellation.clear()
    }

    /// From now on a signal stops this state's code.
    public func watchSignals() { bss_lua_signals_watch(host) }

    /// Runs a training that keeps checkpoints: TERM, HUP, USR1 and USR2 let it come to its next checkpoint. When one of
    /// them came, the script's code is stopped by it afterwards.
    public func leavingAtCheckpoints<R>(_ body: () throws -> R) rethrows -> R {
        bss_lua_signals_can_leave(true)
        defer {
            let signal = bss_lua_signals_leaving()
            bss_lua_signals_can_leave(false)
            if signal != 0, bss_lua_signal_pending() == 0 { bss_lua_request_stop(signal) }
        }
        return try body()
    }

    /// The signal that asks the running script to stop; 0: none.
    public var stopSignal: Int32 { bss_lua_signal_pending() }

    /// True while a signal asks the running script to stop.
    public var isStopping: Bool { bss_lua_signal_pending() != 0 }
}
