import BSSCore
import Testing

@testable import BSSLua

/// Suites that count living objects: one after the other.
@Suite(.serialized) struct LiveObjectTests {}

/// A host object with everything the host derives from a declaration.
final class Counter: HostObject {
    nonisolated(unsafe) static var alive = 0
    var count: Int
    let bytes: Int

    init(_ count: Int, bytes: Int = 0) {
        self.count = count
        self.bytes = bytes
        Counter.alive += 1
    }
    deinit { Counter.alive -= 1 }

    var objectType: ObjectType { Counter.type }
    var byteCount: Int { bytes }
    var summary: String { "counter at \(count)" }
    var memberNames: [String] { ["one", "two"] }
    func member(_ name: String) -> Value? { ["one": .int(1), "two": .int(2)][name] }
    func element(_ index: Int) throws -> Value? { (1...count).contains(index) ? .int(index * 10) : nil }

    private static let by = Argument<Int>("by", default: 1, "how much")

    static let type = ObjectType(
        "counter", help: "Counts.",
        methods: [
            Function("add", "adds", [by], returns: "the counter", style: .positional) { a in
                let counter = try a.receiver(as: Counter.self)
                counter.count += a[by]
                return [.object(counter)]
            },
            Function("fail", "fails") { _ in throw BSSError("fail", "always", hint: "never call it") },
        ],
        properties: [Property("total", "the count") { (c: Counter) in .int(c.count) }],
        operators: [
            "__len": { operands in .int((operands[0].counter)?.count ?? -operands.count) },
            "__add": { operands in .object(Counter(operands.reduce(0) { $0 + ($1.int ?? $1.counter?.count ?? 0) })) },
            "__eq": { operands in .bool(operands[0].counter?.count == operands[1].counter?.count) },
        ])
}

extension Value {
    var counter: Counter? { if case .object(let o) = self { return o as? Counter } else { return nil } }
}

/// A state with a small `host` namespace.
func makeState() throws -> LuaState {
    let state = try LuaState()
    state.installStandardReplacements(seed: 1)
    let x = Argument<Value>("x", default: .null, "anything")
    let start = Argument<Int>("start", default: 0, "first count", check: .atLeast(0))
    let function = Argument<Callback>("f", "called with 21")
    try state.install(
        Namespace("host", "For tests.") {
            [
                .function(Function("echo", "gives it back", [x], style: .positional) { a in [a[x]] }),
                .function(
                    Function("count", "a counter", [start], returns: "counter") { a in [.object(Counter(a[start]))] }),
                .function(
                    Function("big", "a counter that says it is big") { _ in [.object(Counter(1, bytes: 1 << 20))] }),
                .function(
                    Function("call", "calls", [function], style: .positional) { a in
                        try a[function].function.call([.int(21)])
                    }),
                .function(
                    Function("fail", "throws") { _ in
                        throw BSSError("engine", "no such thing", hint: "try another", kind: .data)
                    }),
                .function(
                    Function("spin", "polls the interrupt flag") { _ in
                        while true { try Cancellation.check("spin") }
                    }),
                .function(
                    Function(
                        "mul", "product", [Argument<Double>("a", "left"), Argument<Double>("b", "right")],
                        style: .positional, numeric: { $0 * $1 }
                    ) { a in
                        [.number(a[Argument<Double>("a", "")] * a[Argument<Double>("b", "")])]
                    }),
                .namespace(Namespace("inner", "Inside.") { [.value("answer", "forty-two", make: { .int(42) })] }),
            ]
        })
    return state
}
