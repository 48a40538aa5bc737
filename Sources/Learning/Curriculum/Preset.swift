import BSSCore

/// Complete option tables of the paper and of its releases, per dataset and scheduler.
///
/// Source: the reproducibility audit (sections 1.3-1.5, 3 and 4): what the text states, what the code of May 2025 and
/// of January 2025 does. Where the paper is silent the value is an assumption and named in `assumptions`.
public enum Preset: String, CaseIterable {
    /// The text of arXiv v1.
    case paper
    /// The code released in May 2025, with its mistakes.
    case official
    /// The same with its mistakes corrected: sign, epsilon, scoring mode, index shift, all heads at inference,
    /// selection on validation data.
    case officialFixed = "official_fixed"
    /// The code released in January 2025.
    case january

    public enum Kind: String, Choice { case heuristic, learned }

    /// What one of the paper's datasets was run with; other names use `generic`.
    private struct Dataset {
        var name = "generic"
        var paperBatch = 64
        /// [BSS-H, BSS-L]
        var batch = [32, 32], epochs = [120, 120], seed = [42, 42]
        var learningRate = 0.01
        var isImageText = false
        var hasValidation = true
        var wMulti = 1.0, wUni = 1.0
        var fusedAtInference = 1.0
        var officialClasses: Int?
        var classes: Int?
        var sharesHead = false
        var usesAdam = false
    }

    private static func dataset(_ name: String) -> Dataset {
        var d = Dataset()
        d.name = name
        switch name {
        case "crema_d":
            (d.wMulti, d.wUni, d.fusedAtInference, d.hasValidation, d.classes) = (0.1, 0.9, 0, false, 6)
        case "kinetics_sounds":
            (d.epochs, d.seed, d.learningRate, d.classes) = ([120, 100], [42, 0], 0.1, 31)
        case "vggsound":
            (d.paperBatch, d.batch, d.epochs, d.seed, d.hasValidation) = (16, [32, 16], [120, 100], [42, 0], false)
            (d.classes, d.officialClasses) = (309, 310)
        case "twitter2015":
            (d.epochs, d.seed, d.learningRate, d.isImageText, d.classes) = ([113, 100], [42, 0], 0.001, true, 3)
        case "sarcasm":
            (d.epochs, d.seed, d.learningRate, d.isImageText, d.classes) = ([120, 100], [42, 0], 1e-5, true, 2)
            (d.sharesHead, d.usesAdam) = (true, true)
        case "nvgesture":
            (d.paperBatch, d.batch, d.hasValidation, d.classes) = (2, [2, 2], false, 25)
        default: break
        }
        return d
    }

    public static let datasets = ["crema_d", "kinetics_sounds", "vggsound", "twitter2015", "sarcasm", "nvgesture"]

    /// The option table for a dataset; a dataset that the paper does not use gets the preset's generic values.
    public func options(dataset name: String, scheduler kind: Kind) throws -> Table {
        var d = Preset.dataset(name)
        let index = kind == .heuristic ? 0 : 1
        if self == .january { Preset.changeToJanuary(&d, kind) }
        let isPaper = self == .paper
        let isFixed = self == .officialFixed
        var table = Table(fields: [("preset", .string(rawValue)), ("dataset", .string(name))])
        table["epochs"] = .int(isPaper ? 120 : d.epochs[index])
        table["batch_size"] = .int(isPaper ? d.paperBatch : d.batch[index])
        table["seed"] = isPaper || isFixed ? .int(1) : .int(d.seed[index])
        table["seeds"] = .list(isPaper || isFixed ? [.int(1), .int(2), .int(3)] : [.int(d.seed[index])])
        table["rebalance"] = .string("joint")
        table["w_multi"] = .number(isPaper ? 0.8 : d.wMulti)
        table["w_uni"] = .number(isPaper ? 0.2 : d.wUni)
        let fused = isPaper || isFixed ? 1 : d.fusedAtInference
        table["inference_heads"] =
            fused == 1
            ? .string("all")
            : fused == 0 ? .string("unimodal") : .fields([("fused", .number(fused)), ("unimodal", .number(1))])
        table["head_sharing"] = .string(!isPaper && d.sharesHead ? "shared" : "separate")
        table["optimizer"] = optimizer(d)
        table["learning_rate"] =
            isPaper
            ? .fields([
                ("name", .string("plateau")), ("factor", .number(0.1)), ("patience", .int(10)),
                ("metric", .string("train_loss")),
            ])
            : .fields([("name", .string("step")), ("step_size", .int(70)), ("gamma", .number(0.1))])
        table["select"] = .string(isPaper || isFixed ? (d.hasValidation ? "val_best" : "last") : "test_best")
        table["use_val"] = .bool((isPaper || isFixed) && d.hasValidation)
        table["map_average"] = .string("macro")
        table["f1_average"] = .string(self == .january && name == "twitter2015" ? "weighted" : "macro")
        table["frame_pick"] = .string(isPaper ? "random" : "first")
        if let classes = d.classes {
            table["num_classes"] = .int(self == .official || self == .january ? d.officialClasses ?? classes : classes)
        }
        table["scheduler"] = .table(try scheduler(name, kind))
        if self == .january, Preset.isAblationInJanuary(name, kind) {
            table["uploaded_as"] = .string("single loss, ranked by the loss alone")
        }
        table["assumptions"] = .list(
            isPaper
                ? ["epochs", "learning_rate.patience", "learning_rate.metric", "seeds", "optimizer of nvgesture"]
                : isFixed ? ["seeds"] : [])
        return table
    }

