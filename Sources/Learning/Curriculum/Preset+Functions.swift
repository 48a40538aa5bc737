import BSSCore

extension Preset {
    private static let dataset = Argument(
        "dataset", default: "generic",
        "crema_d, kinetics_sounds, vggsound, twitter2015, sarcasm or nvgesture; any other name (mosi, mfeat, "
            + "av_digits, synthetic …) gets the generic values"
    )
    private static let scheduler = Argument(
        "scheduler", default: Kind.learned,
        "\"heuristic\" (BSS-H) or \"learned\" (BSS-L): releases differ in epochs, seeds and batch between them")

    private var summary: String {
        switch self {
        case .paper: return "The settings of the paper's text; what it leaves open is listed in assumptions."
        case .official:
            return
                "The settings of the code released in May 2025, mistakes included (inverted sign on Twitter2015, no "
                + "smoothing, test-best selection …)."
        case .officialFixed:
            return
                "The released settings with their mistakes corrected. Twitter2015 keeps SGD 1e-3; set optimizer = "
                + "bss.optimizer.adam{ learning_rate = 1e-5 } for the paper's."
        case .january:
            return
                "The settings of the code released in January 2025 (Twitter2015: the Figure 1 scripts, which rank "
                + "again at epoch 20). Where a script was uploaded as an ablation (one loss, ranked by the loss "
                + "alone), uploaded_as says so; the values are those of the full method."
        }
    }

    /// The keys of an option table that describe data, model and report; `bss.train` takes the others.
    private static let describing: Set = [
        "preset", "dataset", "seeds", "head_sharing", "f1_average", "frame_pick", "num_classes", "uploaded_as",
        "assumptions",
    ]

    /// `options` completed from `preset`: what a training is told, the caller's own options first.
    public static func applied(_ preset: Table, to options: Table) -> Table {
        var options = options
        for key in preset.keys where options[key] == nil && !describing.contains(key) {
            // alpha says both weights.
            if key.hasPrefix("w_"), options["alpha"] != nil { continue }
            options[key] = preset[key]
        }
        return options
    }

    private static let preset = Argument<Table>("preset", "option table of a preset")
    private static let options = Argument(
        "options", default: Table(), "options of bss.train that come first: data, model, epochs …")
    private static let first = Argument<Table>("a", "option table of a preset")
    private static let second = Argument<Table>("b", "another one")

    /// `bss.preset.paper`, `.official`, `.official_fixed`, `.january`, `.diff` and `.apply`.
    public static let functions: [Function] =
        allCases.map { preset in
            Function(
                preset.rawValue, preset.summary, [dataset, scheduler], returns: "table of options",
                example: "bss.preset.\(preset.rawValue){ \"crema_d\", scheduler = \"heuristic\" }",
                source: "reproducibility audit of Guan, Jiang, Yang, IJCAI 2025, and of its two code releases"
            ) { arguments in
                [
                    .table(try preset.options(dataset: arguments[dataset], scheduler: arguments[scheduler]))
                ]
            }
        } + [
            Function(
                "diff", "Where two option tables differ: a list of { key, a, b }.", [first, second],
                returns: "list of differences",
                example: "bss.preset.diff(bss.preset.paper(\"crema_d\"), bss.preset.official(\"crema_d\"))",
                style: .positional
            ) { arguments in
                [
                    .list(
                        differences(arguments[first], arguments[second]).map {
                            .fields([("key", .string($0.key)), ("a", $0.a), ("b", $0.b)])
                        })
                ]
            },
            Function(
                "apply", "A preset as arguments of bss.train: your options, completed from the preset's.",
                [preset, options], returns: "table of options",
                example:
                    "bss.train(bss.preset.apply(bss.preset.paper(\"mosi\"), { data = bss.data.synthetic{}, epochs = 2 "
                    + "}))",
                style: .positional
            ) { [.table(applied($0[preset], to: $0[options]))] },
        ]
}
