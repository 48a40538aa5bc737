import Foundation

/// One run of the built `bss-lua` binary.
struct ProgramRun {
    let code: Int32
    let out: String
    let error: String
    /// From the last signal to the end, if signals were sent.
    let milliseconds: Double

    /// The binary lies beside the test runner.
    static let binary: String = {
        let runner = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let candidates = ([runner] + CommandLine.arguments).map {
            URL(fileURLWithPath: $0).deletingLastPathComponent().appendingPathComponent("bss-lua").path
        }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "bss-lua"
    }()

    /// - Parameters:
    ///   - input: standard input; a closed pipe by default, never a terminal.
    ///   - signals: sent one after the other once the program has printed "go" and then waited for.
    init(
        _ arguments: [String], input: String = "", environment: [String: String] = [:], outputPath: String? = nil,
        signals: [(number: Int32, after: Double)] = []
    ) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ProgramRun.binary)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.filter {
            !$0.key.hasPrefix("BSS_") && !$0.key.hasPrefix("LUA_")
        }.merging(environment) { $1 }
        let outPipe = Pipe()
        let errorPipe = Pipe()
        let inputPipe = Pipe()
        process.standardOutput = outputPath.map { FileHandle(forWritingAtPath: $0)! } ?? outPipe
        process.standardError = errorPipe
        process.standardInput = inputPipe
        try process.run()
        inputPipe.fileHandleForWriting.write(Data(input.utf8))
        try inputPipe.fileHandleForWriting.close()
        var head = Data()
        if !signals.isEmpty {
            while !String(decoding: head, as: UTF8.self).contains("go") {
                let more = errorPipe.fileHandleForReading.availableData
                if more.isEmpty { break }
                head += more
            }
        }
        var last = DispatchTime.now()
        for signal in signals {
            usleep(UInt32(signal.after * 1e6))
            last = .now()
            kill(process.processIdentifier, signal.number)
        }
        let outData = outputPath == nil ? outPipe.fileHandleForReading.readDataToEndOfFile() : Data()
        head += errorPipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        milliseconds = Double(DispatchTime.now().uptimeNanoseconds - last.uptimeNanoseconds) / 1e6
        code = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
        out = String(decoding: outData, as: UTF8.self)
        error = String(decoding: head, as: UTF8.self)
    }

    /// Runs `text` as a script file.
    static func script(_ text: String, before: [String] = [], after: [String] = []) throws -> ProgramRun {
        let path = NSTemporaryDirectory() + "bss-lua-test-\(UUID().uuidString).lua"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try ProgramRun(before + [path] + after)
    }
}
