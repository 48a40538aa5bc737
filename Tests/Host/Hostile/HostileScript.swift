import BSSCore
import BSSLua
import BSSScript

/// A Lua script that calls every public function, part and method with values that nobody means: options by options,
/// and pairs of them. Generated from the declarations, so that what is added is tried; the same seed makes the same
/// calls.
public struct HostileScript {
    public let functions: Int, methods: Int
    /// Object types for which no declared function makes a receiver.
    public let unreached: [String]
    private let catalogue: String

    public init() throws {
        let root = try API.make(LuaState(), RunOptions())
        let all = HostileScript.names(root, "bss")
        var lines: [String] = []
        for (path, function) in all { lines.append(HostileScript.row(path, function, receiver: nil)) }
        functions = lines.count
        var unreached: [String] = []
        for type in root.types {
            let makers = all.compactMap {
                $0.function.returns == type.name ? HostileScript.expression($0.function.example) : nil
            }
            let known = HostileScript.receivers[type.name].map { [$0] } ?? []
            if makers.isEmpty && known.isEmpty && !type.methods.isEmpty { unreached.append(type.name) }
            let list = (known + makers.prefix(4)).map { HostileScript.quoted($0) }.joined(separator: ", ")
            lines.append("makers[\(HostileScript.quoted(type.name))] = { \(list) }")
            for method in type.methods { lines.append(HostileScript.row(method.name, method, receiver: type.name)) }
        }
        methods = root.types.reduce(0) { $0 + $1.methods.count }
        self.unreached = unreached
        catalogue = lines.joined(separator: "\n")
    }

    /// Receivers whose makers would take long, or that another function's result holds.
    private static let receivers = [
        "tensor": "bss.tensor{ { 1, 2, 3 }, { 4, 5, 6 } }", "dataset": "small", "model": "small_model",
        "run": "small_run", "confusion": "small_run:confusion(\"test\")", "extremes": "small_scored:extremes()",
    ]

    private static func names(_ namespace: Namespace, _ path: String) -> [(path: String, function: Function)] {
        (namespace.constructor.map { [(path, $0)] } ?? [])
            + namespace.entries.flatMap { entry -> [(String, Function)] in
                switch entry {
                case .function(let function): return [("\(path).\(entry.name)", function)]
                case .namespace(let inner): return names(inner, "\(path).\(entry.name)")
                case .value: return []
                }
            }
    }

    private static func row(_ path: String, _ function: Function, receiver: String?) -> String {
        let arguments = function.arguments.map { "{ \(quoted($0.name)), \(plain($0)), \($0.isRequired) }" }
        let style = function.style == .options ? "true" : "false"
        let owner = receiver.map(quoted) ?? "nil"
        return "add(\(quoted(path)), \(owner), \(style), { \(arguments.joined(separator: ", ")) })"
    }

    /// A value that the argument takes, as a Lua expression, by what its declaration expects.
    private static func plain(_ argument: any AnyArgument) -> String {
        if let choice = argument.choices.first { return quoted(choice) }
        let expected = argument.expected
        for (start, text) in [
            ("tensor", "bss.tensor{ 1, 2, 3 }"), ("integer", "2"), ("number", "0.5"), ("boolean", "true"),
            ("list of integer", "{ 2, 3 }"), ("list of number", "{ 1, 2, 3 }"), ("list of string", "{ 'a' }"),
            ("list of tensor", "{ bss.ones{ 2 } }"), ("matrix", "{ { 1, 0 }, { 0, 1 } }"),
            ("function", "function() return 0.5 end"),
            ("axis", "1"), ("dtype", "'f32'"), ("dataset", "small"), ("model", "small_model"), ("string", "'x'"),
            ("table of matrices", "{ a = { { 1, 0 } }, b = { { 0, 1 } } }"), ("table", "{}"),
        ] where expected.hasPrefix(start) { return text }
        return "nil"
    }

    /// An example without the `print` around it.
    private static func expression(_ example: String?) -> String? {
        guard let example, example.hasPrefix("print("), example.hasSuffix(")") else { return example }
        return String(example.dropFirst(6).dropLast())
    }

    private static func quoted(_ text: String) -> String { JSON.lua(.string(text)) }

    /// The script; it prints how many calls it made, and names every call on stderr before it makes it.
    public func text(seed: Int, calls: Int) -> String {
        """
        local seed, calls = \(seed), \(calls)
        local small = bss.data.synthetic{ samples = 40, classes = 2, modalities = { a = { dim = 3 }, b = { dim = 2 } } }
        local small_model = bss.model{ a = "mlp", b = "mlp" }:build(small)
        local small_run = bss.train{ data = small, epochs = 1, record = false }
        local small_scored = bss.train{ data = small, epochs = 1, record = false, scheduler = "heuristic" }
        local scope = setmetatable({ small = small, small_model = small_model, small_run = small_run, \
        small_scored = small_scored }, \
        { __index = _G })
        local rows, makers = {}, {}
        local function add(name, owner, options, arguments) rows[#rows + 1] = { name, owner, options, arguments } end

        """ + catalogue + "\n" + HostileScript.body
    }

