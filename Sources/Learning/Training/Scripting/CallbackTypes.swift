import BSSCore

/// What the functions of a script receive from a training, declared for help (`help "ctx"`), annotations and the
/// reference.
public enum CallbackTypes {
    public static let all = [TrainingObject.type, output, epoch, plan, batch, evidence]

    /// Parameters of callbacks, by their usual names.
    static let ctx = (name: "ctx", type: LuaType.name("training")), out = (name: "out", type: LuaType.name("output"))
    static let labels = (name: "labels", type: LuaType.name("tensor"))
    public static let e = (name: "e", type: LuaType.name("epoch record"))
    static func named(_ noun: String) -> (name: String, type: String) { (noun, LuaType.name(noun)) }

    private static let tensor = LuaType.name("tensor"), byModality = "table<string, \(LuaType.name("tensor"))>"

    /// `out` of hooks and losses.
    static let output = ObjectType.table(
        "output", aliases: ["out"], help: "What the model gave for a batch; losses differentiate through it.",
        fields: [
            ("fused", tensor, "Logits of the fusion, [B, C]."),
            ("unimodal", byModality, "Logits of each modality's head, [B, C]; by name."),
            ("features", byModality, "Features of each modality, [B, d]; by name."),
        ])

    /// `e` of `on_epoch`, and an entry of `run.history`.
    static let epoch = ObjectType.table(
        "epoch record", aliases: ["e", "history"],
        help: "What an epoch did: on_epoch receives it, run.history lists it.",
        fields: [
            ("epoch", "integer", "Counts from 1."), ("t", "integer", "epoch - 1, as the paper counts (on_epoch only)."),
            ("train", "table", "loss, and accuracy, macro_f1, … of every output (total, fused, each modality)."),
            ("val", "table", "The same of the validation split; nil without one."),
            ("test", "table", "The same of the test split."),
            ("learning_rate", "number", "The rate of this epoch."),
            ("samples", "integer", "Samples trained on, copies counted."),
            ("plan", "table", "What the scheduler says of its order: fraction, class histogram, deciles of scores."),
            ("method", "table", "What the rebalancing method reports; nil if nothing."),
            ("order", "integer[]", "The trained order: positions in the training split, from 1 (on_epoch only)."),
            ("scores", "number[]", "Balance score of each training sample; empty without one (on_epoch only)."),
            ("seconds", "number", "Wall time; step_seconds and scoring_seconds are parts of it."),
        ])

    /// `plan` of the hook `plan`.
    static let plan = ObjectType.table(
        "plan", help: "The samples of an epoch in their order; the hook returns one like it.",
        fields: [
            ("positions", "integer[]", "Positions in the training split, from 1; repeated samples are copies."),
            ("weights", "number[]", "Weight of each entry's loss; nil: all 1."),
            ("keeps", "string[][]", "Modalities that each entry keeps; nil: all."),
        ])

    /// `batch` of the hook `step`.
    static let batch = ObjectType.table(
        "batch", help: "A batch before its step.",
        fields: [
            ("labels", tensor, "Class positions from 1, i64 [B]."),
            ("positions", "integer[]", "Positions in the training split, from 1."),
        ])

    /// `evidence` of a criterion.
    static let evidence = ObjectType.table(
        "evidence", help: "What a scoring scan knows about the n training samples; criteria read it.",
        fields: [
            ("logits", "table<string, number[][]>", "Unimodal logits by modality, n rows of C numbers."),
            ("fused", "number[][]", "Logits of the fusion, n rows of C numbers; nil where there are none."),
            ("labels", "integer[]", "Class positions from 1."),
            ("loss", "number[]", "Training loss of each sample."),
            ("features", "table<string, number[][]>", "Features by modality; nil where the scan kept none."),
            ("gradient_norms", "number[]", "Gradient magnitude of each sample; nil unless a criterion asked for it."),
        ])
}
