import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// Whatever decides a run's numbers gives it another name when it changes; what does not decide them does not.
@Suite(.oneAtATime) struct RunIdentityTests {
    private func program(_ script: String, _ files: [String: String] = [:]) throws -> BuiltProgram {
        let program = try BuiltProgram()
        for (name, text) in files.merging(["train.lua": script], uniquingKeysWith: { $1 }) {
            try program.write(name, text)
        }
        return program
    }

    private static let plain = """
        local p = bss.params{ k = 50 }
        local data = bss.data.synthetic{ samples = 80 }
        local function share() return p.k / 100 end
        local run = bss.train{ data = data, epochs = 2, scheduler = \
        bss.scheduler.random{ pace = bss.pace.custom(function(t) return share() end) } }
        print(run.id, #run.history, run.history[2].samples)
        """

    /// The run's id and samples; how it was come by is on standard error.
    private func run(
        _ program: BuiltProgram, _ options: [String] = []
    ) throws -> (id: String, line: String, errors: String) {
        let outcome = try program.run(["--progress", "none", "--out", "runs"] + options + ["train.lua"])
        #expect(outcome.code == 0, "\(outcome.summary)")
        return (outcome.output.split(separator: "\t").first.map(String.init) ?? "", outcome.output, outcome.errors)
    }

    @Test("--set that only a closure uses: another run, named, and not the old result")
    func parameters() throws {
        let program = try program(Self.plain)
        defer { program.remove() }
        let first = try run(program)
        #expect(try run(program).line == first.line && run(program, ["--resume"]).line == first.line)
        let other = try run(program, ["--resume", "--set", "k=20"])
        #expect(other.id != first.id && other.line != first.line, "\(other.line)")
        #expect(other.errors.contains("k = 20, was 50"), "\(other.errors)")
        #expect(try run(program, ["--set", "k=50"]).id == first.id)
        #expect(try Files.list(program.folder + "/runs/runs").sorted() == [first.id, other.id].sorted())
    }

