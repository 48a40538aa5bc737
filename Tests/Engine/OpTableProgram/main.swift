import BSSTensor
import Glibc
import _BSSOpTable

// The op table as a program of its own: small enough to be built with sanitizers by every run of scripts/check-asan.
// `--card`: on the first NVIDIA card, as scripts/gpu-check wants it.

do {
    let traces = CommandLine.arguments.contains("--trace")
    let isOnCard = CommandLine.arguments.contains("--card")
    if isOnCard { Devices.current = try Devices.backend(for: .cuda(0)) }
    var table = OpTable { if traces { print($0) } }
    try table.run(big: !isOnCard)
    for failure in table.failures.prefix(100) { print("FAIL \(failure)") }
    print(
        "op table: \(table.calls) calls, \(table.refusals) refused with a reason, \(table.gradients) gradients, "
            + "\(table.failures.count) failures")
    exit(table.failures.isEmpty ? 0 : 1)
} catch {
    fatalError("the op table stopped: \(error)")
}
