import BSSCore
import BSSSandbox
import CBSSLua
import Glibc

/// The libraries of a script that is shut in. The wall is the process's (`Jail`); what stands here says in Lua's words
/// what it would refuse, and keeps out what no wall sees: bytecode, native code, and `debug`, by which a script could
/// confuse the types of host objects.
extension LuaState {
    func confine() throws {
        bss_lua_when_out_of_memory {
            Terminal.error("bss-lua: ended at the sandbox's limit of memory\n")
            _exit(Jail.limitCode)
        }
        try run(LuaState.confinement, name: "=(sandbox)")
    }

    private static let confinement = """
        local open, lines, input, output, remove, rename = io.open, io.lines, io.input, io.output, os.remove, os.rename
        local load, loadfile, searchpath, select, type, error = load, loadfile, package.searchpath, select, type, error
        local denied = { [1] = true, [13] = true, [16] = true, [18] = true, [30] = true }

        local function refuse(name, what) error(name .. ": the sandbox refuses " .. what, 3) end
        local function refuser(name, what) return function() refuse(name, what) end end
        local function checked(name, path, result, why, code)
          if result == nil and denied[code] then
            refuse(name, path .. ": a script reads its own folder and --data, and writes below --out")
          end
          return result, why, code
        end
        local function try(name, path, mode)
          local file = checked(name, path, open(path, mode))
          if file then file:close() end
        end

        io.open = function(path, ...) return checked("io.open", path, open(path, ...)) end
        io.lines = function(path, ...)
          if type(path) == "string" then try("io.lines", path) end
          return lines(path, ...)
        end
        io.input = function(file)
          if type(file) == "string" then try("io.input", file) end
          return input(file)
        end
        io.output = function(file)
          if type(file) == "string" then try("io.output", file, "a") end
          return output(file)
        end
        os.remove = function(path) return checked("os.remove", path, remove(path)) end
        os.rename = function(from, to) return checked("os.rename", from, rename(from, to)) end
        os.execute = function(command)
          if command == nil then return false end
          refuse("os.execute", "to start programs")
        end
        io.popen = refuser("io.popen", "to start programs")
        io.tmpfile = refuser("io.tmpfile", "files outside the run folder")
        os.tmpname = refuser("os.tmpname", "files outside the run folder")
        string.dump = refuser("string.dump", "bytecode")
        package.loadlib = refuser("package.loadlib", "native code")

        _G.load = function(chunk, name, _, ...) return load(chunk, name, "t", ...) end
        _G.loadfile = function(path, _, ...) return loadfile(path, "t", ...) end
        dofile = function(path)
          local chunk, why = loadfile(path, "t")
          if not chunk then error(why, 0) end
          return chunk()
        end
        package.cpath = ""
        package.searchers[4], package.searchers[3] = nil, nil
        package.searchers[2] = function(name)
          local path, why = searchpath(name, package.path)
          if not path then return why end
          local chunk, problem = loadfile(path, "t")
          if not chunk then
            error(("error loading module '%s' from file '%s':\\n\\t%s"):format(name, path, problem), 0)
          end
          return chunk, path
        end
        debug = { traceback = debug.traceback, getinfo = debug.getinfo }
        package.loaded.debug = debug
        """
}
