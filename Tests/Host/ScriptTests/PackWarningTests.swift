import BSSCore
import Testing

@Suite(.oneAtATime) struct PackWarningTests {
    @Test("pack says what verify will say: runs taken over from another text of the script")
    func otherScript() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let script = """
            local data = bss.data.synthetic{ samples = 60 }
            bss.experiment{ name = "t", seeds = 1, arms = { { name = "a" } }, metrics = { "last.test.total.accuracy" },
              run = function(p, arm, seed) return bss.train{ data = data, epochs = 1, seed = seed } end }
            """
        try program.write("s.lua", script)
        #expect(try program.run(["--quiet", "--out", "o", "s.lua"]).code == 0)
        let clean = try program.run(["pack", "o", "-o", "a.bss"])
        #expect(clean.code == 0 && !clean.errors.contains("verify will differ"), "\(clean.summary)")
        try program.write("s.lua", "-- changed\n" + script)
        #expect(try program.run(["--quiet", "--out", "o", "s.lua"]).code == 0)
        let changed = try program.run(["pack", "o", "-o", "b.bss"])
        #expect(changed.code == 0 && changed.errors.contains("verify will differ: run "), "\(changed.summary)")
        #expect(changed.errors.contains("ran another src/s.lua"), "\(changed.summary)")
    }
}
