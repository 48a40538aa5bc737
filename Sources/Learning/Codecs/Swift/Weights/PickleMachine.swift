import BSSCore

/// Reads one pickle as data. Nothing is ever called: the few names that rebuild tensors and plain containers are understood
/// here, every other name ends the reading with an error that says which it was.
///
/// Source: the opcodes of Python's pickletools, protocols 0 to 5.
struct PickleMachine {
    let file: Bytes
    private(set) var at: Int
    /// What a persistent id stands for (a storage).
    let persistent: (PickleItem) throws -> PickleItem

    private var stack: [PickleItem] = []
    private var marks: [Int] = []
    private var memo: [Int: PickleItem] = [:]
    /// Every container, so that cyclic and deep ones are taken apart without recursion.
    private(set) var boxes: [PickleBox] = []

    init(_ file: Bytes, at: Int = 0, persistent: @escaping (PickleItem) throws -> PickleItem) {
        self.file = file
        self.at = at
        self.persistent = persistent
    }

    /// The value that the pickle ends with. The caller calls `dispose` when it is done with it.
    mutating func run() throws -> PickleItem {
        while true {
            let code = try byte()
            if code == UInt8(ascii: ".") { return try pop() }
            try step(code)
        }
    }

    func dispose() { for box in boxes { box.items = [] } }

    // MARK: Reading

    private func damage(_ reason: String) -> BSSError { file.damage("pickle: \(reason) at byte \(at)") }

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
    private mutating func take(_ count: Int) throws -> [UInt8] {
        try file.need(count, at: at, "pickle")
        defer { at += count }
        return Array(file.all[at..<at + count])
    }
    private mutating func length() throws -> Int {
        guard let count = Int(exactly: try little(UInt64.self)) else { throw damage("an impossible length") }
        return count
    }
    private mutating func line() throws -> String {
        guard let end = file.all[min(at, file.count)...].firstIndex(of: 0x0A) else {
            throw damage("a line without end")
        }
        defer { at = end + 1 }
        return String(decoding: file.all[at..<end], as: UTF8.self)
    }
    private mutating func text(_ count: Int) throws -> PickleItem {
        .string(String(decoding: try take(count), as: UTF8.self))
    }

    // MARK: Stack

    private mutating func pop() throws -> PickleItem {
        guard stack.count > (marks.last ?? 0), let item = stack.popLast() else { throw damage("an empty stack") }
        return item
    }
    private func top() throws -> PickleItem {
        guard stack.count > (marks.last ?? 0), let item = stack.last else { throw damage("an empty stack") }
        return item
    }
    private mutating func popMark() throws -> [PickleItem] {
        guard let mark = marks.popLast() else { throw damage("no mark") }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }
    private mutating func box(_ items: [PickleItem] = []) -> PickleBox {
        let box = PickleBox(items)
        boxes.append(box)
        return box
    }
    private mutating func pushList(_ items: [PickleItem]) { stack.append(.list(box(items))) }
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
            guard let value = Double(word) else { throw damage("the number '\(word)'") }
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
        case UInt8(ascii: "]"), UInt8(ascii: ")"): pushList([])
        case UInt8(ascii: "l"), UInt8(ascii: "t"): pushList(try popMark())
        case 0x85, 0x86, 0x87:
            var items: [PickleItem] = []
            for _ in 0..<(code - 0x84) { items.append(try pop()) }
            pushList(items.reversed())
        case UInt8(ascii: "}"): stack.append(.dictionary(box()))
        case UInt8(ascii: "d"):
            let items = try popMark()
            try check(items)
            stack.append(.dictionary(box(items)))
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
    private func append(_ items: [PickleItem]) throws {
        guard case .list(let box) = try top() else { throw damage("appending to \(try top().kind)") }
        box.items += items
    }
    private func set(_ items: [PickleItem]) throws {
        try check(items)
        guard case .dictionary(let box) = try top() else { throw damage("setting items of \(try top().kind)") }
        box.items += items
    }

