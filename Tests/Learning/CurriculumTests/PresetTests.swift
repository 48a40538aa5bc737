import BSSCore
import BSSCurriculum
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct PresetTests {
    private func differences(
        _ a: Preset, _ b: Preset, _ dataset: String, _ kind: Preset.Kind = .learned
    ) throws -> [String: (Value, Value)] {
        let found = Preset.differences(
            try a.options(dataset: dataset, scheduler: kind), try b.options(dataset: dataset, scheduler: kind))
        return Dictionary(uniqueKeysWithValues: found.map { ($0.key, ($0.a, $0.b)) })
    }

    @Test("paper: Eq. 5 at alpha 0.2, E 5, beta 0.6, root pace, batch and optimiser by dataset")
    func paper() throws {
        for (dataset, batch) in [
            ("crema_d", 64), ("kinetics_sounds", 64), ("vggsound", 16), ("twitter2015", 64), ("sarcasm", 64),
            ("nvgesture", 2), ("mosi", 64),
        ] {
            let options = try Preset.paper.options(dataset: dataset, scheduler: .learned)
            #expect(options["batch_size"]?.int == batch, "\(dataset)")
            #expect(options["w_multi"]?.double == 0.8 && options["w_uni"]?.double == 0.2)
            #expect(
                options.value(atPath: "scheduler.score_interval")?.int == 5
                    && options.value(atPath: "scheduler.ema_beta")?.double == 0.6)
            #expect(
                options.value(atPath: "optimizer.name")?.string
                    == (["twitter2015", "sarcasm"].contains(dataset) ? "adam" : "sgd"), "\(dataset)")
            #expect(options["inference_heads"]?.string == "all")
        }
        let h = try Preset.paper.options(dataset: "crema_d", scheduler: .heuristic)
        #expect(
            h.value(atPath: "scheduler.pace.lambda_0")?.double == 0.1
                && h.value(atPath: "scheduler.pace.t_grow")?.double == 40)
        #expect(h.value(atPath: "scheduler.drop_last")?.bool == false && h["select"]?.string == "last")
    }

    @Test("what the released code does otherwise: learned scheduler on CREMA-D")
    func official() throws {
        let found = try differences(.paper, .official, "crema_d")
        for key in [
            "batch_size", "w_multi", "w_uni", "inference_heads", "select", "scheduler.score_interval",
            "scheduler.ema_beta", "scheduler.prob_map", "scheduler.score_mode",
            "scheduler.score_transform", "scheduler.score_order", "scheduler.drop_last", "scheduler.min_batches",
            "learning_rate.name", "frame_pick",
        ] { #expect(found[key] != nil, "\(key)") }
        #expect(found["w_multi"]?.1.double == 0.1 && found["w_uni"]?.1.double == 0.9)
        #expect(found["inference_heads"]?.1.string == "unimodal")
        #expect(found["scheduler.order_sign"] == nil)
        #expect(try differences(.paper, .paper, "crema_d").isEmpty)
    }

    @Test("the dataset-specific slips of the release, and their correction")
    func slips() throws {
        let twitter = try differences(.official, .officialFixed, "twitter2015")
        #expect(twitter["scheduler.order_sign"]?.0.int == -1 && twitter["scheduler.order_sign"]?.1.int == 1)
        #expect(twitter["scheduler.score_mode"]?.0.string == "eval")
        let gesture = try differences(.official, .officialFixed, "nvgesture")
        #expect(gesture["scheduler.eps"]?.0.double == 0 && gesture["scheduler.eps"]?.1.double == 0.01)
        let gestureH = try differences(.official, .officialFixed, "nvgesture", .heuristic)
        #expect(gestureH["scheduler.measurer.criteria.1.similarity_space"]?.0.string == "logits")
        #expect(gestureH["scheduler.pace_offset"]?.0.int == 1 && gestureH["scheduler.pace_offset"]?.1.int == 0)
        #expect(try differences(.official, .officialFixed, "vggsound")["num_classes"]?.0.int == 310)
        #expect(
            try Preset.official.options(dataset: "kinetics_sounds", scheduler: .heuristic).value(
                atPath: "optimizer.learning_rate")?.double == 0.1)
        #expect(try Preset.official.options(dataset: "twitter2015", scheduler: .heuristic)["epochs"]?.int == 113)
        #expect(
            try Preset.official.options(dataset: "sarcasm", scheduler: .learned)["head_sharing"]?.string == "shared")
        #expect(try Preset.official.options(dataset: "vggsound", scheduler: .learned)["batch_size"]?.int == 16)
        #expect(
            try Preset.official.options(dataset: "vggsound", scheduler: .heuristic)["seeds"]?.table?.items.first?.int
                == 42)
    }

    @Test func january() throws {
        let crema = try Preset.january.options(dataset: "crema_d", scheduler: .learned)
        #expect(crema["batch_size"]?.int == 64 && crema["epochs"]?.int == 500 && crema["w_multi"]?.double == 1)
        let heuristic = try Preset.january.options(dataset: "crema_d", scheduler: .heuristic)
        #expect(heuristic.value(atPath: "inference_heads.fused")?.double == 0.1)
        let twitter = try Preset.january.options(dataset: "twitter2015", scheduler: .heuristic)
        #expect(
            twitter.value(atPath: "scheduler.rerank_epochs.2")?.int == 20 && twitter["f1_average"]?.string == "weighted"
        )
        func january(_ dataset: String, _ kind: Preset.Kind) throws -> Table {
            try Preset.january.options(dataset: dataset, scheduler: kind)
        }
        #expect(twitter["batch_size"]?.int == 32 && twitter["epochs"]?.int == 113)
        #expect(try january("twitter2015", .learned)["batch_size"]?.int == 64)
        #expect(try january("nvgesture", .heuristic)["epochs"]?.int == 113)
        #expect(try january("nvgesture", .learned)["epochs"]?.int == 100)
        let uploaded = try Preset.datasets.flatMap { dataset in
            try Preset.Kind.allCases.filter { try january(dataset, $0)["uploaded_as"] != nil }.map {
                "\(dataset) \($0)"
            }
        }
        #expect(
            uploaded == [
                "crema_d heuristic", "kinetics_sounds heuristic", "kinetics_sounds learned", "sarcasm heuristic",
                "nvgesture heuristic",
            ])
        for preset in Preset.allCases where preset != .january {
            #expect(try preset.options(dataset: "kinetics_sounds", scheduler: .learned)["uploaded_as"] == nil)
        }
    }

    @Test("a preset's scheduler table builds that scheduler; unknown datasets get generic values")
    func builds() throws {
        for preset in Preset.allCases {
            for dataset in Preset.datasets + ["mosi"] {
                for kind in Preset.Kind.allCases {
                    let table = try preset.options(dataset: dataset, scheduler: kind)
                    let made = try Configured<Scheduler>(value: table["scheduler"]!)
                    #expect(made.name == kind.rawValue)
                }
            }
        }
    }

    @Test("own options come before the preset's; alpha replaces its weights")
    func apply() throws {
        let paper = try Preset.paper.options(dataset: "mosi", scheduler: .learned)
        let plain = Preset.applied(paper, to: Table(fields: [("epochs", .int(2)), ("data", .string("d"))]))
        #expect(
            plain["epochs"]?.int == 2 && plain["batch_size"]?.int == 64 && plain["w_uni"]?.double == 0.2
                && plain["data"]?.string == "d")
        #expect(plain["seeds"] == nil && plain["frame_pick"] == nil)
        let alpha = Preset.applied(paper, to: Table(fields: [("alpha", .number(0.5))]))
        #expect(alpha["w_multi"] == nil && alpha["w_uni"] == nil)
    }

    @Test("as scripts call them")
    func functions() throws {
        func call(_ name: String, _ values: [Value]) throws -> Value {
            try Preset.functions.first { $0.name == name }!.call(values)[0]
        }
        var named = Table(items: [.string("crema_d")])
        named["scheduler"] = .string("heuristic")
        let a = try call("paper", [.table(named)])
        let b = try call("official", [.string("crema_d"), .string("heuristic")])
        let found = try call("diff", [a, b]).table!.items.compactMap { $0.table?["key"]?.string }
        #expect(found.contains("scheduler.pace_offset") && !found.contains("dataset"))
        #expect { try call("paper", [.string("crema_d"), .string("learnd")]) } throws: { "\($0)".contains("scheduler") }
    }
}
