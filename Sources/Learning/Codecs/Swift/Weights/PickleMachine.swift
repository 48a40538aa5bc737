import BSSCore

/// Reads one pickle as data. Nothing is ever called: the few names that rebuild tensors and plain containers are
/// understood here, what any other name would make is skipped. Names of commands (`os.system`) end the reading.
///
/// Source: the opcodes of Python's pickletools, protocols 0 to 5.
struct PickleMachine {
    let file: Bytes
    private(set) var at: Int
    /// What a persistent id stands for (a storage).
    let persistent: (PickleItem) throws -> PickleItem

    var stack: [PickleItem] = []
    private var marks: [Int] = []
    private var memo: [Int: PickleItem] = [:]
    /// Every container, so that cyclic and deep ones are taken apart without recursion.
    private(set) var boxes: [PickleBox] = []
    /// Values and characters that may still be put together: what a pickle writes down has no more of them than bytes;
    /// only copies of copies have.
    private var left: Int

    init(_ file: Bytes, at: Int = 0, persistent: @escaping (PickleItem) throws -> PickleItem) {
        self.file = file
        self.at = at
        self.persistent = persistent
        left = 4 * file.count + 4096
    }

    /// The value that the pickle ends with. The caller calls `dispose` when it is done with it.
    mutating func run() throws -> PickleItem {
        var steps = 0
        while true {
            let code = try byte()
            if code == UInt8(ascii: ".") { return try pop() }
            try step(code)
            steps += 1
            if steps % 65536 == 0 { try Cancellation.check("read weights") }
        }
    }

    func dispose() { for box in boxes { box.items = [] } }

    // MARK: Reading

    func damage(_ reason: String) -> BSSError { file.damage("pickle: \(reason) at byte \(at)") }

