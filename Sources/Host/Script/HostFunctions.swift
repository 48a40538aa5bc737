import BSSCPU
import BSSCore
import BSSLua
import BSSTensor
import Glibc

/// Functions about the process itself.
enum HostFunctions {
    private static let body = Argument<Callback>("body", "what to run"),
        echo = Argument("echo", default: false, "show it as well")
    /// Kept of an output; the rest is counted only.
    private static let captured = 64 << 20

    static func make(_ workbench: Workbench, _ state: LuaState) -> [Function] {
        [
            Function("version", "Version of this program.", returns: "string", example: "bss.version()") { _ in
                [.string(API.version)]
            },
            Function("clock", "Seconds of a steady clock, for differences.", returns: "number", example: "bss.clock()")
            { _ in [.number(Clock.seconds())] },
            Function(
                "engine", "Backend, device and instruction set in use.", returns: "table",
                example: "bss.engine().backend"
            ) { _ in [.table(workbench.engine)] },
            Function(
                "capture",
                "Runs a function and gives what it wrote to standard output, print and C alike, as text; "
                    + "then its results.",
                [body, echo], returns: "string, …", example: "#bss.capture(function() print(6 * 7) end)",
                style: .positional
            ) { a in
                Glibc.fflush(stdout)
                guard OutputCapture.begin(limit: captured, tee: a[echo]) else {
                    throw BSSError("bss.capture", "the system gave no pipe or thread", kind: .output)
                }
                let results: [Value]
                do { results = try a[body].function.call([]) } catch {
                    _ = OutputCapture.end()
                    throw error
                }
                let (bytes, total) = OutputCapture.end()
                guard total == bytes.count else {
                    throw BSSError(
                        "bss.capture", "the function wrote \(total) bytes, more than the \(captured) that are kept")
                }
                return [.string(String(decoding: bytes, as: UTF8.self))] + results
            },
            Function(
                "live_objects", "Host objects and tensors alive now; for finding leaks.", returns: "table",
                example: "bss.live_objects().tensors"
            ) { _ in
                [
                    .fields([
                        ("objects", .int(state.liveObjects)), ("tensors", .int(Tensor.liveCount)),
                        ("bytes", .int(CPUBackend.shared.liveBytes)),
                    ])
                ]
            },
        ]
    }
}
