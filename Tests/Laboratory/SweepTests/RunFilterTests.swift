import BSSCore
import BSSRuns
import BSSSweep
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct RunFilterTests {
    private let run = RunStore.PlannedRun(
        id: "a", name: "BSS-L, PreSim",
        content: Table(fields: [
            ("seed", .int(3)), ("arm", .fields([("name", .string("BSS-L, PreSim")), ("alpha", .number(0.2))])),
            ("parameters", .fields([("data", .string("mosi"))])),
        ]))

    @Test(
        "names, seeds, fields of arms, parameters; * stands for any text",
        arguments: [
            ("BSS-L*", true), ("*PreSim", true), ("*S-*Pre*", true), ("BSS", false), ("seed=3", true),
            ("seed=4", false),
            ("alpha=0.2,seed=3", true), ("alpha=0.3", false), ("data=mo*", true), ("none=1", false), ("*", true),
            ("arm=*SimSim", false), ("B*B*", false), ("seed>2", true), ("seed>=4", false), ("alpha<=0.2", true),
            ("alpha<0.2 and seed=3", false), ("seed!=4", true), ("data>1", false), ("BSS-L*  and  seed=3", true),
        ])
    func holds(text: String, wanted: Bool) throws { #expect(try RunFilter(text).holds(run) == wanted) }

    @Test(arguments: ["", "a,", "=3", "seed=", "seed>", "seed>x", "a and ", "seed!3"])
    func wrong(text: String) { #expect(throws: BSSError.self) { try RunFilter(text) } }
}
