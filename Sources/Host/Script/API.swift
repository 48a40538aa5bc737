import BSSCPU
import BSSCore
import BSSCurriculum
import BSSData
import BSSLua
import BSSNetworks
import BSSPlot
import BSSRuns
import BSSStatistics
import BSSTensor
import BSSText
import BSSTraining

/// The `bss` table: families of parts (derived from their declarations) and the functions that use them.
public enum API {
    public static let version = "0.1.0"

    /// Prepares the engine for the options of this process and gives the table.
    public static func make(_ state: LuaState, _ options: RunOptions) throws -> Namespace {
        try CPUBackend.checkEnvironment()
        let workbench = try Workbench(options, state)
        DataPath.folders = options.dataFolders
        DataOutline.isOn = options.check || options.describes
        LoadingProgress.install(options)
        Report.printsData = options.json
        SearchPath.scriptFolder = options.script.map {
            $0.contains("/")
                ? $0.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") : "."
        }
        ModelObject.maker = { [unowned workbench] in workbench.maker }
        TensorFunctions.stream = RandomStream(seed: options.seed ?? 1, name: "tensor")
        CPUBackend.setThreads(options.threads ?? CPUBackend.processorCount)
        Devices.current = try Devices.backend(for: options.device.place)
        Devices.whenMemoryIsFull { [weak state] in state?.collect() }
        state.whenScriptEnds = { try workbench.finish() }
        return Namespace(
            "bss", "Balance-aware Sequence Sampling for multimodal learning.", types: { types },
            received: { CallbackTypes.all }
        ) {
            entries(workbench, state)
        }
    }

    static let types: [ObjectType] = [
        Tensor.scriptType, Dataset.type, DatasetSplit.type, ModelObject.type, RunObject.type, Measurer.type,
        Report.type, FigureObject.type, ExperimentObject.type, ClaimObject.type,
        ConfusionObject.type, ExtremesObject.type,
    ]

    private static func entries(_ workbench: Workbench, _ state: LuaState) -> [Namespace.Entry] {
        let functions =
            [
                TrainFunction.make(workbench), MeasureFunction.make(workbench), PredictFunctions.accuracy,
                Measurer.constructor, GradFunction.function,
                ExperimentFunction.make(workbench), ClaimObject.constructor, ParametersFunction.make(workbench),
                OrderFunction.weighted, BatchFunction.function,
            ] + ArmFunctions.all
        return [
            .namespace(Namespace(Dataset.self)), .namespace(Namespace(EncoderRecipe.self)),
            .namespace(Namespace(FusionRecipe.self)),
            .namespace(Namespace(TokenizerPart.self)),
            .namespace(Namespace(RebalanceRecipe.self)), .namespace(Namespace(Criterion.self)),
            .namespace(Namespace(Pace.self)),
            .namespace(Namespace(Scheduler.self)), .namespace(Namespace(SampleLossRecipe.self)),
            .namespace(Namespace(OptimizerRecipe.self)), .namespace(Namespace(LearningRateRecipe.self)),
            .namespace(
                Namespace(
                    "model", "Multimodal classifiers: new ones, and those of files.",
                    constructor: ModelObject.constructor(workbench)
                ) { [.function(ModelObject.loader)] }),
            .namespace(
                Namespace("preset", "Options as the paper, its released code and its predecessor have them.") {
                    Preset.functions.map { .function($0) }
                }),
            .namespace(
                Namespace("stats", "Statistics over seeds: tests, intervals, effect and sample sizes.") {
                    StatisticsFunctions.functions.map { .function($0) }
                }),
            .namespace(
                Namespace("plot", "Charts: printed as text, saved as CSV, SVG, gnuplot script, PDF and PNG.") {
                    PlotFunctions.functions.map { .function($0) }
                }),
            .namespace(DeviceFunctions.namespace),
            .namespace(
                Namespace("report", "Tables and figures of results.") {
                    ReportFunctions.functions.map { .function($0) }
                }),
        ] + (functions + TensorFunctions.all + HostFunctions.make(workbench, state)).map { .function($0) }
    }
}
