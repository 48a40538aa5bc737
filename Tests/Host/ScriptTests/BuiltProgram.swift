import BSSCore
import Foundation
import _BSSTestSupport

/// The built `bss-lua` as users run it: a child process in a folder of its own.
struct BuiltProgram {
    struct Outcome {
        var code: Int32
        /// The signal that ended it, if one did.
        var signal: Int32?
        var output: String
        var errors: String
        var seconds: Double
        var summary: String {
            """
            exit \(code)\(signal.map { ", signal \($0)" } ?? ""), stdout: \(output.suffix(600)), \
            stderr: \(errors.prefix(1500))
            """
        }
    }

    static let path = Products.path(of: "bss-lua")
    static let packageRoot = Repository.root
    static let sharedData = Repository.shared + "/data"
    static var hasSharedData: Bool { Files.isFolder(sharedData) }

    /// The working folder; removed with `remove`.
    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/bss-lua-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    func write(_ name: String, _ text: String) throws { try Files.write(text, to: "\(folder)/\(name)") }
    func read(_ name: String) throws -> Table {
        try JSON.parse(Files.readText("\(folder)/\(name)"), source: name).table ?? Table()
    }

    /// Runs to its end, or until `interrupt` sends a signal after some seconds, or `stop` when something holds; ends it
    /// after `limit` seconds in any case.
    func run(
        _ arguments: [String], of executable: String = BuiltProgram.path, input: String = "",
        environment: [String: String] = [:], output: String? = nil,
        interrupt: (after: Double, signal: Int32)? = nil, stop: (signal: Int32, when: () -> Bool)? = nil,
        limit: Double = 300
    ) throws -> Outcome {
        let child = Process()
        child.executableURL = URL(fileURLWithPath: executable)
        child.arguments = arguments
        child.currentDirectoryURL = URL(fileURLWithPath: folder)
        var variables = ProcessInfo.processInfo.environment.filter {
            !$0.key.hasPrefix("BSS_") && !$0.key.hasPrefix("LUA")
        }
        for (name, value) in environment { variables[name] = value }
        child.environment = variables
        // Files, not pipes: nothing can block.
        let tag = UUID().uuidString
        let out = output ?? "\(folder)/.out-\(tag)"
        let err = "\(folder)/.err-\(tag)"
        let given = "\(folder)/.in-\(tag)"
        try Files.write(input, to: given)
        if output == nil { _ = FileManager.default.createFile(atPath: out, contents: nil) }
        _ = FileManager.default.createFile(atPath: err, contents: nil)
        defer { for path in [err, given] + (output == nil ? [out] : []) { Files.remove(path) } }
        child.standardInput = FileHandle(forReadingAtPath: given)
        child.standardOutput = FileHandle(forWritingAtPath: out)
        child.standardError = FileHandle(forWritingAtPath: err)
        let start = Date()
        try child.run()
        var signalled = start
        var isSignalled = false
        while child.isRunning {
            let elapsed = Date().timeIntervalSince(start)
            let due = interrupt.flatMap { elapsed >= $0.after ? $0.signal : nil }
            if !isSignalled, let signal = due ?? stop.flatMap({ $0.when() ? $0.signal : nil }) {
                kill(child.processIdentifier, signal)
                signalled = Date()
                isSignalled = true
            }
            if elapsed > limit { kill(child.processIdentifier, SIGKILL) }
            usleep(2000)
        }
        child.waitUntilExit()
        let seconds = Date().timeIntervalSince(isSignalled ? signalled : start)
        let died = child.terminationReason == .uncaughtSignal
        return Outcome(
            code: died ? 128 + child.terminationStatus : child.terminationStatus,
            signal: died ? child.terminationStatus : nil,
            output: output == nil ? (try? Files.readText(out)) ?? "" : "", errors: (try? Files.readText(err)) ?? "",
            seconds: seconds)
    }

    /// Runs a command line of the shell in the working folder.
    func shell(_ text: String) throws -> Outcome { try run(["-c", text], of: "/bin/bash") }

    /// Runs a script's text from a file, recording nothing unless asked.
    func script(
        _ text: String, _ options: [String] = [], interrupt: (after: Double, signal: Int32)? = nil, limit: Double = 300
    ) throws -> Outcome {
        try write("script.lua", text)
        return try run(["--quiet"] + options + ["script.lua"], interrupt: interrupt, limit: limit)
    }
}
