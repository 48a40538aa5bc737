// swift-tools-version: 6.0
import PackageDescription

// One line a target. A floor may use the floors below it and rooms of its own that stand above it here;
// `scripts/lint` has the compiler check that nothing is imported that is not listed. Why these cuts: README, "Layers".
//
// Language mode 5: the Swift side of bss-lua is single-threaded by design (Lua is); every thread lives
// behind the fork-join pool of CBSSKernels. Swift 6 isolation checks would guard nothing here.

/// A room of Swift: the module BSS<Room>, in Sources/<Floor>/<Room> or, beside C, in its folder `Swift`.
func room(_ floor: String, _ name: String, _ dependencies: [String] = [], beside: Bool = false) -> Target {
    .target(
        name: "BSS\(name)", dependencies: dependencies.map { .byName(name: $0) },
        path: "Sources/\(floor)/\(name)\(beside ? "/Swift" : "")",
        swiftSettings: [.swiftLanguageMode(.v5)])
}

/// Only what Swift cannot express, or cannot vectorise.
func c(_ name: String, _ path: String, links: [String] = []) -> Target {
    .target(name: name, path: "Sources/\(path)", linkerSettings: links.map { .linkedLibrary($0) })
}

/// The tests of a room; they lie as the rooms do.
func tests(_ floor: String, _ name: String, _ dependencies: [String] = []) -> Target {
    .testTarget(
        name: "BSS\(name)Tests",
        dependencies: (["BSS\(name)", "_BSSTestSupport"] + dependencies).map { .byName(name: $0) },
        path: "Tests/\(floor)/\(name)Tests", swiftSettings: [.swiftLanguageMode(.v5)])
}

let package = Package(
    name: "bss-lua",
    products: [
        .executable(name: "bss-lua", targets: ["bss-lua"]),
        .library(name: "BSS", targets: ["BSSScript"]),
    ],
    targets: [
        // MARK: Engine, its C
        c("CBSSKernels", "Engine/Kernels", links: ["m"]),
        // MARK: Foundation
        room("Foundation", "Core", ["CBSSKernels"]),
        // MARK: Engine
        room("Engine", "Backend", ["BSSCore"]),
        room("Engine", "CPU", ["BSSBackend", "CBSSKernels"]),
        room("Engine", "Tensor", ["BSSBackend", "BSSCPU"]),
        // MARK: Learning
        c("CBSSCodecs", "Learning/Codecs/C", links: ["z"]),
        room("Learning", "Codecs", ["BSSCore", "CBSSCodecs"], beside: true),
        room("Learning", "Text", ["BSSCore"]),
        room("Learning", "Data", ["BSSTensor", "BSSCodecs", "BSSText", "CBSSKernels"]),
        room("Learning", "Networks", ["BSSTensor", "BSSCodecs", "BSSText"]),
        room("Learning", "Curriculum", ["BSSTensor", "BSSCodecs", "CBSSKernels"]),
        room("Learning", "Training", ["BSSNetworks", "BSSData", "BSSCurriculum"]),
        // MARK: Laboratory
        room("Laboratory", "Plot", ["BSSCore"]),
        room("Laboratory", "Runs", ["BSSTraining", "BSSPlot"]),
        // MARK: Host
        c("CBSSLua", "Host/Lua/C", links: ["lua5.4"]),
        c("CBSSReadline", "Host/Prompt/C"),  // opens GNU readline at run time, links nothing
        room("Host", "Lua", ["BSSCore", "CBSSLua"], beside: true),
        room("Host", "Script", ["BSSRuns", "BSSLua"]),
        room("Host", "Notebook", ["BSSLua"]),
        room("Host", "Prompt", ["BSSBackend", "BSSNotebook", "BSSLua", "CBSSLua", "CBSSReadline"], beside: true),
        .executableTarget(
            name: "bss-lua", dependencies: ["BSSScript", "BSSLua", "BSSPrompt", "BSSNotebook"],
            path: "Sources/Host/bss-lua", swiftSettings: [.swiftLanguageMode(.v5)]),
        // MARK: tests
        .target(
            name: "_BSSTestSupport", dependencies: ["BSSCore", "BSSCodecs"], path: "Tests/Support",
            swiftSettings: [.swiftLanguageMode(.v5)]),
        tests("Engine", "Tensor", ["BSSCodecs"]),
        tests("Learning", "Data", ["BSSCodecs"]),
        tests("Learning", "Networks", ["BSSText", "BSSCodecs"]),
        tests("Learning", "Curriculum"),
        tests("Learning", "Training"),
        tests("Laboratory", "Plot"),
        tests("Laboratory", "Runs"),
        tests("Host", "Lua", ["bss-lua"]),
        tests("Host", "Script", ["BSSLua", "bss-lua"]),
        tests("Host", "Notebook", ["BSSScript", "bss-lua"]),
        tests("Host", "Prompt", ["bss-lua"]),
    ],
    cLanguageStandard: .gnu17
)
