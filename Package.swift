// swift-tools-version: 6.0
import PackageDescription

// One line a target, with every module that it imports: `scripts/lint` compares. A floor may use the floors below it
// and rooms of its own that stand above it here. Why these cuts: .github/CONTRIBUTING.md.
//
// Language mode 6 in rooms that start threads of their own (`threads: true`), where the compiler checks what threads
// share. Elsewhere mode 5: Lua is single-threaded, and so is Swift around it; isolation checks would guard nothing.

/// What each target reaches. The package manager is told all of it: it compiles a module anew when one that it names
/// changed, and layouts reach further than imports.
nonisolated(unsafe) var reached: [String: [String]] = [:]

func reach(_ name: String, _ imported: [String]) -> [Target.Dependency] {
    var all: [String] = []
    for one in imported.flatMap({ (reached[$0] ?? []) + [$0] }) where !all.contains(one) { all.append(one) }
    reached[name] = all
    return all.map { .byName(name: $0) }
}

/// A room of Swift: the module BSS<Room>, in Sources/<Floor>/<Room> or, beside C, in its folder `Swift`.
///
/// A room that only arranges text and files, and waits for whoever reads them, is not optimised (`arranges: true`):
/// four fifths of its compilation would go into that. None of these is part of the library BSS, which others may use.
func room(
    _ floor: String, _ name: String, _ imported: [String] = [], beside: Bool = false, threads: Bool = false,
    arranges: Bool = false
) -> Target {
    .target(
        name: "BSS\(name)", dependencies: reach("BSS\(name)", imported),
        path: "Sources/\(floor)/\(name)\(beside ? "/Swift" : "")",
        swiftSettings: [.swiftLanguageMode(threads ? .v6 : .v5)]
            + (arranges ? [.unsafeFlags(["-Onone"], .when(configuration: .release))] : []))
}

/// Only what Swift cannot express, or cannot vectorise.
func c(_ name: String, _ path: String, _ included: [String] = [], links: [String] = []) -> Target {
    .target(
        name: name, dependencies: reach(name, included), path: "Sources/\(path)",
        linkerSettings: links.map { .linkedLibrary($0) })
}

/// The tests of a room; they lie as the rooms do.
func tests(_ floor: String, _ name: String, _ imported: [String] = []) -> Target {
    .testTarget(
        name: "BSS\(name)Tests", dependencies: reach("BSS\(name)Tests", ["BSS\(name)", "_BSSTestSupport"] + imported),
        path: "Tests/\(floor)/\(name)Tests", swiftSettings: [.swiftLanguageMode(.v5)])
}

