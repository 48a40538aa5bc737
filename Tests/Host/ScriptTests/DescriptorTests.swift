import Foundation
import Testing

/// Few file descriptors: a script does what it does with many, or says that it cannot.
@Suite(.oneAtATime) struct DescriptorTests {
    @Test func fewDescriptorsGiveTheSameOrAnError() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write("part.lua", "return { rate = 0.5 }")
        try program.write(
            "s.lua",
            """
            local part = require "part"
            local run = bss.train{ data = bss.data.synthetic{ samples = 200 }, epochs = 2, batch_size = 32, seed = 3 }
            print(run.parameters_hash, run.id, part.rate, #bss.capture(function() print("x") end))
            """)
        let command = "\"\(BuiltProgram.path)\" --quiet --out runs s.lua"
        let expected = try program.shell(command)
        #expect(expected.code == 0 && expected.output.hasSuffix("2\n"), "\(expected.summary)")
        var same = 0
        var refused = 0
        for limit in [4, 5, 6, 7, 8, 9, 10, 12, 16, 24, 64] {
            let outcome = try program.shell("rm -rf runs; ulimit -n \(limit) && \(command)")
            if outcome.code == 0 {
                same += 1
                #expect(outcome.output == expected.output, "limit \(limit): \(outcome.summary)")
            } else {
                refused += 1
                #expect(outcome.signal == nil && !outcome.errors.isEmpty, "limit \(limit): \(outcome.summary)")
            }
        }
        #expect(same > 2)
        print("few descriptors: \(same) runs the same, \(refused) refused with an error")
    }
}
