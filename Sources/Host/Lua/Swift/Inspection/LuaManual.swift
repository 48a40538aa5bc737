import CBSSLua

/// Lua's own functions, in a line each: what `print?` shows.
///
/// Source: Lua 5.4 reference manual, section 6, in words of ours.
enum LuaManual {
    static let functions: [(name: String, text: String)] = [
        ("assert", "(v, message = \"assertion failed!\") → its arguments; an error if v is false or nil"),
        ("collectgarbage", "(what = \"collect\", …): collects garbage; \"count\" → KiB in use"),
        ("dofile", "(path) → results: runs a file"),
        ("error", "(message, level = 1): raises an error; level says whose place it names"),
        ("getmetatable", "(x) → its metatable or nil"),
        ("ipairs", "(list): for i, x in ipairs(list) do … end, from 1 to the first nil"),
        ("load", "(text, name, mode, env) → a function, or nil and the syntax error"),
        ("loadfile", "(path, mode, env) → a function, or nil and the error"),
        ("next", "(table, key) → the next key and its value"),
        ("pairs", "(table): for key, value in pairs(table) do … end; here numbers in order, then names in order"),
        ("pcall", "(f, …) → true and the results of f(…), or false and its error"),
        ("print", "(…): writes its arguments by tostring, tabs between them"),
        ("rawequal", "(a, b) → whether they are equal, without metamethods"),
        ("rawget", "(table, key) → the value, without metamethods"),
        ("rawlen", "(table or string) → its length, without metamethods"),
        ("rawset", "(table, key, value) → the table; without metamethods"),
        ("require", "(name) → the module and where it was found; runs it once"),
        ("select", "(n, …) → the arguments from n on; \"#\": how many there are"),
        ("setmetatable", "(table, metatable) → the table"),
        ("tonumber", "(x, base) → a number or nil"),
        ("tostring", "(x) → text"),
        (
            "type",
            "(x) → \"nil\", \"number\", \"string\", \"boolean\", \"table\", \"function\", \"thread\" or \"userdata\""
        ),
        ("warn", "(…): writes a warning"),
        ("xpcall", "(f, handler, …) → as pcall, the error handed to handler first"),
        ("coroutine.close", "(co) → true, or false and an error; closes what waits"),
        ("coroutine.create", "(f) → a coroutine"),
        ("coroutine.isyieldable", "() → whether this can yield"),
        ("coroutine.resume", "(co, …) → true and what it yields or returns, or false and its error"),
        ("coroutine.running", "() → this coroutine, and whether it is the main one"),
        ("coroutine.status", "(co) → \"running\", \"suspended\", \"normal\" or \"dead\""),
        ("coroutine.wrap", "(f) → a function that resumes it"),
        ("coroutine.yield", "(…) → what resume is given next"),
        ("io.flush", "(): writes what waits"), ("io.close", "(file): closes it"),
        ("io.input", "(file or path) → the standard input"),
        ("io.lines", "(path, …): for line in io.lines(path) do … end"),
        ("io.open", "(path, mode = \"r\") → a file, or nil and the reason; modes r, w, a, r+, w+, a+, with b"),
        ("io.output", "(file or path) → the standard output"),
        ("io.popen", "(command, mode = \"r\") → a file that a program writes or reads"),
        (
            "io.read",
            "(…) → from the standard input: \"l\" a line, \"L\" with its end, \"n\" a number, \"a\" all, or a count"
        ),
        ("io.tmpfile", "() → a file that goes with the program"),
        ("io.type", "(x) → \"file\", \"closed file\" or nil"),
        ("io.write", "(…): writes to the standard output, nothing between"),
        ("math.abs", "(x) → its magnitude"), ("math.ceil", "(x) → the integer above"),
        ("math.acos", "(x) → the arc cosine, in radians"), ("math.asin", "(x) → the arc sine, in radians"),
        ("math.atan", "(y, x = 1) → the arc tangent of y / x, in radians"),
        ("math.cos", "(x) → the cosine of radians"), ("math.sin", "(x) → the sine of radians"),
        ("math.tan", "(x) → the tangent of radians"), ("math.deg", "(x) → radians in degrees"),
        ("math.rad", "(x) → degrees in radians"), ("math.exp", "(x) → e^x"), ("math.sqrt", "(x) → the square root"),
        ("math.floor", "(x) → the integer below"), ("math.fmod", "(x, y) → the remainder, rounded toward zero"),
        ("math.log", "(x, base = e) → the logarithm"), ("math.max", "(x, …) → the largest"),
        ("math.min", "(x, …) → the smallest"), ("math.modf", "(x) → its integral and its fractional part"),
        ("math.random", "(m, n) → a number in [0, 1), an integer from 1 to m or from m to n"),
        ("math.atan2", "(y, x): of Lua 5.2; math.atan(y, x)"), ("math.pow", "(x, y): of Lua 5.2; x ^ y"),
        ("math.log10", "(x): of Lua 5.2; math.log(x, 10)"), ("math.cosh", "(x) → the hyperbolic cosine"),
        ("math.sinh", "(x) → the hyperbolic sine"), ("math.tanh", "(x) → the hyperbolic tangent"),
        ("math.frexp", "(x): of Lua 5.2; → m and e with x = m * 2^e"),
        ("math.ldexp", "(m, e): of Lua 5.2; m * 2.0^e"),
        ("math.randomseed", "(seed): begins the stream anew"),
        ("math.tointeger", "(x) → the integer that x is, or nil"),
        ("math.type", "(x) → \"integer\", \"float\" or nil"), ("math.ult", "(m, n) → m < n without signs"),
        ("os.clock", "() → seconds of CPU time"), ("os.date", "(format, time) → the date as text; \"*t\": as a table"),
        ("os.difftime", "(later, earlier) → seconds between them"),
        ("os.execute", "(command) → true or nil, \"exit\" or \"signal\", and the number"),
        ("os.exit", "(code = true): ends the program"), ("os.getenv", "(name) → a variable of the environment or nil"),
        ("os.remove", "(path) → true, or nil and the reason"),
        ("os.rename", "(from, to) → true, or nil and the reason"),
        ("os.setlocale", "(locale) → \"C\": numbers are written one way"),
        ("os.time", "(table) → seconds since 1970"), ("os.tmpname", "() → a path for a file of your own"),
        ("string.byte", "(s, i = 1, j = i) → the bytes at i … j"), ("string.char", "(…) → the bytes as text"),
        ("string.dump", "(f, strip) → its compiled form"),
        ("string.find", "(s, pattern, init = 1, plain) → start, end and captures, or nil"),
        (
            "string.format",
            "(format, …) → text: %d %i integers, %g %f %e numbers, %s any value, %q quoted, %x hexadecimal"
        ),
        ("string.gmatch", "(s, pattern): for match in s:gmatch(pattern) do … end"),
        ("string.gsub", "(s, pattern, by, n) → the text and how often; by: text, table or function"),
        ("string.len", "(s) → its bytes"), ("string.lower", "(s) → in small letters"),
        ("string.match", "(s, pattern, init = 1) → the captures or the match, or nil"),
        ("string.pack", "(format, …) → bytes"), ("string.packsize", "(format) → how many bytes"),
        ("string.rep", "(s, n, separator = \"\") → n times s"), ("string.reverse", "(s) → backwards"),
        ("string.sub", "(s, i, j = -1) → the bytes i … j; negative ones count from the end"),
        ("string.unpack", "(format, s, at = 1) → the values, and where the next begins"),
        ("string.upper", "(s) → in capitals"),
        ("table.concat", "(list, separator = \"\", i, j) → text"),
        ("table.insert", "(list, at = #list + 1, value): puts a value in"),
        ("table.move", "(from, first, last, at, to = from) → to"), ("table.pack", "(…) → { n = …, … }"),
        ("table.remove", "(list, at = #list) → the value taken out"),
        ("table.sort", "(list, less): sorts in place; less(a, b): whether a comes first"),
        ("table.unpack", "(list, i = 1, j = #list) → its values"),
        ("utf8.char", "(…) → code points as text"), ("utf8.codepoint", "(s, i = 1, j = i) → code points"),
        ("utf8.codes", "(s): for at, code in utf8.codes(s) do … end"),
        ("utf8.len", "(s, i = 1, j = -1) → characters, or nil and where it is no UTF-8"),
        ("utf8.offset", "(s, n, i) → the byte where the n-th character begins"),
    ]
}

extension LuaState {
    /// What is known of a function of Lua's own, or of a library of them.
    func standardHelp(of value: LuaValue) -> String? {
        let known = LuaManual.functions.filter { entry in
            let path = entry.name.split(separator: ".").map(String.init)
            return isSame(value, path) || (value.type == "table" && isSame(value, path.dropLast()))
        }
        return known.isEmpty ? nil : known.map { $0.name + $0.text }.joined(separator: "\n")
    }

    /// Whether the global at `path` is the value, by raw access.
    private func isSame(_ value: LuaValue, _ path: [String]) -> Bool {
        guard !path.isEmpty else { return false }
        // On a full stack nothing is the same: the function has no help then.
        let isSame = try? balanced { L -> Bool in
            bss_lua_push_globals(L)
            for step in path {
                guard bss_lua_raw_get(L, -1, step) != LUA_TNIL else { return false }
                if step == path.last { break }
                guard lua_type(L, -1) == LUA_TTABLE else { return false }
            }
            value.push(on: L)
            return lua_rawequal(L, -1, -2) != 0
        }
        return isSame ?? false
    }
}