    private func optimizer(_ d: Dataset) -> Value {
        let isAdam = self == .paper ? d.isImageText : d.usesAdam
        if isAdam {
            return .fields([
                ("name", .string("adam")), ("learning_rate", .number(1e-5)),
                ("weight_decay", .number(self == .paper ? 0 : 1e-4)),
            ])
        }
        return .fields([
            ("name", .string("sgd")), ("learning_rate", .number(self == .paper ? 0.01 : d.learningRate)),
            ("momentum", .number(0.9)), ("weight_decay", .number(1e-4)),
        ])
    }

    private func scheduler(_ name: String, _ kind: Kind) throws -> Table {
        let isReleased = self == .official || self == .january
        var space = "probs"
        if isReleased, name == "nvgesture", kind == .heuristic { space = "logits" }
        if self == .january, name == "twitter2015" { space = "logits" }
        var options = Table(fields: [
            (
                "measurer",
                .fields([
                    (
                        "criteria",
                        .list([
                            .fields([("name", .string("prediction_similarity")), ("similarity_space", .string(space))]),
                            .fields([("name", .string("loss"))]),
                        ])
                    ),
                    ("norm", .string("min_max")),
                ])
            )
        ])
        if isReleased {
            let isTwitterEval = self == .official && name == "twitter2015" && kind == .learned
            options["score_mode"] = .string(isTwitterEval ? "eval" : "train")
            options["score_transform"] = .string("train")
            options["score_order"] = .string("list")
            options["drop_last"] = .bool(true)
            options["min_batches"] = .int(0)
        }
        switch kind {
        case .heuristic:
            options["pace"] = .fields([("name", .string("root")), ("lambda_0", .number(0.1)), ("t_grow", .number(40))])
            if isReleased { options["pace_offset"] = .int(1) }
            if self == .january, name == "twitter2015" { options["rerank_epochs"] = .list([.int(0), .int(20)]) }
        case .learned where self != .paper:
            options["score_interval"] = .int(1)
            options["ema_beta"] = .number(1)
            options["prob_map"] = .string("linear")
            options["eps"] = .number(isReleased && name == "nvgesture" ? 0 : 0.01)
            if self == .official, name == "twitter2015" { options["order_sign"] = .int(-1) }
        case .learned: break
        }
        var full = try Configured<Scheduler>(kind.rawValue, options).configuration
        for (key, value) in full.fields where value.isNull { full[key] = nil }
        return full
    }

    /// Where the January code differs from May's.
    private static func changeToJanuary(_ d: inout Dataset, _ kind: Kind) {
        switch d.name {
        case "crema_d":
            (d.batch, d.epochs, d.wMulti, d.wUni) = ([64, 64], [100, 500], 1, 1)
            d.fusedAtInference = kind == .heuristic ? 0.1 : 0
        case "kinetics_sounds": d.epochs = [113, 200]
        case "vggsound": (d.batch, d.epochs) = ([64, 32], [200, 100])
        case "twitter2015": (d.batch, d.epochs, d.seed) = ([32, 64], [113, 120], [0, 0])
        case "sarcasm": d.epochs = [100, 100]
        case "nvgesture": d.epochs = [113, 100]
        default: break
        }
    }

    /// True for the scripts of January that were uploaded in the state of an ablation: one loss, scores of the loss
    /// criterion alone. The values here are those of their full method; `uploaded_as` says so.
    private static func isAblationInJanuary(_ name: String, _ kind: Kind) -> Bool {
        switch kind {
        case .heuristic: return ["crema_d", "kinetics_sounds", "sarcasm", "nvgesture"].contains(name)
        case .learned: return name == "kinetics_sounds"
        }
    }

    // MARK: Differences

    public struct Difference {
        /// Dotted path: `scheduler.ema_beta`.
        public let key: String
        public let a: Value
        public let b: Value
    }

    /// Where two option tables differ, by dotted path, in the order of `a` with keys of `b` alone at the end.
    public static func differences(_ a: Table, _ b: Table) -> [Difference] {
        var found: [Difference] = []
        compare(.table(a), .table(b), "", &found)
        return found.filter { $0.key != "preset" && $0.key != "assumptions" }
    }

    private static func compare(_ a: Value, _ b: Value, _ path: String, _ found: inout [Difference]) {
        if case .table(let x) = a, case .table(let y) = b,
            !(x.keys.isEmpty && y.keys.isEmpty && !hasTables(x) && !hasTables(y))
        {
            func inner(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
            for key in x.keys + y.keys.filter({ x[$0] == nil }) {
                compare(x[key] ?? .null, y[key] ?? .null, inner(key), &found)
            }
            for i in 0..<max(x.items.count, y.items.count) {
                compare(
                    i < x.items.count ? x.items[i] : .null, i < y.items.count ? y.items[i] : .null,
                    inner(String(i + 1)), &found)
            }
        } else if !isEqual(a, b) {
            found.append(Difference(key: path, a: a, b: b))
        }
    }

    private static func hasTables(_ table: Table) -> Bool { table.items.contains { $0.table != nil } }
    private static func isEqual(_ a: Value, _ b: Value) -> Bool {
        if let x = a.double, let y = b.double { return x == y }
        return JSON.text(.list([a])) == JSON.text(.list([b]))
    }
}