    private static let body = """
        math.randomseed(seed)
        local cyclic = {}
        cyclic[1], cyclic.self = cyclic, cyclic
        local nested = 1
        for _ = 1, 190 do nested = { nested } end
        local function fails() error("a metamethod of the script") end
        local failing = setmetatable({}, { __index = fails, __newindex = fails, __len = fails, __pairs = fails, \
        __tostring = fails, __eq = fails })
        local hostile = {
          { "mininteger", math.mininteger }, { "maxinteger", math.maxinteger }, { "2^53", 2 ^ 53 }, \
        { "1 << 40", 1 << 40 },
          { "-0.0", -0.0 }, { "nan", 0 / 0 }, { "inf", 1 / 0 }, { "-inf", -1 / 0 }, { "1e300", 1e300 }, { "0.5", 0.5 },
          { "0", 0 }, { "-1", -1 }, { "1", 1 }, { "empty text", "" }, { "NUL", "\\0" }, \
        { "huge text", ("x"):rep(100000) },
          { "bad utf8", "\\xff\\xfe" }, { "cyclic", cyclic }, { "nested", nested }, { "failing", failing }, \
        { "file", io.stdout },
          { "tensor", bss.ones{ 2, 0, 3 } }, { "bools", bss.tensor({ true, false }, "bool") }, \
        { "pace", bss.pace.root{} },
          { "true", true }, { "{}", {} }, { "{nan}", { 0 / 0 } }, { "{maxinteger}", { math.maxinteger } }, \
        { "{-1, 0}", { -1, 0 } },
          { "{x = 1}", { x = 1 } }, { "sparse", { [2 ^ 52] = 1 } }, { "print", print }, { "failing function", fails },
          { "thread", coroutine.create(print) }, { "nil", nil },
        }
        local function receiver(owner)
          for _, text in ipairs(makers[owner] or {}) do
            local made = load("return " .. text, "receiver", "t", scope)
            local ok, value = pcall(made or fails)
            if ok and type(value) == "userdata" then return value end
          end
        end
        local kept = {}
        local function any() return hostile[math.random(#hostile)] end
        local tried, refused, unreached = 0, 0, {}
        for call = 1, calls do
          local name, owner, options, arguments = table.unpack(rows[call <= #rows and call or math.random(#rows)])
          local values, words, target = {}, {}, nil
          local first, second = math.random(0, #arguments), math.random() < 0.5 and math.random(0, #arguments) or -1
          for index, argument in ipairs(arguments) do
            if index == first or index == second then
              local value = any()
              values[index], words[#words + 1] = value[2], argument[1] .. " = " .. value[1]
            elseif argument[3] then
              values[index], words[#words + 1] = argument[2], argument[1]
            end
          end
          if owner then
            -- One receiver in ten is somebody else.
            local value = math.random(10) == 1 and any() or nil
            if not value and not kept[owner] then kept[owner] = receiver(owner) end
            target = value and value[2] or kept[owner]
            words[#words + 1] = "of " .. owner .. (value and " " .. value[1] or "")
            if not target then unreached[owner] = true end
          end
          io.stderr:write("> ", name, "(", table.concat(words, ", "), ")\\n")
          local ok, message = pcall(function()
            local f = owner and kept[owner] and kept[owner][name]
            if not owner then f = load("return " .. name)() end
            local list = {}
            if options and math.random() < 0.7 then
              for index, argument in ipairs(arguments) do list[argument[1]] = values[index] end
              list = { list, n = 1 }
            else
              list = { table.unpack(values, 1, #arguments) }
              list.n = #arguments
            end
            if owner then return f(target, table.unpack(list, 1, list.n)) end
            return f(table.unpack(list, 1, list.n))
          end)
          tried = tried + 1
          if not ok then
            refused = refused + 1
            local known, text = pcall(tostring, message)
            assert(not known or #text > 3, "an error without words")
          end
          if call % 50 == 0 then collectgarbage() end
        end
        local missing = {}
        for owner in pairs(unreached) do missing[#missing + 1] = owner end
        table.sort(missing)
        print(("hostile: seed %d, %d calls of %d functions and methods, %d refused, no receiver for: %s"):format(
          seed, tried, #rows, refused, #missing > 0 and table.concat(missing, ", ") or "none"))

        """
}
