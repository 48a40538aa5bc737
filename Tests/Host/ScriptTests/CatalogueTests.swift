import BSSCore
import BSSLua
import BSSScript
import Foundation
import Testing
import _BSSTestSupport

/// Every public name: it has help, and its example runs.
@Suite(.oneAtATime) struct CatalogueTests {
    struct Name { let path: String, function: Function }

    private static func names(_ namespace: Namespace, _ path: String) -> [Name] {
        (namespace.constructor.map { [Name(path: path, function: $0)] } ?? [])
            + namespace.entries.flatMap { entry -> [Name] in
                switch entry {
                case .function(let function): return [Name(path: "\(path).\(entry.name)", function: function)]
                case .namespace(let inner): return names(inner, "\(path).\(entry.name)")
                case .value: return []
                }
            }
    }

    private static func root() throws -> Namespace { try API.make(LuaState(), RunOptions()) }

    /// Functions of the table, then methods of every object type.
    private static func everything() throws -> [Name] {
        let root = try root()
        return names(root, "bss")
            + root.types.flatMap { type in type.methods.map { Name(path: "\(type.name):\($0.name)", function: $0) } }
    }

    @Test("every public name and every option has help text")
    func help() throws {
        let root = try Self.root()
        func check(_ text: String, _ path: String) { #expect(text.count > 1, "\(path) has no help") }
        func walk(_ namespace: Namespace, _ path: String) {
            check(namespace.help, path)
            for entry in namespace.entries {
                check(entry.summary, "\(path).\(entry.name)")
                if case .namespace(let inner) = entry { walk(inner, "\(path).\(entry.name)") }
            }
        }
        walk(root, "bss")
        let everything = try Self.everything()
        for name in everything {
            check(name.function.summary, name.path)
            for argument in name.function.arguments { check(argument.help, "\(name.path), option '\(argument.name)'") }
            let names = name.function.arguments.flatMap { [$0.name] + $0.aliases }
            #expect(Set(names).count == names.count, "\(name.path) declares a name twice: \(names)")
            // What the `help` command shows.
            let text = try Help.lookUp(name.path, in: root)
            #expect(text.contains(name.function.summary), "\(name.path)")
        }
        for type in root.types {
            check(type.help, type.name)
            for property in type.properties { check(property.help, "\(type.name).\(property.name)") }
        }
        print("catalogue: \(everything.count) functions, parts and methods")
        #expect(everything.count > 150)
    }

    @Test("names of surface.md are there")
    func surface() throws {
        let known = Set(try Self.everything().map(\.path))
        let wanted = [
            "bss.data": ["synthetic", "npz", "npy", "csv", "mosi", "mfeat", "av_digits"],
            "bss.encoder": ["mlp", "cnn", "bert", "i3d", "clip_image", "clip_text", "lstm", "identity"],
            "bss.tokenizer": ["wordpiece", "bpe"],
            "bss.fusion": ["concat", "sum", "weight", "affine", "channel", "ml_lstm", "etmc"],
            "bss.rebalance": ["joint", "none"],
            "bss.criterion": ["prediction_similarity", "feature_similarity", "loss", "gradient_norm"],
            "bss.pace": [
                "root", "linear", "baby_step", "geometric", "logarithmic", "quadratic", "step", "one_pass", "full",
                "custom",
            ],
            "bss.scheduler": [
                "random", "heuristic", "learned", "self_paced", "custom", "transfer", "competence", "baby_step",
                "one_pass", "teacher_student", "mcl", "dihcl", "adaptive",
            ],
            "bss.sample_loss": ["superloss", "data_parameters", "screener", "self_paced", "distillation", "custom"],
            "bss.optimizer": ["sgd", "adam", "adamw", "rmsprop"],
            "bss.learning_rate": ["constant", "step", "plateau", "cosine", "warmup"],
            "bss.preset": ["paper", "official", "official_fixed", "january", "diff"],
            "bss": [
                "model", "train", "measure", "measurer", "experiment", "tensor", "zeros", "ones", "randn", "arange",
                "grad",
            ],
        ]
        for (family, parts) in wanted {
            for part in parts { #expect(known.contains("\(family).\(part)"), "\(family).\(part)") }
        }
        for method in [
            "tensor:shape", "tensor:sum", "tensor:matmul", "tensor:softmax", "tensor:totable", "measurer:score",
        ] { #expect(known.contains(method), "\(method)") }
    }

    @Test("every public name has an example, every part of a method its source")
    func complete() throws {
        for name in try Self.everything() { #expect(name.function.example != nil, "\(name.path) has no example") }
        let root = try Self.root()
        for family in ["rebalance", "criterion", "pace", "scheduler"] {
            guard case .namespace(let namespace)? = root[family] else { continue }
            for case .function(let part) in namespace.entries where part.name != "custom" {
                #expect(part.source != nil, "bss.\(family).\(part.name) has no source")
            }
        }
    }

    @Test("every example runs, alone, as it stands in the help")
    func examples() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        var script = """
            local missing = {}
            local function run(path, text)
              local chunk, wrong = load("return " .. text, "=example", "t")
              if not chunk then chunk, wrong = load(text, "=example", "t") end
              local ok, e = false, wrong
              if chunk then ok, e = pcall(chunk) end
              -- Collections that are not on this machine.
              if not ok and type(e) == "userdata" and e.kind == "data" and path:find("^bss%.data%.") then \
            missing[#missing + 1] = path return end
              if not ok then io.stderr:write(path, ": ", text, "\\n  ", tostring(e), "\\n") end
            end

            """
        let withExamples = try Self.everything().filter { $0.function.example != nil }
        for name in withExamples {
            script += "run([[\(name.path)]], [==[\(name.function.example!)]==])\n"
        }
        script += "print('missing data: ' .. table.concat(missing, ' '))\n"
        try program.write("examples.lua", script)
        let outcome = try program.run(["--quiet", "--data", BuiltProgram.sharedData, "--out", "runs", "examples.lua"])
        #expect(outcome.code == 0, "\(outcome.summary)")
        #expect(outcome.errors.isEmpty, "\(outcome.errors)")
        let missing = outcome.output.split(separator: "\n").last ?? ""
        print("catalogue: \(withExamples.count) examples ran; \(missing)")
        for name in BuiltProgram.hasSharedData ? ["mosi", "mfeat", "av_digits"] : [] {
            #expect(!missing.contains("bss.data.\(name)"), "\(missing)")
        }
    }

    @Test("every part of every family has an example or works without options")
    func partsConstruct() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let families = [
            "encoder", "fusion", "rebalance", "criterion", "pace", "scheduler", "optimizer", "learning_rate",
        ]
        let root = try Self.root()
        var script = ""
        for family in families {
            guard case .namespace(let namespace)? = root[family] else {
                Issue.record("bss.\(family) is missing")
                continue
            }
            for entry in namespace.entries {
                guard case .function(let function) = entry, function.arguments.allSatisfy({ !$0.isRequired }) else {
                    continue
                }
                script += """
                    do local part = bss.\(family).\(entry.name){}
                      assert(part.name == "\(entry.name)" and #tostring(part) > 0)
                      for key in pairs(part) do local _ = part[key] end
                      assert(not pcall(function() part.name = "x" end) and \
                    not pcall(bss.\(family).\(entry.name), { no_such_option = 1 }))
                    end

                    """
            }
        }
        let outcome = try program.script(script)
        #expect(outcome.code == 0, "\(outcome.summary)")
    }
}
