import BSSCore

/// The curricula that BSS is compared with. All read scores as high = easy, so a difficulty is a negative score.
extension Scheduler {
    // MARK: Arguments

    private static let teacherMeasurer = Argument(
        "measurer", default: Measurer.plainLoss,
        "how a scan scores samples where none are given; the default is minus the loss")
    /// Where a difficulty comes from.
    private static let source: [any AnyArgument] =
        DifficultySource.arguments + [teacherMeasurer, warmup] + ScanSettings.teacherArguments
    private static let transferPace = Argument(
        "pace",
        default: Configured<Pace>.named(
            "fixed_exponential", Table(fields: [("lambda_0", .number(0.1)), ("every", .number(5))])),
        "pace function: how fast the training set grows")
    private static let perClass = Argument(
        "class_balance", default: "per_class",
        "\"per_class\": take the fraction of every class, as published, instead of the whole ranking",
        check: .oneOf(["none", "per_class"]))
    private static let competencePace = Argument(
        "pace", default: Configured<Pace>.named("root", Table(fields: [("lambda_0", .number(0.01))])), "competence c(t)"
    )
    private static let granularity = Argument(
        "granularity", default: "step",
        "\"step\": competence grows with every batch, drawn with replacement, as published; \"epoch\": the available part, shuffled",
        check: .oneOf(["step", "epoch"]))
    private static let buckets = Argument(
        "buckets", default: 10, "number of buckets of equal size", check: .range(1...1_000_000))
    private static let bucketGrow = Argument(
        "t_grow", default: 40.0, "epoch at which the last bucket is reached", check: .above(0))
    private static let patience = Argument<Int?>(
        "patience", default: nil,
        "go on when the validation loss (else the training loss) has not fallen for so many epochs, instead of by the clock",
        check: Check("at least 1") { $0 ?? 1 >= 1 })
    private static let tasks = Argument(
        "tasks", default: 10, "J: quantiles of the difficulty that the teacher chooses between",
        check: .range(1...10_000))
    private static let variant = Argument(
        "variant", default: "online",
        "reward: \"online\" (change of accuracy), \"window\" (its slope), \"sampling\" (drawn from recent rewards)",
        check: .oneOf(TeacherStudentOrder.Variant.allCases.map(\.rawValue)))
    private static let taskRate = Argument(
        "rate", default: 0.1, "a: weight of the newest reward", check: .above(0, upTo: 1))
    private static let epsilon = Argument(
        "epsilon", default: 0.01, "probability of a random task", check: .range(0...1))
    private static let window = Argument(
        "window", default: 10, "rewards or epochs that a task remembers", check: .range(2...10_000))
    private static let selection = Argument(
        "selection", default: "greedy",
        "\"greedy\" (lazy greedy maximisation, as published) or \"sampled\" (weights loss + lambda centrality, as in CurML)",
        check: .oneOf(MinimaxOrder.Selection.allCases.map(\.rawValue)))
    private static let episode = Argument("episode", default: 20, "epochs between two scans", check: .atLeast(1))
    private static let firstShare = Argument(
        "k_0", default: 0.1, "fraction in the first episode", check: .above(0, upTo: 1))
    private static let shareStep = Argument(
        "k_step", default: 0.1, "fraction added with every episode", check: .range(0...1))
    private static let facility = Argument("diversity", default: 1.0, "lambda of the first episode", check: .atLeast(0))
    private static let facilityDecay = Argument(
        "diversity_decay", default: 0.1, "share of lambda lost with every episode", check: .range(0...1))
    private static let facilityFloor = Argument("diversity_floor", default: 0.2, "smallest lambda", check: .atLeast(0))
    private static let minimaxWarmup = Argument(
        "score_warmup_epochs", default: 5, "epochs of uniform order before the first scan", check: .atLeast(0))
    private static let feedback = Argument(
        "feedback", default: "loss",
        "what training shows of a sample: \"loss\", \"loss_change\" or \"flips\" (right to wrong and back)",
        check: .oneOf(HardnessOrder.Feedback.allCases.map(\.rawValue)))
    private static let hardnessMap = Argument(
        "prob_map", default: "proportional",
        "from hardness to probabilities: \"proportional\", \"exponential\" or \"thompson\" (Beta)",
        check: .oneOf(HardnessOrder.Map.allCases.map(\.rawValue)))
    private static let newest = Argument(
        "discount", default: 0.9, "g: weight of the newest feedback", check: .above(0, upTo: 1))
    private static let decay = Argument(
        "decay", default: 0.85, "factor of the shown fraction per epoch", check: .above(0, upTo: 1))
    private static let floor = Argument("floor", default: 0.2, "smallest shown fraction", check: .above(0, upTo: 1))
    private static let hardnessWarmup = Argument(
        "warmup_epochs", aliases: ["score_warmup_epochs"], default: 10, "epochs of uniform order that collect feedback",
        check: .atLeast(0))
    private static let easyFirst = Argument("anti", default: false, "easy samples first, at equal sizes")
    private static let adaptivePace = Argument("pace", default: Configured<Pace>.named("adaptive"), "pace function")
    private static let adaptiveInterval = Argument(
        "score_interval", aliases: ["every"], default: 20, "epochs between two scans", check: .atLeast(1))
    private static let adaptiveBeta = Argument(
        "ema_beta", aliases: ["beta"], default: 0.7, "weight of the newest difficulty", check: .range(0...1))

