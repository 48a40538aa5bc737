import BSSCodecs
import BSSCore
import BSSLua
import BSSScript
import Foundation
import _BSSTestSupport

/// Runs a case in a Lua state of its own, as a script would be, and compares.
struct OfficialRun {
    let item: OfficialCase
    private let state: LuaState
    /// For states that go in and come out.
    private let scratch: String

    init(_ item: OfficialCase) throws {
        self.item = item
        scratch = try Scratch.folder("official-\(item.name)")
        state = try LuaState()
        try state.install(API.make(state, RunOptions()))
    }

    /// What differs, one line each.
    /// - Throws: what the case's script throws, or an unknown kind.
    func failures() throws -> [String] {
        defer {
            state.close()
            Scratch.remove(scratch)
        }
        switch item.kind {
        case "script": return try script()
        case "train": return try train()
        case "noise": return try noise()
        default: throw BSSError("official fixtures", "unknown kind '\(item.kind)'", kind: .data)
        }
    }

    private func compared(_ results: Table) throws -> [String] {
        let values = try item.expectations()["values"]?.table?.items ?? []
        return values.compactMap { OfficialValue.mismatch($0.table ?? Table(), in: results) }
    }

    // MARK: Kinds

    private func script() throws -> [String] {
        try check(known: ["lua"])
        guard let text = item.product["lua"]?.string else { throw lacks("lua") }
        try state.setGlobal("input", item.input())
        let result = try state.run(text + "\nreturn result", name: "@" + item.name).first ?? .null
        guard let count = try item.expectations()["values"]?.table?.items.count, count > 0 else {
            throw lacks("values")
        }
        return try compared(Table(fields: [("value", result)]))
    }

    private func train() throws -> [String] {
        try check(known: Set(Self.trainingKeys + ["sweep"]))
        let parameters = try item.parameters()
        let values = try item.expectations()["values"]?.table?.items ?? []
        guard !parameters.isEmpty || !values.isEmpty else { throw lacks("anything expected") }
        let trainer = try prepared()
        var found: [String] = []
        for (epoch, wanted) in parameters.sorted(by: { $0.key < $1.key }) {
            let got = try self.parameters(trainer, [("stop", .int(epoch))])
            for (name, tensor) in wanted.sorted(by: { $0.key < $1.key }) {
                found +=
                    try OfficialValue.mismatch("epoch \(epoch) \(name)", got[name], tensor, item.tolerance).map { [$0] }
                    ?? []
            }
        }
        if values.isEmpty { return found }
        var shown = Table()
        if let sweep = item.product["sweep"]?.table {
            shown["runs"] = .fields(
                try sweep.fields.map { name, options in
                    (name, try results(of: trainer, [("options", .table(evaluated(options.table ?? Table())))]))
                })
        } else {
            shown = try results(of: trainer, []).table ?? Table()
        }
        return try found + compared(shown)
    }

    /// Mean and deviation of the noise in every tensor, in standard errors.
    private func noise() throws -> [String] {
        try check(known: Set(Self.trainingKeys + ["rebalance_without_noise", "seeds"]))
        guard let quiet = item.product["rebalance_without_noise"]?.string, let seeds = item.product["seeds"]?.int,
            let deviations = try item.expectations()["deviation"]?.table, let first = item.product["seed"]?.int
        else { throw lacks("rebalance_without_noise, seeds, seed or deviation") }
        let trainer = try prepared()
        let still = try parameters(trainer, [("options", .table(evaluated(["rebalance": quiet])))])
        var noise: [String: [Double]] = [:]
        for seed in first..<first + seeds {
            let got = try parameters(trainer, [("options", .fields([("seed", .int(seed))]))])
            for (name, tensor) in got {
                guard let base = still[name] else { return ["\(name): only with noise"] }
                noise[name, default: []] += try zip(tensor.floats(), base.floats()).map { Double($0) - Double($1) }
            }
        }
        var found: [String] = []
        for (name, values) in noise.sorted(by: { $0.key < $1.key }) {
            guard let deviation = deviations[name]?.double else {
                if values.contains(where: { $0 != 0 }) { found.append("\(name): has noise") }
                continue
            }
            let count = Double(values.count)
            let mean = values.reduce(0, +) / count
            let spread = (values.reduce(0.0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)).squareRoot()
            let errors = [
                mean / (deviation / count.squareRoot()), (spread - deviation) / (deviation / (2 * count).squareRoot()),
            ]
            if errors.contains(where: { !(abs($0) <= item.tolerance) }) {
                found.append(
                    "\(name): mean \(mean), deviation \(spread) (expected 0, \(deviation)): \(errors) standard errors")
            }
        }
        return found + deviations.keys.filter { noise[$0] == nil }.map { "\($0): no such tensor" }
    }