    private mutating func byte() throws -> UInt8 {
        let value: UInt8 = try file.integer(at: at, "pickle")
        at += 1
        return value
    }
    private mutating func little<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
        let value = try file.integer(type, at: at, "pickle")
        at += MemoryLayout<T>.size
        return value
    }
    mutating func take(_ count: Int) throws -> [UInt8] {
        try file.need(count, at: at, "pickle")
        defer { at += count }
        return Array(file.all[at..<at + count])
    }
    private mutating func length() throws -> Int {
        guard let count = Int(exactly: try little(UInt64.self)) else { throw damage("an impossible length") }
        return count
    }
    mutating func line() throws -> String {
        guard let end = file.all[min(at, file.count)...].firstIndex(of: 0x0A) else {
            throw damage("a line without end")
        }
        defer { at = end + 1 }
        return Text.decoded(file.all[at..<end])
    }
    private mutating func text(_ count: Int) throws -> PickleItem {
        .string(Text.decoded(try take(count)))
    }

    // MARK: Stack

    mutating func pop() throws -> PickleItem {
        guard stack.count > (marks.last ?? 0), let item = stack.popLast() else { throw damage("an empty stack") }
        return item
    }
    func top() throws -> PickleItem {
        guard stack.count > (marks.last ?? 0), let item = stack.last else { throw damage("an empty stack") }
        return item
    }
    mutating func popMark() throws -> [PickleItem] {
        guard let mark = marks.popLast() else { throw damage("no mark") }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }
    mutating func spend(_ count: Int) throws {
        left -= count
        guard left >= 0 else { throw damage("copies of copies: far more values than its \(file.count) bytes hold") }
    }
    mutating func box(_ items: [PickleItem] = []) throws -> PickleBox {
        try spend(items.count + 1)
        let box = PickleBox(items)
        boxes.append(box)
        return box
    }
    private mutating func pushList(_ items: [PickleItem]) throws { stack.append(.list(try box(items))) }
    /// Keys and values in turn.
    private func check(_ items: [PickleItem]) throws {
        guard items.count % 2 == 0 else { throw damage("a key without value") }
    }

    private mutating func step(_ code: UInt8) throws {
        switch code {
        case 0x80: _ = try byte()  // PROTO
        case 0x95: _ = try length()  // FRAME
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "0"):
            if stack.count == marks.last { marks.removeLast() } else { _ = try pop() }
        case UInt8(ascii: "1"): _ = try popMark()
        case UInt8(ascii: "2"): stack.append(try top())
        case UInt8(ascii: "N"): stack.append(.none)
        case 0x88: stack.append(.bool(true))
        case 0x89: stack.append(.bool(false))
        case UInt8(ascii: "I"), UInt8(ascii: "L"):
            let word = try line()
            if word == "00" || word == "01", code == UInt8(ascii: "I") { return stack.append(.bool(word == "01")) }
            guard let value = Int(word.hasSuffix("L") ? String(word.dropLast()) : word) else {
                throw damage("the integer '\(word)'")
            }
            stack.append(.int(value))
        case UInt8(ascii: "J"): stack.append(.int(Int(try little(Int32.self))))
        case UInt8(ascii: "K"): stack.append(.int(Int(try byte())))
        case UInt8(ascii: "M"): stack.append(.int(Int(try little(UInt16.self))))
        case 0x8a: try pushLong(Int(try byte()))
        case 0x8b: try pushLong(Int(try little(UInt32.self)))
        case UInt8(ascii: "F"):
            let word = try line()
            guard let value = Text.double(word) else { throw damage("the number '\(word)'") }
            stack.append(.number(value))
        case UInt8(ascii: "G"): stack.append(.number(Double(bitPattern: try little(UInt64.self).byteSwapped)))
        case UInt8(ascii: "S"):
            let word = try line()
            guard word.count >= 2, let quote = word.first, quote == "'" || quote == "\"", word.last == quote,
                !word.contains("\\")
            else { throw damage("the text \(word)") }
            stack.append(.string(String(word.dropFirst().dropLast())))
        case UInt8(ascii: "V"): stack.append(.string(try line()))
        case UInt8(ascii: "T"), UInt8(ascii: "X"): stack.append(try text(Int(try little(UInt32.self))))
        case UInt8(ascii: "U"), 0x8c: stack.append(try text(Int(try byte())))
        case 0x8d: stack.append(try text(try length()))
        case UInt8(ascii: "B"): stack.append(.bytes(try take(Int(try little(UInt32.self)))))
        case UInt8(ascii: "C"): stack.append(.bytes(try take(Int(try byte()))))
        case 0x8e, 0x96: stack.append(.bytes(try take(try length())))
        default: try stepContainer(code)
        }
    }

    private mutating func pushLong(_ count: Int) throws {
        let bytes = try take(count)
        guard bytes.count <= 8 else { return stack.append(.long(bytes)) }
        var value: UInt64 = (bytes.last ?? 0) & 0x80 != 0 ? .max : 0
        for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
        stack.append(.int(Int(truncatingIfNeeded: value)))
    }

    private mutating func stepContainer(_ code: UInt8) throws {
        switch code {
        case UInt8(ascii: "]"), UInt8(ascii: ")"): try pushList([])
        case UInt8(ascii: "l"), UInt8(ascii: "t"): try pushList(try popMark())
        case 0x85, 0x86, 0x87:
            var items: [PickleItem] = []
            for _ in 0..<(code - 0x84) { items.append(try pop()) }
            try pushList(items.reversed())
        case UInt8(ascii: "}"): stack.append(.dictionary(try box()))
        case UInt8(ascii: "d"):
            let items = try popMark()
            try check(items)
            stack.append(.dictionary(try box(items)))
        case UInt8(ascii: "a"):
            let item = try pop()
            try append([item])
        case UInt8(ascii: "e"):
            let items = try popMark()
            try append(items)
        case UInt8(ascii: "s"):
            let value = try pop()
            let key = try pop()
            try set([key, value])
        case UInt8(ascii: "u"):
            let items = try popMark()
            try set(items)
        case UInt8(ascii: "p"):
            guard let index = Int(try line()) else { throw damage("a memo number") }
            memo[index] = try top()
        case UInt8(ascii: "q"): memo[Int(try byte())] = try top()
        case UInt8(ascii: "r"): memo[Int(try little(UInt32.self))] = try top()
        case 0x94: memo[memo.count] = try top()
        case UInt8(ascii: "g"): try recall(Int(try line()) ?? -1)
        case UInt8(ascii: "h"): try recall(Int(try byte()))
        case UInt8(ascii: "j"): try recall(Int(try little(UInt32.self)))
        case UInt8(ascii: "P"):
            let name = try line()
            stack.append(try persistent(.string(name)))
        case UInt8(ascii: "Q"):
            let name = try pop()
            stack.append(try persistent(name))
        default: try stepName(code)
        }
    }

    private mutating func recall(_ index: Int) throws {
        guard let item = memo[index] else { throw damage("memo \(index), which was never set,") }
        stack.append(item)
    }
    private mutating func append(_ items: [PickleItem]) throws {
        switch try top() {
        case .list(let box):
            try spend(items.count)
            box.items += items
        case .foreign: break
        case let other: throw damage("appending to \(other.kind)")
        }
    }
    private mutating func set(_ items: [PickleItem]) throws {
        try check(items)
        switch try top() {
        case .dictionary(let box):
            try spend(items.count)
            box.items += items
        case .foreign: break
        case let other: throw damage("setting items of \(other.kind)")
        }
    }
}
