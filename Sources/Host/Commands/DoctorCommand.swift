import BSSCore
import BSSLua
import BSSPlot
import BSSSandbox
import Glibc

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
            if let card = try state.run("return bss.device.card()", name: "=doctor").first, card.table != nil {
                report["card"] = card
            }
            report["libraries"] = .table(libraries)
            let start = Clock.seconds()
            let failures = checks.compactMap { name, code -> Value? in
                do {
                    guard try state.run(code, name: "=doctor").first?.bool == true else { return .string(name) }
                    return nil
                } catch { return .string("\(name): \(BSSError.of(error).message)") }
            }
            report["checks"] = .int(checks.count)
            report["failed"] = failures.isEmpty ? .int(0) : .list(failures)
            report["seconds"] = .number(Clock.seconds() - start)
            print(call.options.json ? JSON.text(.table(report)) : page(report))
            return failures.isEmpty ? 0 : 1
        }
    }

    /// What is opened when it is first needed, and what for.
    private static var libraries: Table {
        let known = [
            ("readline", ["libreadline.so.8", "libreadline.so.7"], "editing at the prompt", "libreadline8"),
            ("libzmq", ["libzmq.so.5"], "the Jupyter kernel", "libzmq5"),
            ("libsndfile", ["libsndfile.so.1"], "sound files that are no WAV", "libsndfile1"),
            ("OpenBLAS", ["libopenblas.so.0"], "BSS_BLAS=openblas", "libopenblas0"),
        ]
        return Table(
            fields: known.map { name, files, use, package in
                let isThere = files.contains { file in
                    guard let handle = dlopen(file, RTLD_LAZY | RTLD_LOCAL) else { return false }
                    dlclose(handle)
                    return true
                }
                return (name, .string(isThere ? "found" : "missing: \(use) needs it (package \(package))"))
            } + [("gnuplot", .string(Gnuplot.find() ?? "missing: PDF and PNG figures need it"))])
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
            "large product",
            "local a, b = bss.randn{ 257, 301, seed = 1 }, bss.randn{ 301, 129, seed = 2 } "
                + "local c, sum = a:matmul(b), 0 for k = 1, 301 do sum = sum + a[257][k] * b[k][129] end "
                + "return math.abs(c[257][129] - sum) < 1e-3"
        ),
        (
            "training",
            "local r = bss.train{ data = bss.data.synthetic{ samples = 300 }, epochs = 3, record = false } "
                + "return r.history[3].train.loss < r.history[1].train.loss"
        ),
        (
            "the same bits twice",
            "local function hash() return bss.train{ data = bss.data.synthetic{ samples = 300 }, epochs = 2, "
                + "scheduler = \"learned\", record = false }.parameters_hash end return hash() == hash()"
        ),
        (
            "a saved model",
            "local d, path = bss.data.synthetic{ samples = 120 }, os.tmpname() "
                + "local m = bss.model{ strong = \"mlp\", weak = \"mlp\" }:build(d) m:save(path) "
                + "local same = bss.model.load(path):predict(d).logits == m:predict(d).logits "
                + "os.remove(path) return same"
        ),
    ]

    /// The report for readers: the last lines say how the self-test went.
    private static func page(_ report: Table) -> String {
        var facts = report
        let failed = report["failed"]?.table?.items.compactMap(\.string) ?? []
        for key in ["checks", "failed", "seconds"] { facts[key] = nil }
        let checks = report["checks"]?.int ?? 0
        let seconds = Text.fixed(report["seconds"]?.double ?? 0, 2)
        let end = "self-test  \(checks - failed.count) of \(checks) checks passed in \(seconds) s"
        return ([text(.table(facts), indent: ""), end] + failed.map { "  failed: \($0)" }).joined(separator: "\n")
    }

    private static func text(_ value: Value, indent: String) -> String {
        guard case .table(let table) = value else { return value.string ?? JSON.lua(value) }
        guard !table.isEmpty else { return "none found" }
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
