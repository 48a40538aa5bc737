import BSSCore
import BSSLua
import BSSSandbox

/// `bss-lua doctor`: what this build is and finds here, and whether its engine computes what it should.
public enum DoctorCommand {
    public static var command: ProgramCommand {
        ProgramCommand(
            "doctor", "what this build is and finds here, with a short self-test",
            shared: ProgramOption.engine + [ProgramOption.data, ProgramOption.json]
        ) { call in
            let state = try call.state()
            var report = Table(fields: [
                ("version", .string(call.program.version)), ("build", .string(LuaState.buildID)),
                ("lua", .string(LuaState.luaRelease)), ("terminal", .table(terminal)),
                ("data", .table(data(call.options.dataFolders))),
            ])
            report["sandbox"] = .string(sandbox)
            report["engine"] = try state.run("return bss.engine()", name: "=doctor").first ?? .null
            report["devices"] = try state.run(devices, name: "=doctor").first ?? .null
            let failures = checks.compactMap { name, code -> Value? in
                do {
                    guard try state.run(code, name: "=doctor").first?.bool == true else { return .string(name) }
                    return nil
                } catch { return .string("\(name): \(BSSError.of(error).message)") }
            }
            report["checks"] = .int(checks.count)
            report["failed"] = failures.isEmpty ? .int(0) : .list(failures)
            print(call.options.json ? JSON.text(.table(report)) : text(.table(report), indent: ""), terminator: "\n")
            return failures.isEmpty ? 0 : 1
        }
    }

    /// By name: what each is, or what is missing.
    private static let devices =
        "local all = {} for _, d in ipairs(bss.device.list()) do all[d.name] = d.description end return all"

    /// The wall of `run --sandbox`, or why there is none.
    private static var sandbox: String {
        do { return "\(try Wall.here())" } catch { return BSSError.of(error).message }
    }

    private static var terminal: Table {
        let display = Display.output
        return Table(fields: [
            ("is_terminal", .bool(display.isTerminal)), ("columns", .int(display.columns)),
            ("unicode", .bool(display.isUnicode)), ("colours", .int(display.colours)),
        ])
    }

    /// Folders of the data path, and what lies in them.
    private static func data(_ folders: [String]) -> Table {
        Table(
            fields: folders.map { folder in
                // A folder that cannot be read is said to be missing.
                let names = (try? Files.list(folder))?.filter { Files.isFolder("\(folder)/\($0)") }
                return (folder, names.map { .string($0.joined(separator: " ")) } ?? .string("missing"))
            })
    }

    /// Products, derivatives, random streams and a training that learns.
    private static let checks: [(name: String, code: String)] = [
        ("product", "return bss.tensor{ { 1, 2 }, { 3, 4 } }:matmul(bss.tensor{ { 1 }, { 1 } }):sum():item() == 10"),
        (
            "derivative",
            "local x = bss.tensor{ 3 } local g = bss.grad(function() return (x * x):sum() end, { x }) "
                + "return math.abs(g[1]:item() - 6) < 1e-6"
        ),
        (
            "random stream",
            "local a, b = bss.randn{ 8, seed = 1 }, bss.randn{ 8, seed = 1 } return (a - b):abs():sum():item() == 0"
        ),
        (
            "training",
            "local r = bss.train{ data = bss.data.synthetic{ samples = 300 }, epochs = 3, record = false } "
                + "return r.history[3].train.loss < r.history[1].train.loss"
        ),
    ]

    private static func text(_ value: Value, indent: String) -> String {
        guard case .table(let table) = value, !table.isEmpty else { return value.string ?? JSON.lua(value) }
        if table.keys.isEmpty { return table.items.map { text($0, indent: indent) }.joined(separator: "; ") }
        let width = table.fields.reduce(0) { max($0, $1.key.count) } + 2
        let lines = table.fields.map { key, value -> String in
            let inner = value.table.map { !$0.keys.isEmpty } ?? false
            let shown = text(value, indent: indent + "  ")
            return inner ? "\(indent)\(key)\n\(shown)" : indent + Text.padded(key, to: width) + shown
        }
        return lines.joined(separator: "\n")
    }
}
