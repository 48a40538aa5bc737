import BSSBackendCPU
import BSSCore
import BSSLuaHost
import BSSTensor
import Glibc

/// Functions about the process itself.
enum HostFunctions {
    static func make(_ session: Session, _ state: LuaState) -> [Function] {
        [
            Function("version", "Version of this program.", returns: "string", example: "bss.version()") { _ in [.string(API.version)] },
            Function("clock", "Seconds of a steady clock, for differences.", returns: "number", example: "bss.clock()") { _ in
                var time = timespec()
                clock_gettime(CLOCK_MONOTONIC, &time)
                return [.number(Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9)]
            },
            Function("engine", "Backend, device and instruction set in use.", returns: "table", example: "bss.engine().backend") { _ in [.table(session.engine)] },
            Function("live_objects", "Host objects and tensors alive now; for finding leaks.", returns: "table", example: "bss.live_objects().tensors") { _ in
                [.fields([("objects", .int(state.liveObjects)), ("tensors", .int(Tensor.liveCount)), ("bytes", .int(CPUBackend.shared.liveBytes))])]
            },
        ]
    }
}
