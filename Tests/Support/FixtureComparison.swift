import BSSCodecs
import BSSCore

extension FixtureCase {
    /// Why `got` does not reproduce the array `name` within its tolerance; `nil` if it does.
    ///
    /// rtol/atol: |got - ref| <= atol + rtol |ref| for every element. exact: equal. tolerance_array: a limit per
    /// element. rel_l2: |got - ref|_2 <= rel_l2 |ref|_2. max_abs, mean_abs: largest and mean |got - ref|. NaN must meet
    /// NaN and an infinity the same infinity.
    public func mismatch(_ name: String, _ got: NpyArray) throws -> String? {
        guard let wanted = description(of: name) else { return "\(name): the case has no such array" }
        let reference = try array(name)
        guard got.shape == reference.shape else { return "\(name): shape \(got.shape), expected \(reference.shape)" }
        guard got.count == (got.doubles?.count ?? got.strings?.count) else {
            return "\(name): \(got.described) with another number of elements"
        }
        if let text = reference.strings { return got.strings == text ? nil : "\(name): the text differs" }
        if wanted.isExact, case .integers(let a) = got.elements, case .integers(let b) = reference.elements {
            return a.indices.first { a[$0] != b[$0] }.map {
                "\(name)[\(position($0, got.shape))]: \(a[$0]), expected exactly \(b[$0])"
            }
        }
        guard let a = got.doubles, let b = reference.doubles else {
            return "\(name): numbers expected, got \(got.described)"
        }
        let limits = try wanted.toleranceArray.map { try array($0).doubles ?? [] }
        let checksElements = wanted.isExact || limits != nil || wanted.rtol != nil || wanted.atol != nil
        let checksWhole = wanted.relL2 != nil || wanted.maxAbs != nil || wanted.meanAbs != nil
        guard checksElements || checksWhole else {
            return "\(name): no rule to compare by (statistical arrays are checked by their own suite)"
        }

        var worst: (index: Int, excess: Double)?
        var differenceSquared = 0.0
        var referenceSquared = 0.0
        var largest = 0.0
        var sum = 0.0
        for i in a.indices {
            if b[i].isNaN || b[i].isInfinite || !a[i].isFinite {
                if !(a[i] == b[i] || (a[i].isNaN && b[i].isNaN)) {
                    return "\(name)[\(position(i, got.shape))]: \(a[i]), expected \(b[i])"
                }
                continue
            }
            let difference = abs(a[i] - b[i])
            if checksElements {
                let limit = wanted.isExact ? 0 : limits?[i] ?? ((wanted.atol ?? 0) + (wanted.rtol ?? 0) * abs(b[i]))
                if difference > limit {
                    let excess = limit > 0 ? difference / limit : .infinity
                    if excess > worst?.excess ?? 0 { worst = (i, excess) }
                }
            }
            differenceSquared += difference * difference
            referenceSquared += b[i] * b[i]
            largest = max(largest, difference)
            sum += difference
        }
        if let worst {
            let at = worst.index, times = Text.fixed(worst.excess, 2)
            return "\(name)[\(position(at, got.shape))]: \(a[at]), expected \(b[at]) (\(times) times the tolerance)"
        }
        if let limit = wanted.relL2, differenceSquared.squareRoot() > limit * referenceSquared.squareRoot() {
            let distance = (differenceSquared / referenceSquared).squareRoot()
            return "\(name): relative distance \(distance), at most \(limit) allowed"
        }
        if let limit = wanted.maxAbs, largest > limit {
            return "\(name): largest difference \(largest), at most \(limit) allowed"
        }
        if let limit = wanted.meanAbs, !a.isEmpty, sum / Double(a.count) > limit {
            return "\(name): mean difference \(sum / Double(a.count)), at most \(limit) allowed"
        }
        return nil
    }

    private func position(_ index: Int, _ shape: [Int]) -> String {
        var rest = index
        var parts: [String] = []
        for extent in shape.reversed() where extent > 0 {
            parts.append(String(rest % extent))
            rest /= extent
        }
        return parts.reversed().joined(separator: ", ")
    }
}

/// Thrown by a case's body when a library that the case needs is optional and absent: counted and printed, not failed.
public struct FixtureAbsent: Error {
    public let what: String
    public init(_ what: String) { self.what = what }
}

/// Runs every case of a group and says how many ran.
///
/// ```swift
/// @Suite struct SignalFixtureTests {
///     @Test func signal() throws {
///         for failure in try FixtureGroup.run("signal", { try outputs(of: $0) }) { Issue.record("\(failure)") }
///     }
/// }
/// ```
public enum FixtureGroup {
    /// - Parameters:
    ///   - only: cases that this suite answers for; the others of the group belong to another suite.
    ///   - handled: results that `body` checks itself (statistical ones, for example), by array name.
    ///   - body: computes a case and returns its results by array name. Every array whose role is `output` or
    ///     `grad_of_…`
    ///     must be among them. An operation that it does not know must throw.
    /// - Returns: one line a failed case, empty if all is well.
    public static func run(
        _ group: String, only: (FixtureCase) -> Bool = { _ in true },
        handled: (FixtureCase, FixtureArray) -> Bool = { _, _ in false },
        _ body: (FixtureCase) throws -> [String: NpyArray]
    ) throws -> [String] {
        guard FixtureFolder.isPresent else {
            FixtureFolder.reportAbsence(group)
            return []
        }
        let cases = try FixtureFolder.open().cases(group: group).filter(only)
        var failures: [String] = []
        var absent: [String] = []
        for item in cases {
            do {
                let got = try body(item)
                for wanted in item.arrays where wanted.isResult && !handled(item, wanted) {
                    guard let array = got[wanted.name] else {
                        failures.append("\(item.id) (\(item.op)): result '\(wanted.name)' was not computed")
                        continue
                    }
                    if let mismatch = try item.mismatch(wanted.name, array) {
                        failures.append("\(item.id) (\(item.op)): \(mismatch)")
                    }
                }
            } catch let missing as FixtureAbsent {
                absent.append("\(item.id): \(missing.what)")
            } catch {
                failures.append("\(item.id) (\(item.op)): \(error)")
            }
        }
        print(
            "\(group): \(cases.count - absent.count) of \(cases.count) ran"
                + (failures.isEmpty ? "" : ", \(failures.count) failures"))
        for line in absent { print("  not run: \(line)") }
        if cases.isEmpty { failures.append("the folder \(FixtureFolder.location) has no case of group '\(group)'") }
        return failures
    }
}