    // MARK: Names

    private mutating func stepName(_ code: UInt8) throws {
        switch code {
        case UInt8(ascii: "c"):
            let module = try line()
            let name = try line()
            stack.append(.global(try allowed(module, name)))
        case 0x93:
            let name = try pop()
            let module = try pop()
            guard let name = name.string, let module = module.string else { throw damage("a name that is no text") }
            stack.append(.global(try allowed(module, name)))
        case UInt8(ascii: "i"):
            let module = try line()
            let name = try line()
            throw refusal(module, name)
        case UInt8(ascii: "R"), 0x81:
            let arguments = try pop()
            let callee = try pop()
            guard case .global(let global) = callee, let items = arguments.items else {
                throw damage("a call of \(callee.kind)")
            }
            stack.append(try made(global, items))
        case UInt8(ascii: "b"):
            // The attributes of an ordered dictionary (`_metadata` of a state_dict) say nothing about weights.
            let state = try pop()
            guard case .dictionary = try top(), case .dictionary = state else {
                throw damage("attributes set on \(try top().kind)")
            }
        case UInt8(ascii: "o"), 0x92:
            throw file.damage(
                "pickle: builds an object of a class: refused, only tensors and plain containers are read")
        case 0x8f, 0x90, 0x91:
            throw file.damage("pickle: holds a set: refused, only tensors and plain containers are read")
        case 0x82, 0x83, 0x84:
            throw file.damage("pickle: uses an extension code: refused, only tensors and plain containers are read")
        default: throw damage("the unknown opcode 0x\(String(code, radix: 16))")
        }
    }

    private func allowed(_ module: String, _ name: String) throws -> PickleGlobal {
        guard let global = PickleGlobal(module: module, name: name) else { throw refusal(module, name) }
        return global
    }

    private func refusal(_ module: String, _ name: String) -> BSSError {
        BSSError(
            "read weights",
            "\(file.source): its pickle names \(module).\(name), which is no tensor or plain container: refused, nothing was run",
            hint: "save the state_dict alone, or as safetensors", kind: .data)
    }

    private mutating func made(_ global: PickleGlobal, _ arguments: [PickleItem]) throws -> PickleItem {
        switch global {
        case .orderedDictionary:
            guard let list = arguments.first else { return .dictionary(box()) }
            guard arguments.count == 1, let entries = list.items, entries.allSatisfy({ $0.items?.count == 2 }) else {
                throw damage("an ordered dictionary of \(list.kind)")
            }
            return .dictionary(box(entries.flatMap { $0.items ?? [] }))
        case .size:
            guard arguments.count == 1, let sizes = arguments[0].items else {
                throw damage("a torch.Size of \(arguments.count) values")
            }
            return .list(box(sizes))
        case .parameter:
            guard case .tensor? = arguments.first else { throw damage("a parameter without tensor") }
            return arguments[0]
        case .encodedBytes:
            guard let text = arguments.first?.string, arguments.dropFirst().first?.string == "latin1" else {
                throw damage("bytes in an unknown encoding")
            }
            return .bytes(
                try text.unicodeScalars.map { scalar in
                    guard let byte = UInt8(exactly: scalar.value) else { throw damage("bytes in an unknown encoding") }
                    return byte
                })
        case .tensorV1, .tensorV2:
            guard arguments.count >= 4, case .storage(let storage) = arguments[0], let offset = arguments[1].int,
                let shape = arguments[2].integers,
                let strides = arguments[3].integers
            else { throw damage("a tensor with unknown arguments") }
            let (start, overflow) = offset.addingReportingOverflow(storage.offset)
            guard !overflow else { throw damage("a tensor at an impossible offset") }
            return .tensor(
                try StoredTensor(
                    storage.type, shape: shape, strides: strides, offset: start, storageCount: storage.count,
                    name: "at byte \(at) of its pickle",
                    file: file.source, storage: storage.read))
        case .storage: throw damage("a call of \(global.name)")
        }
    }
}
