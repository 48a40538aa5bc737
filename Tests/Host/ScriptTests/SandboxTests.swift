import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// `run --sandbox`: scripts of strangers are refused or stopped, and nothing outside is touched.
@Suite(.oneAtATime) struct SandboxTests {
    /// What a script tries; each line must print `refused`.
    private static let corpus = """
        local secret = "../secret.txt"
        local function attempt(name, f)
          local ok, result = pcall(f)
          print(name, (ok and result) and "DONE" or "refused")
        end
        attempt("read a key", function() return io.open(secret) end)
        attempt("read /etc/shadow", function() return io.open("/etc/shadow") end)
        attempt("lines of a key", function() return io.lines(secret) end)
        attempt("input from a key", function() return io.input(secret) end)
        attempt("write outside", function() return io.open("../new.txt", "w") end)
        attempt("write beside the script", function() return io.open("new.txt", "w") end)
        attempt("change the script", function() return io.open(arg[0], "a") end)
        attempt("output to outside", function() return io.output("../new.txt") end)
        attempt("empty a readable file", function() return io.open("mod.lua", "w") end)
        attempt("remove", function() return os.remove(secret) end)
        attempt("remove the script", function() return os.remove(arg[0]) end)
        attempt("rename", function() return os.rename(secret, "out/mine") end)
        attempt("link into the folder", function() return os.rename("mod.lua", "out/mine") end)
        attempt("a hidden file", function() return io.open(".env") end)
        attempt("temporary file", function() return io.tmpfile() end)
        attempt("temporary name", function() return os.tmpname() end)
        attempt("execute", function() return os.execute("true") end)
        attempt("popen", function() return io.popen("id") end)
        attempt("native code", function() return package.loadlib("/usr/lib/x86_64-linux-gnu/libm.so.6", "*") end)
        attempt("native module", function() package.cpath = "./?.so" return require "native" end)
        attempt("bytecode text", function() return load("\\27Lua") end)
        attempt("bytecode piecewise", function()
          local pieces = { "\\27Lua" }
          return load(function() return table.remove(pieces) end, "x", "b")
        end)
        attempt("bytecode file", function() return loadfile("code.luac", "bt") end)
        attempt("bytecode dofile", function() return dofile("code.luac") or true end)
        attempt("bytecode module", function() package.path = "./?.luac" return require "code" end)
        attempt("dump", function() return string.dump(function() end) end)
        attempt("registry", function() return debug.getregistry() end)
        attempt("metatable of an object", function() return debug.setmetatable(bss.zeros{ 1 }, {}) end)
        attempt("upvalues of the host", function() return debug.getupvalue(io.open, 1) end)
        attempt("hook", function() debug.sethook(function() end, "", 1) return true end)
        attempt("environment", function() return os.getenv("SECRET") or os.getenv("HOME") end)
        attempt("variables of others", function()
          for _, process in ipairs{ "self", "1", "2" } do
            local ok, file = pcall(io.open, "/proc/" .. process .. "/environ")
            if ok and file and file:read("a"):find("SECRET") then return true end
          end
        end)
        attempt("memory of the process", function() return io.open("/proc/self/mem", "r+") end)
        attempt("data reader", function() return bss.data.csv{ path = secret } end)
        attempt("array reader", function() return bss.data.npz{ path = secret } end)
        attempt("saved model", function()
          local run = bss.train{ data = bss.data.synthetic{ samples = 60 }, epochs = 1, record = false }
          run.model:save("../model.safetensors")
          return true
        end)
        attempt("figure", function() return bss.plot.line{ y = { 1, 2 } }:save("../figure") end)
        package.path = "./?.lua"
        print("own module", require "mod")
        local own = assert(io.open("out/mine.txt", "w"))
        own:write("kept")
        own:close()
        print("\\27[2J\\27]0;title\\7bell")
        """

    private func program() throws -> (program: BuiltProgram, folder: String) {
        let program = try BuiltProgram()
        let folder = program.folder + "/inner"
        for name in ["inner", "inner/out"] { try Files.makeFolder("\(program.folder)/\(name)") }
        try program.write("secret.txt", "key")
        try program.write("inner/.env", "KEY=1")
        try program.write("inner/mod.lua", "return 'module'")
        try program.write("inner/native.so", "\u{7F}ELF")
        try program.write("inner/code.luac", "\u{1B}LuaT")
        try program.write("inner/hostile.lua", Self.corpus)
        return (program, folder)
    }

    private func run(_ program: BuiltProgram, _ words: String, _ wall: String) throws -> BuiltProgram.Outcome {
        try program.shell(
            "cd inner && SECRET=x HOME=\(program.folder) BSS_SANDBOX=\(wall) '\(BuiltProgram.path)' \(words)")
    }

