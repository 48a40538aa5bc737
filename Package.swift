// swift-tools-version: 6.0
import PackageDescription

// One line a target; arrows point only to lines above. Why these cuts: see "Layers" in README.md.
//
// Language mode 5: the Swift side of bss-lua is single-threaded by design (Lua is); every thread lives
// behind the fork-join pool of CBSSKernels. Swift 6 isolation checks would guard nothing here.
func layer(_ name: String, _ dependencies: [String] = []) -> Target {
    .target(
        name: name, dependencies: dependencies.map { .byName(name: $0) },
        swiftSettings: [.swiftLanguageMode(.v5)])
}

let package = Package(
    name: "bss-lua",
    products: [
        .executable(name: "bss-lua", targets: ["bss-lua"]),
        .library(name: "BSS", targets: ["BSSLuaAPI"]),
    ],
    targets: [
        // MARK: C: only what Swift cannot express, or cannot vectorise
        .target(name: "CBSSLua", linkerSettings: [.linkedLibrary("lua5.4")]),
        .target(name: "CBSSKernels", linkerSettings: [.linkedLibrary("m")]),
        .target(name: "CBSSCodecs", linkerSettings: [.linkedLibrary("z")]),
        .target(name: "CBSSReadline"),  // opens GNU readline at run time, links nothing
        // MARK: foundations
        layer("BSSCore", ["CBSSKernels"]),
        layer("BSSPlot", ["BSSCore"]),
        layer("BSSCodecs", ["BSSCore", "CBSSCodecs"]),
        layer("BSSText", ["BSSCore"]),
        layer("BSSLuaHost", ["BSSCore", "CBSSLua"]),
        layer("BSSBackend", ["BSSCore"]),
        layer("BSSBackendCPU", ["BSSBackend", "CBSSKernels"]),
        layer("BSSTensor", ["BSSBackend", "BSSBackendCPU"]),
        // MARK: deep learning
        layer("BSSNN", ["BSSTensor", "BSSCodecs", "BSSText"]),
        layer("BSSData", ["BSSTensor", "BSSCodecs", "BSSText", "CBSSKernels"]),
        layer("BSSCurriculum", ["BSSTensor", "BSSCodecs", "CBSSKernels"]),
        layer("BSSTraining", ["BSSNN", "BSSData", "BSSCurriculum"]),
        layer("BSSExperiment", ["BSSTraining", "BSSPlot"]),
        // MARK: what users touch
        layer("BSSLuaAPI", ["BSSExperiment", "BSSLuaHost"]),
        layer("BSSNotebook", ["BSSLuaHost"]),
        layer("BSSREPL", ["BSSBackend", "BSSNotebook", "BSSLuaHost", "CBSSLua", "CBSSReadline"]),
        .executableTarget(
            name: "bss-lua", dependencies: ["BSSLuaAPI", "BSSLuaHost", "BSSREPL", "BSSNotebook"],
            swiftSettings: [.swiftLanguageMode(.v5)]),
        // MARK: tests
        .target(
            name: "_BSSTestSupport", dependencies: ["BSSCore", "BSSCodecs"], path: "Tests/BSSTestSupport",
            swiftSettings: [.swiftLanguageMode(.v5)]),
        .testTarget(
            name: "BSSLuaHostTests", dependencies: ["BSSLuaHost", "bss-lua"], swiftSettings: [.swiftLanguageMode(.v5)]),
        .testTarget(
            name: "BSSREPLTests", dependencies: ["BSSREPL", "bss-lua"], swiftSettings: [.swiftLanguageMode(.v5)]),
        .testTarget(
            name: "BSSTensorTests", dependencies: ["BSSTensor", "BSSCodecs", "_BSSTestSupport"],
            swiftSettings: [.swiftLanguageMode(.v5)]),
        .testTarget(
            name: "BSSDataTests", dependencies: ["BSSData", "BSSCodecs", "_BSSTestSupport"],
            swiftSettings: [.swiftLanguageMode(.v5)]),
        .testTarget(
            name: "BSSCurriculumTests", dependencies: ["BSSCurriculum", "_BSSTestSupport"], swiftSettings: [.swiftLanguageMode(.v5)]),
        .testTarget(
            name: "BSSPlotTests", dependencies: ["BSSPlot", "_BSSTestSupport"], swiftSettings: [.swiftLanguageMode(.v5)]),
        .testTarget(
            name: "BSSTrainingTests", dependencies: ["BSSTraining", "_BSSTestSupport"], swiftSettings: [.swiftLanguageMode(.v5)]),
        .testTarget(
            name: "BSSNNTests", dependencies: ["BSSNN", "BSSText", "BSSCodecs", "_BSSTestSupport"], swiftSettings: [.swiftLanguageMode(.v5)]),
        .testTarget(
            name: "BSSLuaAPITests", dependencies: ["BSSLuaAPI", "BSSLuaHost", "bss-lua", "_BSSTestSupport"], swiftSettings: [.swiftLanguageMode(.v5)]),
        .testTarget(
            name: "BSSExperimentTests", dependencies: ["BSSExperiment", "_BSSTestSupport"], swiftSettings: [.swiftLanguageMode(.v5)]),
        .testTarget(
            name: "BSSNotebookTests", dependencies: ["BSSNotebook", "BSSLuaAPI", "bss-lua", "_BSSTestSupport"], swiftSettings: [.swiftLanguageMode(.v5)]),
    ],
    cLanguageStandard: .gnu17
)
