import BSSCore

extension Preset {
    private static let dataset = Argument(
        "dataset", default: "generic", "crema_d, kinetics_sounds, vggsound, twitter2015, sarcasm or nvgesture; any other name (mosi, mfeat, av_digits, synthetic …) gets the generic values")
    private static let scheduler = Argument(
        "scheduler", default: "learned", "\"heuristic\" (BSS-H) or \"learned\" (BSS-L): releases differ in epochs, seeds and batch between them",
        check: .oneOf(Kind.allCases.map(\.rawValue)))

    private var summary: String {
        switch self {
        case .paper: return "The settings of the paper's text; what it leaves open is listed in assumptions."
        case .official: return "The settings of the code released in May 2025, mistakes included (inverted sign on Twitter2015, no smoothing, test-best selection …)."
        case .officialFixed: return "The released settings with their mistakes corrected. Twitter2015 keeps SGD 1e-3; set optimizer = bss.optimizer.adam{ learning_rate = 1e-5 } for the paper's."
        case .january: return "The settings of the code released in January 2025 (Twitter2015: the Figure 1 scripts, which rank again at epoch 20)."
        }
    }

    private static let first = Argument<Table>("a", "option table of a preset")
    private static let second = Argument<Table>("b", "another one")

    /// `bss.preset.paper`, `.official`, `.official_fixed`, `.january` and `.diff`.
    public static let functions: [Function] = allCases.map { preset in
        Function(
            preset.rawValue, preset.summary, [dataset, scheduler], returns: "table of options", example: "bss.preset.\(preset.rawValue){ \"crema_d\", scheduler = \"heuristic\" }",
            source: "reproducibility audit of Guan, Jiang, Yang, IJCAI 2025, and of its two code releases"
        ) { arguments in
            [.table(try preset.options(dataset: arguments[dataset], scheduler: Kind(rawValue: arguments[scheduler]) ?? .learned))]
        }
    } + [
        Function(
            "diff", "Where two option tables differ: a list of { key, a, b }.", [first, second], returns: "list of differences",
            example: "bss.preset.diff(bss.preset.paper(\"crema_d\"), bss.preset.official(\"crema_d\"))", style: .positional
        ) { arguments in
            [.list(differences(arguments[first], arguments[second]).map { .fields([("key", .string($0.key)), ("a", $0.a), ("b", $0.b)]) })]
        }
    ]
}