    /// Every file below a folder with its content.
    private func snapshot(_ folder: String) throws -> [String: String] {
        var found: [String: String] = [:]
        for case let name as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
            let path = "\(folder)/\(name)"
            guard Files.isFile(path), !name.hasPrefix("inner/out/"), !name.hasPrefix(".") else { continue }
            found[name] = try Files.readText(path)
        }
        return found
    }

    @Test("what a hostile script tries is refused behind either wall, and nothing outside is touched")
    func corpus() throws {
        var walls = 0
        for wall in ["landlock", "bubblewrap"] {
            let (program, _) = try program()
            defer { program.remove() }
            let before = try snapshot(program.folder)
            let outcome = try run(program, "run --sandbox --out out hostile.lua", wall)
            if outcome.code == 9, outcome.errors.contains("no sandbox here") { continue }
            walls += 1
            #expect(outcome.code == 0, "\(wall): \(outcome.summary)")
            let lines = outcome.output.split(separator: "\n").map(String.init)
            #expect(lines.filter { $0.hasSuffix("\trefused") }.count == 37, "\(wall): \(outcome.output)")
            #expect(!outcome.output.contains("DONE"), "\(wall): \(outcome.output)")
            #expect(outcome.output.contains("own module\tmodule") && outcome.output.contains("^[[2J^[]0;title^Gbell"))
            #expect(!outcome.output.contains("\u{1B}"))
            #expect(try snapshot(program.folder) == before, "\(wall)")
            #expect(try Files.readText(program.folder + "/inner/out/mine.txt") == "kept")
        }
        print("hostile scripts, walls that this machine has: \(walls) of 2")
        #expect(walls > 0)
    }

    @Test(
        "limits end a script that catches everything: exit 7",
        arguments: [
            ("while true do pcall(function() while true do end end) end", "--max-time 1", "1 s"),
            ("while true do pcall(string.find, ('a'):rep(30), ('a-'):rep(30) .. 'b') end", "--max-time 1s", "1 s"),
            (
                "local t = {} while true do pcall(function() t[#t + 1] = ('x'):rep(1e7 + #t) end) end",
                "--max-memory 300M", "of memory"
            ),
            ("while true do pcall(string.rep, 'x', 1e12) end", "--max-time 20", "of memory"),
            ("while true do pcall(print, ('x'):rep(1000)) end", "--max-output 1M", "1 MiB of output"),
            ("while true do pcall(io.stderr.write, io.stderr, 'x') end", "--max-output 1M", "1 MiB of output"),
            (
                """
                local t = {} while true do pcall(function() t[#t + 1] = bss.zeros{ 1000, 1000 } + 1 end) end
                """, "--max-memory 300M", "of memory"
            ),
            (
                """
                for i = 1, 1e9 do
                  local file <close> = io.open("out/" .. i, "w")
                  file:write(("x"):rep(1e6))
                end
                """,
                "--max-disk 20M", "20 MiB written"
            ),
        ])
    func limits(_ script: String, _ options: String, _ words: String) throws {
        let (program, _) = try program()
        defer { program.remove() }
        try program.write("inner/limit.lua", script)
        let outcome = try run(
            program, "run --sandbox --out out \(options) limit.lua | tail -c 100; exit ${PIPESTATUS[0]}", "auto")
        #expect(outcome.code == 7 && outcome.errors.contains(words), "\(outcome.summary)")
        #expect(outcome.seconds < 30)
    }

    @Test("an experiment's table is the same inside; refused calls are Lua errors; exit codes pass")
    func usual() throws {
        let (program, _) = try program()
        defer { program.remove() }
        try program.write(
            "inner/study.lua",
            """
            print(bss.experiment{
              name = "study", seeds = 2, metrics = { "test.total.accuracy" }, arms = { { name = "a" }, { name = "b" } },
              run = function(p, arm, seed)
                return bss.train{ name = arm.name, data = bss.data.synthetic{ samples = 120 }, epochs = 2, seed = seed }
              end,
            })
            """)
        let inside = try run(program, "run --sandbox study.lua --out out", "auto")
        let outside = try run(program, "study.lua --out ../outside", "auto")
        #expect(inside.code == 0 && outside.code == 0, "\(inside.summary) \(outside.summary)")
        #expect(
            try Files.readText(program.folder + "/inner/out/results/tables/study.csv")
                == Files.readText(program.folder + "/outside/results/tables/study.csv"))
        try program.write("inner/error.lua", "os.execute('true')")
        let error = try run(program, "run --sandbox error.lua", "auto")
        #expect(
            error.code == 1 && error.errors.contains("error.lua:1: os.execute: the sandbox refuses"), "\(error.summary)"
        )
        try program.write("inner/exit.lua", "os.exit(42)")
        #expect(try run(program, "--sandbox exit.lua", "auto").code == 42)
        #expect(try run(program, "run --sandbox code.luac", "auto").code == 1)
        try program.write("inner/leave.lua", "bss.train{ data = bss.data.synthetic{}, epochs = 10000 }")
        let left = try program.run(
            ["run", "--sandbox", "--max-time", "30", "--out", "left", "inner/leave.lua", "--quiet"],
            interrupt: (2, SIGUSR1))
        #expect(left.code == 75, "\(left.summary)")
    }

    @Test("no sandbox: exit 9, and why; what cannot be inside is said")
    func refusals() throws {
        let (program, _) = try program()
        defer { program.remove() }
        for (words, wall, code, text) in [
            ("run --sandbox hostile.lua", "none", 9, "no sandbox here: BSS_SANDBOX=none"),
            ("run --sandbox hostile.lua", "landlock:1", 9, "no sandbox here: Landlock 1 lets no file move"),
            ("run --sandbox hostile.lua", "landlock:0", 9, "no sandbox here: this kernel has no Landlock"),
            ("run --sandbox hostile.lua", "what", 2, "expects auto, landlock"),
            ("run --sandbox hostile.lua -j 2", "auto", 2, "no -j"),
            ("run --sandbox hostile.lua --device cuda", "auto", 2, "no graphics card"),
            ("run --sandbox -", "auto", 2, "runs a script from a file"),
            ("--sandbox -i", "auto", 2, "runs a script from a file"),
            ("run hostile.lua --max-time 3", "auto", 2, "--max-time: is a limit of --sandbox"),
            ("run --sandbox --max-time soon hostile.lua", "auto", 2, "expects a time such as"),
            ("run --sandbox missing.lua", "auto", 2, "cannot open the script 'missing.lua'"),
        ] {
            let outcome = try run(program, words, wall)
            #expect(Int(outcome.code) == code && outcome.errors.contains(text), "\(words): \(outcome.summary)")
        }
    }
}
