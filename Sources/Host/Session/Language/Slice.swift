/// Which cells a result needs: backward from the names asked for, over what every cell reads, writes and may change.
///
/// Source: M. Weiser, "Program slicing", ICSE 1981, at the level of cells instead of statements. Deviation: order is
/// kept and nothing is executed; tables shared between names, calls of functions defined in earlier cells and random
/// streams are followed conservatively, so that the slice computes the same values.
public enum Slice {
    /// Positions (from 0) of the cells that the present values of `names` depend on, in order.
    public static func dependencies(of names: [String], in cells: [String]) -> [Int] {
        dependencies(of: Set(names), roots: [], Session(cells))
    }

    /// Positions of the cells that the given cells depend on, these included.
    public static func dependencies(ofCells roots: [Int], in cells: [String]) -> [Int] {
        dependencies(of: [], roots: Set(roots), Session(cells))
    }

    private static func dependencies(of names: Set<String>, roots: Set<Int>, _ session: Session) -> [Int] {
        var needed = names
        var needsEverything = false
        var kept: [Int] = []
        // Names asked for are wanted as they are after the last cell; with cells, as each of them left things.
        for i in session.effects.indices.reversed() {
            let effect = session.effects[i]
            let changes = effect.writes.union(session.sharing(effect.mutates))
            let isWanted =
                roots.contains(i) || effect.hasUnknownEffects || !changes.isDisjoint(with: needed)
                || (needsEverything && !changes.isEmpty)
            guard isWanted, !effect.isEmpty else { continue }
            kept.append(i)
            needed.subtract(effect.strongWrites)
            needed.formUnion(effect.reads.union(effect.mutates))
            needsEverything = needsEverything || effect.readsAnything
        }
        return kept.reversed()
    }

    /// Effects of all cells with the functions they call followed into the cells that define them.
    private struct Session {
        private(set) var effects: [CellNames]
        private var parent: [String: String] = [:]

        init(_ cells: [String]) {
            effects = cells.map(CellParser.names)
            var bodies: [String: CellNames] = [:]  // what calling (or using) a name may do
            for i in effects.indices {
                var reached: Set<String> = []
                var queue = Array(effects[i].reads)
                while let name = queue.popLast() {
                    guard reached.insert(name).inserted, let body = bodies[name] else { continue }
                    effects[i].reads.formUnion(body.bodyReads)
                    effects[i].writes.formUnion(body.bodyWrites)
                    effects[i].mutates.formUnion(body.bodyMutates)
                    if body.hasUnknownEffects { effects[i].hasUnknownEffects = true }
                    if body.readsAnything { effects[i].readsAnything = true }
                    queue += body.bodyReads
                }
                for call in effects[i].calls {
                    let isDefined =
                        bodies[call.function]?.functions.contains(call.function)
                        ?? effects[i].functions.contains(call.function)
                    let changesArguments =
                        bodies[call.function]?.bodiesChangeParameters ?? effects[i].bodiesChangeParameters
                    if !isDefined || changesArguments { effects[i].mutates.formUnion(call.arguments) }
                    if !isDefined { effects[i].mutates.insert(call.function) }
                }
                for name in effects[i].direct.union(effects[i].calls.flatMap(\.arguments)) {
                    var body = bodies[name] ?? CellNames()
                    if effects[i].strongWrites.contains(name) { body = CellNames() }
                    body.bodyReads.formUnion(effects[i].bodyReads)
                    body.bodyWrites.formUnion(effects[i].bodyWrites)
                    body.bodyMutates.formUnion(effects[i].bodyMutates)
                    body.bodiesChangeParameters = body.bodiesChangeParameters || effects[i].bodiesChangeParameters
                    if effects[i].functions.contains(name) {
                        body.functions.insert(name)
                    } else if effects[i].direct.contains(name), effects[i].writes.contains(name) {
                        body.functions.remove(name)
                    }
                    if !effects[i].functions.isEmpty {
                        body.hasUnknownEffects = body.hasUnknownEffects || effects[i].hasUnknownEffects
                        body.readsAnything = body.readsAnything || effects[i].readsAnything
                    }
                    bodies[name] = body
                }
                for (a, b) in effects[i].shared { join(a, b) }
            }
        }

        private func root(_ name: String) -> String {
            var at = name
            while let up = parent[at] { at = up }
            return at
        }

        private mutating func join(_ a: String, _ b: String) {
            let (a, b) = (root(a), root(b))
            if a != b { parent[a] = b }
        }

        /// The names and all that may share a table with one of them.
        func sharing(_ names: Set<String>) -> Set<String> {
            let roots = Set(names.map(root))
            return names.union(parent.keys.filter { roots.contains(root($0)) }).union(roots)
        }
    }
}