    private static let curML = "constants of Zhou et al., CurML, ACM MM 2022"

    // MARK: Parts

    /// A ranked curriculum: what a scan or the given scores say once.
    private static func ranked(
        _ name: String, _ policy: any OrderPolicy, _ arguments: Arguments, rule: BatchRule, alwaysScans: Bool = false
    ) throws -> Scheduler {
        let given = try DifficultySource(arguments)
        let scan = try ScanSettings(teacher: arguments)
        if given != nil, !alwaysScans, scan.checkpoint != nil || scan.selfTaughtEpochs > 0 {
            throw BSSError(
                arguments.operation,
                "given scores leave nothing to score for checkpoint or self_taught; give one source", kind: .usage)
        }
        return Scheduler(
            name, policy, measurer: given == nil || alwaysScans ? arguments[teacherMeasurer] : nil, scan: scan,
            given: given,
            warmupEpochs: arguments[warmup], rule: rule)
    }

    static let curricula: [Part<Scheduler>] = [
        Part(
            "transfer",
            "Transfer scoring: the difficulty of a teacher (given scores, a checkpoint, or a copy of the model trained first), ranked once, then a growing part.",
            [transferPace, lambda0, grow, paceOffset, anti, perClass] + source + BatchRule.arguments,
            source: "Weinshall, Cohen, Amir, ICML 2018; Hacohen, Weinshall, ICML 2019",
            example: "bss.scheduler.transfer{ self_taught = 5, pace = \"linear\", t_grow = 20 }"
        ) { a in
            let rule = BatchRule(a)
            let policy = HeuristicOrder(
                pace: try adjusted(a[transferPace], a), paceOffset: a[paceOffset], isAnti: a[anti],
                isPerClass: a[perClass] == "per_class", rule: rule)
            return try ranked("transfer", policy, a, rule: rule)
        },
        Part(
            "competence",
            "Competence-based: samples whose difficulty rank is at most the competence c(t), drawn uniformly.",
            [competencePace, lambda0, grow, granularity, drawsFraction, anti] + source + BatchRule.arguments,
            source: "Platanios et al., NAACL 2019",
            example: "bss.scheduler.competence{ t_grow = 20 }"
        ) { a in
            let rule = BatchRule(a)
            let policy = CompetenceOrder(
                pace: try adjusted(a[competencePace], a), isStepwise: a[granularity] == "step",
                drawsFraction: a[drawsFraction], isAnti: a[anti], rule: rule)
            return try ranked("competence", policy, a, rule: rule)
        },
        bucketPart(
            "baby_step", "Baby step: buckets from easy to hard are added one after the other and kept.",
            keepsEarlier: true),
        bucketPart(
            "one_pass", "One-pass: buckets from easy to hard, each ALONE; the last one stays.", keepsEarlier: false),
        Part(
            "teacher_student",
            "Teacher-student curriculum: a bandit shows, every epoch, the difficulty decile on which accuracy changes most.",
            [tasks, variant, taskRate, epsilon, window] + DifficultySource.arguments + [teacherMeasurer, warmup]
                + ScanSettings.ownArguments + BatchRule.arguments,
            source: "Matiisen et al., TNNLS 2020; Graves et al., ICML 2017; \(curML)",
            example: "bss.scheduler.teacher_student{ tasks = 5 }"
        ) { a in
            let rule = BatchRule(a)
            let policy = TeacherStudentOrder(
                tasks: a[tasks], variant: TeacherStudentOrder.Variant(rawValue: a[variant]) ?? .online,
                rate: a[taskRate], epsilon: a[epsilon], window: a[window], rule: rule)
            return Scheduler(
                "teacher_student", policy, measurer: a[teacherMeasurer], scan: ScanSettings(own: a),
                given: try DifficultySource(a), warmupEpochs: a[warmup], rule: rule)
        },
        Part(
            "mcl", "Minimax curriculum learning: hard and diverse subsets first, larger and less diverse ones later.",
            [
                selection, episode, firstShare, shareStep, facility, facilityDecay, facilityFloor, lossMeasurer,
                minimaxWarmup,
            ] + ScanSettings.arguments + BatchRule.arguments,
            source: "Zhou, Bilmes, ICLR 2018; \(curML)", example: "bss.scheduler.mcl{ episode = 5, k_0 = 0.2 }"
        ) { a in
            let rule = BatchRule(a)
            let policy = MinimaxOrder(
                selection: MinimaxOrder.Selection(rawValue: a[selection]) ?? .greedy, interval: a[episode],
                start: a[firstShare], step: a[shareStep], diversity: a[facility],
                diversityDecay: a[facilityDecay], diversityFloor: a[facilityFloor], rule: rule)
            return Scheduler(
                "mcl", policy, measurer: a[lossMeasurer], scan: ScanSettings(a), needs: [.features],
                warmupEpochs: a[minimaxWarmup], rule: rule)
        },
        Part(
            "dihcl",
            "Dynamic instance hardness: a running mean of each sample's training feedback decides how often it is seen; hard first, fewer and fewer.",
            [feedback, hardnessMap, newest, decay, floor, hardnessWarmup, easyFirst] + BatchRule.arguments,
            source: "Zhou, Wang, Bilmes, NeurIPS 2020; \(curML)",
            example: "bss.scheduler.dihcl{ warmup_epochs = 3 }"
        ) { a in
            let rule = BatchRule(a)
            let policy = HardnessOrder(
                feedback: HardnessOrder.Feedback(rawValue: a[feedback]) ?? .loss,
                map: HardnessOrder.Map(rawValue: a[hardnessMap]) ?? .proportional, newest: a[newest],
                decay: a[decay], floor: a[floor], isAnti: a[easyFirst], rule: rule)
            return Scheduler("dihcl", policy, warmupEpochs: a[hardnessWarmup], rule: rule)
        },
        Part(
            "adaptive",
            "Adaptive curriculum learning: a teacher's difficulty, smoothed with the model's own every few epochs. With sample_loss = bss.sample_loss.distillation it also follows the teacher.",
            [adaptivePace, lambda0, grow, adaptiveInterval, adaptiveBeta, anti, classBalance] + source
                + BatchRule.arguments, source: "Kong et al., ICCV 2021; \(curML)",
            example: "bss.scheduler.adaptive{ every = 5, self_taught = 3 }"
        ) { a in
            let rule = BatchRule(a)
            let policy = HeuristicOrder(
                pace: try adjusted(a[adaptivePace], a), interval: a[adaptiveInterval], beta: a[adaptiveBeta],
                isAnti: a[anti], isPerClass: a[classBalance] == "per_class", rule: rule)
            return try ranked("adaptive", policy, a, rule: rule, alwaysScans: true)
        },
    ]

    private static func bucketPart(_ name: String, _ summary: String, keepsEarlier: Bool) -> Part<Scheduler> {
        Part(
            name, summary, [buckets, bucketGrow, patience, anti, classBalance] + source + BatchRule.arguments,
            source: "Bengio et al., ICML 2009; Spitkovsky, Alshawi, Jurafsky, NAACL 2010; Cirik, Hovy, Morency, 2016",
            example: "bss.scheduler.\(name){ buckets = 4, t_grow = 8 }"
        ) { a in
            let rule = BatchRule(a)
            let policy = BucketOrder(
                buckets: a[buckets], grow: a[bucketGrow], keepsEarlier: keepsEarlier, patience: a[patience],
                isAnti: a[anti], isPerClass: a[classBalance] == "per_class", rule: rule)
            return try ranked(name, policy, a, rule: rule)
        }
    }
}