    @Test("comments and layout do not count; code of the script, of modules and of -e does")
    func sources() throws {
        let module = "local m = {}\nfunction m.share() return 0.5 end\nreturn m\n"
        let script = """
            local m = require "share"
            local data = bss.data.synthetic{ samples = 80 }
            local run = bss.train{ data = data, epochs = 2, scheduler = \
            bss.scheduler.random{ pace = bss.pace.custom(function(t) return m.share() end) } }
            print(run.id, run.history[2].samples)
            """
        let program = try program(script, ["share.lua": module])
        defer { program.remove() }
        let first = try run(program)
        try program.write(
            "train.lua", "-- a remark\n\n" + script.replacingOccurrences(of: "epochs = 2", with: "epochs  =  2"))
        try program.write("share.lua", "-- another\n" + module)
        #expect(try run(program).line == first.line)
        try program.write("share.lua", module.replacingOccurrences(of: "0.5", with: "0.25"))
        let changed = try run(program, ["--resume"])
        #expect(
            changed.id != first.id && changed.line != first.line
                && changed.errors.contains("'share.lua' changed (tokens differ at line 2)"))
        try program.write("share.lua", module)
        try program.write("train.lua", script + "\nprint(1)")
        #expect(try run(program).id != first.id)
        try program.write("train.lua", script)
        #expect(try run(program).id == first.id)
        let with = try run(program, ["-e", "SHARE = 1"])
        #expect(try with.id != first.id && run(program, ["-e", "SHARE = 2"]).id != with.id)
        let record = try program.read("runs/runs/\(first.id)/run.json")
        #expect(record["code"]?.table?.keys.sorted() == ["share.lua", "train.lua"])
        #expect(record.value(atPath: "engine.build")?.string?.count == 16)
        let order = record.value(atPath: "streams.order")?.table
        #expect(order?["key"]?.string?.count == 16 && order?["blocks"]?.int ?? 0 > 0)
    }

    @Test("what a function reads while it trains counts: files that it loads or opens, the environment")
    func reads() throws {
        let readers = [
            #"dofile("factor.lua")"#, #"require("factor")"#, #"loadfile("factor.lua")()"#,
            #"tonumber(io.open("factor.lua"):read("a"):match("%d+"))"#,
            #"tonumber(io.lines("factor.lua")():match("%d+"))"#,
            #"tonumber(os.getenv("FACTOR"))"#,
        ]
        for reader in readers {
            let training = """
                bss.train{ data = data, epochs = 1, loss = function(out, labels)
                  return bss.cross_entropy(out.fused, labels) * \(reader)
                end }
                """
            let seeded = training.replacing("epochs = 1", with: "epochs = 1, seed = seed")
            let program = try program(
                "local data = bss.data.synthetic{ samples = 60 }\nlocal run = \(training)\n"
                    + "print(run.history[1].train.loss)\n"
                    + "local e = bss.experiment{ name = \"e\", seeds = 2, metrics = { \"train.total.loss\" }, "
                    + "run = function(_, _, seed) return \(seeded) end }\n"
                    + "print(table.concat(e:values(\"run\", \"train.total.loss\"), \" \"))")
            defer { program.remove() }
            func lines(_ factor: Int) throws -> (text: String, errors: String) {
                try program.write("factor.lua", "return \(factor)")
                let outcome = try program.run(
                    ["--out", "runs", "train.lua"], environment: ["FACTOR": "\(factor)"])
                #expect(outcome.code == 0, "\(reader): \(outcome.summary)")
                return (outcome.output, outcome.errors)
            }
            let first = try lines(1)
            let changed = try lines(5)
            #expect(changed.text != first.text && changed.errors.contains("which changed"), "\(reader)")
            let back = try lines(1)
            #expect(back.text == first.text && back.errors.contains("reused"), "\(reader): \(back.errors)")
            #expect(try lines(5).text == changed.text)
        }
    }

    @Test("variables that a closure reaches count, through tables, functions, globals and cycles")
    func upvalues() throws {
        let script = """
            local value = tonumber(os.getenv("WHAT"))
            local deep = { list = { 1, 2, { value = value } } }
            deep.self, deep[deep] = deep, true
            shared = { deep = deep }
            local function helper() return shared.deep.list[3].value end
            local counted = setmetatable({}, { __index = function(_, key) return helper() end })
            local data = bss.data.synthetic{ samples = 80 }
            local run = bss.train{ data = data, epochs = 1, scheduler = \
            bss.scheduler.random{ pace = bss.pace.custom(function(t) return counted.any end) } }
            print(run.id, run.history[1].samples)
            """
        let program = try program(script)
        defer { program.remove() }
        func line(_ what: String) throws -> String {
            let outcome = try program.run(["--quiet", "--out", "runs", "train.lua"], environment: ["WHAT": what])
            #expect(outcome.code == 0, "\(outcome.summary)")
            return outcome.output
        }
        let (half, all) = (try line("0.5"), try line("1"))
        #expect(try half != all && line("0.5") == half && line("1") == all)
        // Functions of the libraries are told apart by name.
        try program.write(
            "train.lua",
            """
            local grow = os.getenv("WHAT") == "1" and math.exp or math.abs
            local data = bss.data.synthetic{ samples = 80 }
            local run = bss.train{ data = data, epochs = 1, scheduler = \
            bss.scheduler.random{ pace = bss.pace.custom(function(t) return grow(-0.5) end) } }
            print(run.id, run.history[1].samples)
            """)
        #expect(try line("0.5") != line("1"))
    }

    @Test("data: another value in a file is another run, and the part is named")
    func data() throws {
        let script = """
            local data = bss.data.csv{ path = "t.csv", label = "y", modalities = { a = { "x1", "x2" }, b = { "x3" } } }
            local run = bss.train{ data = data, epochs = 1, batch_size = 8 }
            print(run.id, run.parameters_hash)
            """
        func table(_ change: String) -> String {
            let rows = (0..<60).map { "\($0 % 7),\($0 % 5),\($0 == 30 ? change : String($0 % 3)),\($0 % 2)" }
            return "x1,x2,x3,y\n" + rows.joined(separator: "\n") + "\n"
        }
        let program = try program(script, ["t.csv": table("0")])
        defer { program.remove() }
        let first = try run(program)
        try program.write("t.csv", table("1"))
        let other = try run(program, ["--resume"])
        #expect(other.id != first.id && other.errors.contains("the data changed"), "\(other.errors)")
    }

    @Test("files that options name count by their bytes")
    func files() throws {
        let program = try program(
            """
            local data = bss.data.synthetic{ samples = 80 }
            local run = bss.train{ data = data, epochs = 1, scheduler = \
            bss.scheduler.learned{ score_checkpoint = "teacher.pt" } }
            print(run.id, run.parameters_hash)
            """)
        defer { program.remove() }
        try program.write(
            "teacher.lua",
            """
            local data = bss.data.synthetic{ samples = 80 }
            bss.train{ data = data, epochs = 1, seed = tonumber(arg[1]), record = false }.model:save("teacher.pt")
            """)
        #expect(try program.run(["--quiet", "teacher.lua", "1"]).code == 0)
        let first = try run(program)
        #expect(try run(program).line == first.line)
        #expect(try program.run(["--quiet", "teacher.lua", "2"]).code == 0)
        let other = try run(program, ["--resume"])
        #expect(other.id != first.id && other.errors.contains("files.scheduler.score_checkpoint"), "\(other.errors)")
    }

    @Test("media that are read while training count by their bytes, at the same size and time")
    func media() throws {
        let program = try program(
            """
            local data = bss.data.crema_d{ root = "crema_d" }
            print(bss.train{ data = data, epochs = 1, batch_size = 4 }.id, data.hash)
            """)
        defer { program.remove() }
        let folder = try MiniatureData("crema_d", in: program.folder)
        let sounds = try Files.list(folder.path("AudioWAV"))
        let sound = folder.path("AudioWAV/" + (try #require(sounds.first)))
        let first = try run(program)
        #expect(try run(program).line == first.line)
        var bytes = try Files.read(sound)
        bytes[bytes.count / 2] ^= 0x10
        let time = try FileManager.default.attributesOfItem(atPath: sound)[.modificationDate] ?? Date()
        try Files.write(bytes, to: sound)
        try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: sound)
        #expect(try run(program).id != first.id)
    }

    @Test("variables nested too deeply, and functions behind functions, are errors")
    func deep() throws {
        let program = try program("")
        defer { program.remove() }
        func outcome(_ make: String) throws -> BuiltProgram.Outcome {
            try program.write(
                "train.lua",
                """
                local data = bss.data.synthetic{ samples = 80 }
                \(make)
                bss.train{ data = data, epochs = 1, on_epoch = function() local held = f end }
                """)
            return try program.run(["--quiet", "--out", "runs", "train.lua"])
        }
        for count in [1500, 20_000, 1_000_000] {
            for make in [
                "local f = {} for i = 1, \(count) do f = { f } end",
                "local f = {} for i = 1, \(count) do f = { [f] = true } end",
                "local f = print for i = 1, \(count) do local g = f f = function() return g end end",
            ] {
                if count > 20_000, make.contains("[f]") { continue }
                let outcome = try outcome(make)
                #expect(
                    count < 2000 ? outcome.code == 0 : outcome.code == 1 && outcome.errors.contains("identity"),
                    "\(make): \(outcome.summary)")
            }
        }
        let list = try outcome("local f = {} for i = 1, 100000 do f[i] = i f['k' .. i] = i end")
        #expect(list.code == 0 && list.seconds < 20, "\(list.summary)")
    }

    // MARK: Experiments

    private static let experiment = """
        local p = bss.params{ k = 50, seeds = 2 }
        local data = bss.data.synthetic{ samples = 80 }
        print(bss.experiment{
          name = "small", params = p, seeds = p.seeds, metrics = { "last.test.total.loss" }, \
        arms = { { name = "a" }, { name = "b" } },
          run = function(p, arm, seed)
            local run = bss.train{ name = arm.name, data = data, epochs = 2, seed = seed, \
        batch_size = arm.name == "a" and 16 or 32,
              scheduler = bss.scheduler.random{ pace = bss.pace.custom(function(t) return p.k / 100 end) } }
            assert(run.history[2].seconds > 0, "a run from its record has its times, too")
            return run
          end,
        })
        """

    @Test(
        """
        an experiment reuses what is finished and says so; --rerun trains again; more seeds keep the runs that are there
        """
    )
    func reuse() throws {
        let program = try program(Self.experiment)
        defer { program.remove() }
        let arguments = ["--progress", "none", "--out", "runs", "train.lua"]
        let first = try program.run(arguments)
        #expect(first.code == 0 && !first.errors.contains("reused"), "\(first.summary)")
        let runs = try Files.list(program.folder + "/runs/runs")
        let records = try runs.map { try Files.read("\(program.folder)/runs/runs/\($0)/run.json") }
        for options in [[], ["--resume"]] {
            let again = try program.run(options + arguments)
            #expect(again.output == first.output && again.errors.contains("small: reused 4 of 4"), "\(again.summary)")
        }
        let anew = try program.run(["--rerun"] + arguments)
        #expect(anew.code == 0 && anew.output == first.output && !anew.errors.contains("reused"), "\(anew.summary)")
        for (id, record) in zip(runs, records) {
            #expect(Files.exists("\(program.folder)/runs/runs/\(id)/attempt-2/run.json"))
            #expect(try Files.read("\(program.folder)/runs/runs/\(id)/run.json") == record)
        }
        let more = try program.run(arguments + ["--set", "seeds=3"])
        #expect(more.code == 0 && more.errors.contains("small: reused 4 of 6, trained 2"), "\(more.summary)")
        #expect(try Files.list(program.folder + "/runs/runs").count == 6)
        let other = try program.run(arguments + ["--set", "k=20"])
        #expect(other.code == 0 && other.output != first.output, "\(other.summary)")
        #expect(other.errors.contains("small: reused 0 of 4: k = 20, was 50"), "\(other.errors)")
        #expect(try Files.list(program.folder + "/runs/plans").count == 3)
        #expect(try Files.list(program.folder + "/runs/tmp").isEmpty)
    }

    @Test("two processes in one folder share the runs of one plan: every run once, both have the table")
    func together() throws {
        let program = try program(Self.experiment)
        defer { program.remove() }
        try program.write(
            "both.lua",
            """
            local one = ("%s --quiet --out runs %s > %s 2>&1"):format(arg[1], "--set seeds=6 train.lua", "%s")
            local ok = os.execute("(" .. one:format("out1") .. ") & (" .. one:format("out2") .. ") & wait")
            """)
        let both = try program.run(["both.lua", BuiltProgram.path], limit: 60)
        #expect(both.code == 0, "\(both.summary)")
        let texts = try ["out1", "out2"].map { try Files.readText("\(program.folder)/\($0)") }
        #expect(texts[0] == texts[1] && texts[0].contains("±"), "\(texts)")
        let plans = try Files.list(program.folder + "/runs/plans")
        #expect(plans.count == 1)
        let lines = try Files.readText("\(program.folder)/runs/plans/\(plans[0])").split(separator: "\n")
        let runs = try Files.list(program.folder + "/runs/runs")
        #expect(lines.count == 12 && runs.count == 12)
        for id in runs {
            let attempts = try Files.list("\(program.folder)/runs/runs/\(id)").filter { $0.hasPrefix("attempt-") }
            #expect(attempts == ["attempt-1"] && Files.exists("\(program.folder)/runs/runs/\(id)/run.json"), "\(id)")
        }
    }

    @Test("names that are paths, folders that are none, and options that are none are refused")
    func refusals() throws {
        let program = try program("")
        defer { program.remove() }
        for name in ["../../../escape", "a/b", "", ".hidden", "a\\n"] {
            try program.write("train.lua", Self.experiment.replacingOccurrences(of: "\"small\"", with: "\"\(name)\""))
            let outcome = try program.run(["--quiet", "--out", "in/runs", "train.lua"])
            #expect(
                outcome.code == 1 && outcome.errors.contains("cannot name its files"), "\(name): \(outcome.summary)")
        }
        try program.write("train.lua", Self.experiment)
        for options in [["--out", ""], ["--out="], ["--data", ""]] {
            let outcome = try program.run(options + ["train.lua"])
            #expect(outcome.code == 2 && outcome.errors.contains("expects a folder"), "\(outcome.summary)")
        }
        let slip = try program.run(["--quiet", "--out", "runs", "train.lua", "--sed", "3"])
        #expect(slip.code == 2 && slip.errors.contains("did you mean '--set' or '--seed'?"), "\(slip.summary)")
        #expect(try program.run(["--check", "train.lua", "--", "--sed", "3"]).code == 0)
        try program.write("own.lua", "print(table.concat(arg, ' '))")
        let own = try program.run(["own.lua", "--sed", "3", "--quiet"])
        #expect(own.code == 0 && own.output == "--sed 3\n", "\(own.summary)")
        let full = try program.run(["--quiet", "--out", "/dev/full/x", "train.lua"])
        #expect(full.code == 74, "\(full.summary)")
    }

    @Test("rows that the list does not have end the script with a suggestion")
    func selections() throws {
        let program = try program("")
        defer { program.remove() }
        for (script, option, near) in [
            ("table1", "rows=BSS-L,Nope", "rows has no 'Nope'"), ("table1", "rows=BSL-L", "did you mean 'BSS-L'?"),
            ("plugin", "methods=MLQ", "did you mean 'MLA'?"),
        ] {
            let outcome = try program.run(
                ["--quiet", "--set", option, "\(BuiltProgram.packageRoot)/experiments/\(script).lua"])
            #expect(outcome.code == 2 && outcome.errors.contains(near), "\(option): \(outcome.summary)")
        }
    }
}