let package = Package(
    name: "bss-lua",
    products: [
        .executable(name: "bss-lua", targets: ["bss-lua"]),
        .library(name: "BSS", targets: ["BSSScript"]),
    ],
    targets: [
        // MARK: Foundation
        c("CBSSInterrupt", "Foundation/Interrupt"),
        room("Foundation", "Core", ["CBSSInterrupt"]),
        c("CBSSSandbox", "Foundation/Sandbox/C"),
        room("Foundation", "Sandbox", ["CBSSSandbox", "BSSCore"], beside: true),
        // MARK: Engine
        c("CBSSKernels", "Engine/Kernels", ["CBSSInterrupt"], links: ["m"]),
        room("Engine", "Backend", ["CBSSKernels", "BSSCore"]),
        room("Engine", "CPU", ["CBSSKernels", "BSSCore", "BSSBackend"]),
        c("CBSSCUDA", "Engine/CUDA/C"),  // opens NVIDIA's libraries at run time, links nothing
        room("Engine", "CUDA", ["CBSSCUDA", "BSSCore", "BSSBackend"], beside: true),
        room("Engine", "Tensor", ["BSSCore", "BSSBackend", "BSSCPU", "BSSCUDA"]),
        // MARK: Learning
        // libjpeg-turbo and libpng are linked statically: start-up stays as it is, and the program runs where they are
        // not installed.
        c("CBSSCodecs", "Learning/Codecs/C", links: [":libjpeg.a", ":libpng.a", "z", "m"]),
        room("Learning", "Codecs", ["CBSSCodecs", "BSSCore"], beside: true),
        room("Learning", "Text", ["BSSCore"]),
        room("Learning", "Data", ["CBSSKernels", "BSSCore", "BSSCodecs", "BSSText"], threads: true),
        room("Learning", "Networks", ["BSSCore", "BSSBackend", "BSSTensor", "BSSCodecs"]),
        room("Learning", "Curriculum", ["CBSSKernels", "BSSCore", "BSSTensor", "BSSCodecs"]),
        room(
            "Learning", "Training",
            [
                "CBSSKernels", "BSSCore", "BSSBackend", "BSSTensor", "BSSCodecs", "BSSData", "BSSNetworks",
                "BSSCurriculum",
            ]),
        // MARK: Laboratory
        room("Laboratory", "Plot", ["BSSCore"]),
        room("Laboratory", "Statistics", ["BSSCore", "BSSCurriculum", "BSSTraining"]),
        room("Laboratory", "Runs", ["BSSCore", "BSSPlot", "BSSStatistics"], threads: true),
        room("Laboratory", "Sweep", ["BSSCore", "BSSRuns"]),
        room("Laboratory", "Artifact", ["BSSCore", "BSSStatistics", "BSSRuns"], arranges: true),
        // MARK: Host
        c("CBSSLua", "Host/Lua/C", links: ["lua5.4"]),
        c("CBSSReadline", "Host/Prompt/C"),  // opens GNU readline at run time, links nothing
        room("Host", "Lua", ["CBSSInterrupt", "CBSSLua", "BSSCore", "BSSSandbox"], beside: true),
        room(
            "Host", "Script",
            [
                "BSSCore", "BSSBackend", "BSSCPU", "BSSTensor", "BSSCodecs", "BSSText", "BSSData", "BSSNetworks",
                "BSSCurriculum", "BSSTraining", "BSSPlot", "BSSStatistics", "BSSRuns", "BSSSweep", "BSSLua",
            ]),
        room("Host", "Session", ["BSSCore", "BSSBackend", "BSSLua"]),
        room("Host", "Notebook", ["BSSCore", "BSSLua", "BSSSession"], arranges: true),
        room("Host", "Documentation", ["BSSCore", "BSSLua", "BSSSession", "BSSNotebook"], arranges: true),
        c("CBSSZMQ", "Host/Jupyter/C"),  // opens libzmq at run time, links nothing
        room(
            "Host", "Jupyter", ["CBSSLua", "CBSSZMQ", "BSSCore", "BSSLua", "BSSSession"], beside: true, threads: true,
            arranges: true),
        room(
            "Host", "Commands",
            [
                "BSSCore", "BSSSandbox", "BSSCodecs", "BSSData", "BSSPlot", "BSSRuns", "BSSSweep", "BSSArtifact",
                "BSSLua",
            ], arranges: true),
        room(
            "Host", "Prompt", ["CBSSLua", "CBSSReadline", "BSSCore", "BSSLua", "BSSSession"], beside: true,
            arranges: true),
        .executableTarget(
            name: "bss-lua",
            dependencies: reach(
                "bss-lua",
                [
                    "BSSCore", "BSSScript", "BSSLua", "BSSSession", "BSSPrompt", "BSSNotebook", "BSSDocumentation",
                    "BSSCommands", "BSSJupyter",
                ]),
            path: "Sources/Host/bss-lua", swiftSettings: [.swiftLanguageMode(.v5)]),
        // MARK: tests
        .target(
            name: "_BSSTestSupport", dependencies: reach("_BSSTestSupport", ["BSSCore", "BSSCodecs"]),
            path: "Tests/Support",
            swiftSettings: [.swiftLanguageMode(.v5)]),
        .target(
            name: "_BSSEmulatedCard", dependencies: reach("_BSSEmulatedCard", ["BSSCUDA", "BSSTensor"]),
            path: "Tests/Engine/EmulatedCard", swiftSettings: [.swiftLanguageMode(.v5)]),
        .executableTarget(  // scripts/check-fuzz runs it
            name: "bss-fuzz",
            dependencies: reach(
                "bss-fuzz", ["BSSCore", "BSSCodecs", "BSSText", "BSSData", "BSSSession", "_BSSTestSupport"]),
            path: "Tests/Fuzz", swiftSettings: [.swiftLanguageMode(.v5)]),
        .target(
            name: "_BSSOpTable", dependencies: reach("_BSSOpTable", ["BSSCore", "BSSBackend", "BSSTensor"]),
            path: "Tests/Engine/OpTable", swiftSettings: [.swiftLanguageMode(.v5)]),
        .executableTarget(
            name: "op-table", dependencies: reach("op-table", ["_BSSOpTable"]), path: "Tests/Engine/OpTableProgram",
            swiftSettings: [.swiftLanguageMode(.v5)]),
        .executableTarget(  // what a shut-in process may not do; the tests of Sandbox run it
            name: "jail-escapes", dependencies: ["CBSSSandbox"], path: "Tests/Foundation/Escapes"),
        tests("Foundation", "Sandbox", ["BSSCore", "jail-escapes"]),
        tests("Engine", "CUDA", ["CBSSCUDA", "BSSCore", "BSSBackend", "BSSCPU", "BSSTensor", "_BSSEmulatedCard"]),
        tests(
            "Engine", "Tensor", ["BSSCore", "BSSBackend", "BSSCPU", "BSSCodecs", "_BSSEmulatedCard", "_BSSOpTable"]),
        tests("Learning", "Data", ["BSSCore", "BSSCodecs"]),
        tests(
            "Learning", "Networks",
            ["BSSCore", "BSSBackend", "BSSTensor", "BSSCodecs", "BSSText", "_BSSEmulatedCard"]),
        tests("Learning", "Curriculum", ["BSSCore", "BSSTensor", "BSSCodecs", "_BSSEmulatedCard"]),
        tests(
            "Learning", "Training",
            [
                "BSSCore", "BSSBackend", "BSSCPU", "BSSCUDA", "BSSTensor", "BSSCodecs", "BSSData", "BSSNetworks",
                "BSSCurriculum",
                "_BSSEmulatedCard",
            ]),
        tests("Laboratory", "Plot", ["BSSCore"]),
        tests("Laboratory", "Statistics", ["BSSCore"]),
        tests("Laboratory", "Runs", ["BSSCore", "BSSPlot", "BSSStatistics"]),
        tests("Laboratory", "Sweep", ["BSSCore", "BSSRuns"]),
        tests("Laboratory", "Artifact", ["BSSCore", "BSSRuns"]),
        tests("Host", "Lua", ["CBSSLua", "BSSCore", "bss-lua"]),
        .target(
            name: "_BSSHostile", dependencies: reach("_BSSHostile", ["BSSCore", "BSSLua", "BSSScript"]),
            path: "Tests/Host/Hostile", swiftSettings: [.swiftLanguageMode(.v5)]),
        .executableTarget(
            name: "hostile-script", dependencies: reach("hostile-script", ["_BSSHostile"]),
            path: "Tests/Host/HostileProgram", swiftSettings: [.swiftLanguageMode(.v5)]),
        tests("Host", "Script", ["BSSCore", "BSSCodecs", "BSSLua", "_BSSHostile", "bss-lua"]),
        tests("Host", "Documentation", ["BSSCore", "BSSLua", "BSSSession", "BSSScript"]),
        tests("Host", "Session", ["BSSCore", "BSSLua", "BSSScript", "BSSNotebook", "bss-lua"]),
        tests("Host", "Prompt", ["BSSCore", "bss-lua"]),
        tests("Host", "Jupyter", ["BSSCore", "bss-lua"]),
    ],
    cLanguageStandard: .gnu17
)
