import BSSCore
import BSSLua

/// What cells gave: `_`, `_2`, `_3`, newest first, and `Out[n]` by the number of the cell.
///
/// Results that hold much are let go: `_2` must not keep a gigabyte alive that nobody named.
struct Results {
    private let state: LuaState
    private var last: [LuaValue?] = []
    /// Objects in `Out` and what they hold, oldest first.
    private var held: [(number: Int, bytes: Int)] = []

    /// An older result with more bytes than this is let go, and `Out` holds no more in all.
    static let keptBytes = 64 << 20
    /// `Out` has so many results at most.
    static let keptCount = 1000
    static let names = ["_", "_2", "_3"]

    init(_ state: LuaState) {
        self.state = state
        makeTable()
    }

    /// Only a full stack throws: then there is no `Out`, and cells run all the same.
    private func makeTable() {
        let code = """
            Out = setmetatable({}, { __index = function(_, n)
              error(("Out[%s] is not there: cell %s gave nothing, or it was let go"):format(n, n), 2)
            end })
            """
        try? state.run(code, name: "=results")  // as said above
    }

    /// - Returns: what was pushed out of `_2` and `_3`, in words for the user.
    mutating func remember(_ value: LuaValue, number: Int) -> String? {
        var note: String?
        var kept: [LuaValue?] = [value]
        for (name, older) in zip(Results.names.dropFirst(), last) {
            guard let older, let object = state.object(of: older), object.byteCount > Results.keptBytes else {
                kept.append(older)
                continue
            }
            kept.append(nil)
            let what = object.summary.split(separator: "\n").first ?? ""
            note = "\(name) is gone: \(what) held \(Timing.size(object.byteCount)); a variable keeps such results"
        }
        last = kept
        for (name, value) in zip(Results.names, last) {
            // Only a full stack throws: a name that then keeps its old value is no reason to end the session.
            if let value { try? state.setGlobal(name, value) } else { try? state.removeGlobal(name) }
        }
        keep(value, number)
        return note
    }

    private mutating func keep(_ value: LuaValue, _ number: Int) {
        held.append((number, state.object(of: value)?.byteCount ?? 0))
        // A variable `Out` of the user's own stays as it is, as it does where the stack is full.
        try? state.setElement(of: "Out", number, value)
        while held.count > Results.keptCount || held.reduce(0, { $0 + $1.bytes }) > Results.keptBytes {
            let drop = held.firstIndex { $0.bytes > 0 } ?? 0
            try? state.setElement(of: "Out", held.remove(at: drop).number, nil)  // as said above
        }
    }

    /// Forgets everything, so that it can be collected.
    mutating func forget() {
        (last, held) = ([], [])
        // Only a full stack throws; the next result replaces what is left.
        for name in Results.names { try? state.removeGlobal(name) }
        makeTable()
    }
}
