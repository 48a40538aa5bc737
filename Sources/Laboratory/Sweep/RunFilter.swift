import BSSCore
import BSSRuns

/// `--only`: which of the planned runs, by `Conditions` on `arm`, `seed`, fields of the arm and parameters.
public struct RunFilter {
    private let conditions: Conditions

    /// - Throws: kind `.usage` for an empty condition.
    public init(_ text: String) throws { conditions = try Conditions(text, operation: "--only") }

    public func holds(_ run: RunStore.PlannedRun) -> Bool {
        conditions.hold { key in
            switch key {
            case "arm", "name": return .string(run.name)
            case "seed": return run.content["seed"]
            default:
                return run.content.value(atPath: "arm.\(key)") ?? run.content.value(atPath: "parameters.\(key)")
            }
        }
    }
}