    // MARK: Training

    private static let trainingKeys = [
        "encoders", "fusion", "rebalance", "scheduler", "optimizer", "epochs", "batch_size", "seed", "alpha",
        "sample_loss",
        "model_options",
    ]

    private func check(known: Set<String>) throws {
        if let stranger = item.product.keys.first(where: { !known.contains($0) }) {
            throw BSSError("official fixtures", "\(item.name): unknown key '\(stranger)' of product", kind: .data)
        }
    }

    private func lacks(_ what: String) -> BSSError {
        BSSError("official fixtures", "\(item.name) lacks \(what)", kind: .data)
    }

    /// `function{ options =, stop =, save = }` that trains once.
    private func prepared() throws -> LuaFunction {
        let product = item.product
        func fields(_ key: String) -> String {
            (product[key]?.table?.fields ?? []).map { "\($0.key) = \($0.value.string ?? "nil")" }.joined(
                separator: ", ")
        }
        func plain(_ key: String) throws -> String {
            guard let number = product[key]?.double else { throw lacks(key) }
            return Text.number(number)
        }
        var options = ["epochs", "batch_size", "seed"].compactMap { key in product[key]?.int.map { "\(key) = \($0)" } }
        for key in ["rebalance", "scheduler", "optimizer", "sample_loss"] {
            if let text = product[key]?.string { options.append("\(key) = \(text)") }
        }
        if product["alpha"]?.double != nil { options.append("alpha = \(try plain("alpha"))") }
        let model = [fields("encoders"), "fusion = \(product["fusion"]?.string ?? "nil")", fields("model_options")]
        try item.writeState(to: scratch + "/init.safetensors")
        let orders = try item.orders()?.map { Value.list($0.map(Value.int)) }
        try state.setGlobal("orders", orders.map { Value.list($0) } ?? .null)
        let text = """
            local data = bss.data.npz{ path = "\(item.folder)/data.npz", standardise = false }
            return function(how)
              local model = bss.model{ \(model.filter { !$0.isEmpty }.joined(separator: ", ")) }
              local options = { \(options.joined(separator: ", ")) }
              for key, value in pairs(how.options or {}) do options[key] = value end
              options.data, options.record = data, false
              options.model = model:build(data, options.seed):load("\(scratch)/init.safetensors")
              local shown = {}
              options.on_epoch = function(e)
                shown[#shown + 1] = { order = e.order, scores = e.scores }
                return #shown ~= how.stop
              end
              local run = bss.train(options)
              if how.save then run.model:save(how.save) end
              local epochs = run.history
              for i, epoch in ipairs(epochs) do epoch.order, epoch.scores = shown[i].order, shown[i].scores end
              return { epochs = epochs, scores = run.scores }
            end
            """
        guard case .function(let made)? = try state.run(text, name: "@" + item.name).first,
            let made = made as? LuaFunction
        else { throw BSSError("official fixtures", "\(item.name): no function") }
        return made
    }

    private func results(of trainer: LuaFunction, _ how: [(String, Value)]) throws -> Value {
        try trainer.call([.fields(how)]).first ?? .null
    }

    private func parameters(_ trainer: LuaFunction, _ how: [(String, Value)]) throws -> [String: StoredTensor] {
        let path = scratch + "/after.safetensors"
        _ = try results(of: trainer, how + [("save", .string(path))])
        return Dictionary(uniqueKeysWithValues: try Safetensors(path).tensors.map { ($0.name, $0.tensor) })
    }

    /// Options given as Lua text.
    private func evaluated(_ options: [String: String]) throws -> Table {
        try evaluated(Table(fields: options.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }
    private func evaluated(_ options: Table) throws -> Table {
        Table(
            fields: try options.fields.map { key, text in
                (key, try state.run("return \(text.string ?? "nil")", name: "=" + key).first ?? .null)
            })
    }
}

/// A folder for the time of a test.
enum Scratch {
    static func folder(_ name: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/bss-\(name)-\(UInt32.random(in: 0 ... .max))"
        try Files.makeFolder(path)
        return path
    }
    static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }
}
