import BSSCore
import Testing

/// A tensor stands where a list of positions or labels may; a list keeps its digits where a tensor of f32 would not.
@Suite(.oneAtATime) struct TensorAsListTests {
    private static let script = """
        local first = 0
        for seed = 1, 400 do
          if bss.weighted_order({ 3e-300, 1e-300 }, seed):totable()[1] == 1 then first = first + 1 end
        end
        print(first > 260 and first < 340, first)
        print(#bss.weighted_order({ 3e305, 1e305 }, 1):totable())
        local function order() return bss.weighted_order({ 1, 2, 3 }, 7) end
        local wanted = table.concat(order():totable(), " ")
        local n = { 0, n = 3 }
        for _, answer in ipairs{ order, function() return { order = order(), weights = bss.tensor{ 1, 2, 3 } } end } do
          print(table.concat(bss.scheduler.custom(answer):order(n), " ") == wanted)
        end
        print(pcall(function() return bss.scheduler.custom(function() return bss.tensor{ 1.5, 2 } end):order(n) end))
        local logits = { a = { { 2, 1 }, { 0, 3 } }, b = { { 1, 0 }, { 2, 0 } } }
        local measurer = bss.measurer{ "loss" }
        local list = measurer:score{ logits = logits, w_multi = 0, labels = { 1, 2 } }
        local tensor = measurer:score{ logits = logits, w_multi = 0, labels = bss.tensor({ 1, 2 }, "i64") }
        print(list[1] == tensor[1] and list[2] == tensor[2])
        """

    @Test func tensorsAndLists() throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write("s.lua", Self.script)
        let outcome = try program.run(["--quiet", "s.lua"], limit: 60)
        let lines = outcome.output.split(separator: "\n").map(String.init)
        #expect(outcome.code == 0 && lines.count == 6, "\(outcome.summary)")
        guard lines.count == 6 else { return }
        #expect(lines[0].hasPrefix("true") && lines[1] == "2" && lines[2...3] == ["true", "true"], "\(lines)")
        #expect(lines[4].contains("number 1.5 as entry 1") && lines[5] == "true", "\(lines)")
    }
}
