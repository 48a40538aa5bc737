import BSSCore

/// Names in a pickle, and what calling them would make.
extension PickleMachine {
    mutating func stepName(_ code: UInt8) throws {
        switch code {
        case UInt8(ascii: "c"):
            let module = try line()
            stack.append(.global(try global(module, try line())))
        case 0x93:
            let name = try pop()
            let module = try pop()
            guard let name = name.string, let module = module.string else { throw damage("a name that is no text") }
            stack.append(.global(try global(module, name)))
        case UInt8(ascii: "i"):
            let module = try line()
            let name = try global(module, try line()).name
            _ = try popMark()
            stack.append(.foreign(name))
        case UInt8(ascii: "R"), 0x81:
            let arguments = try pop()
            let callee = try pop()
            switch (callee, arguments.items) {
            case (.foreign(let name), _), (.global(.foreign(let name)), _): stack.append(.foreign(name))
            case (.global(let global), let items?): stack.append(try made(global, items))
            default: throw damage("a call of \(callee.kind)")
            }
        case 0x92:
            for _ in 0..<2 { _ = try pop() }
            stack.append(.foreign(try pop().kind))
        case UInt8(ascii: "o"): stack.append(.foreign(try popMark().first?.kind ?? "an object"))
        case UInt8(ascii: "b"):
            // The attributes of an ordered dictionary (`_metadata` of a state_dict) say nothing about weights.
            _ = try pop()
            switch try top() {
            case .dictionary, .foreign, .tensor: break
            case let other: throw damage("attributes set on \(other.kind)")
            }
        case 0x8f: stack.append(.foreign("a set"))
        case 0x90: _ = try popMark()
        case 0x91:
            _ = try popMark()
            stack.append(.foreign("a frozenset"))
        case 0x82, 0x83, 0x84:
            _ = try take(code == 0x82 ? 1 : code == 0x83 ? 2 : 4)
            stack.append(.foreign("an object of an extension code"))
        default: throw damage("the unknown opcode 0x\(String(code, radix: 16))")
        }
    }

    private mutating func global(_ module: String, _ name: String) throws -> PickleGlobal {
        if PickleGlobal.isCommand(module: module, name: name) {
            throw PickleMachine.refusal(["\(module).\(name)"], file)
        }
        try spend(module.utf8.count + name.utf8.count)
        return PickleGlobal(module: module, name: name)
    }

    /// The error for contents that are no weights.
    static func refusal(_ names: [String], _ file: Bytes) -> BSSError {
        let more = names.count > 5 ? " and \(names.count - 5) more" : ""
        return BSSError(
            "read weights",
            "\(file.source): its pickle names \(names.prefix(5).joined(separator: ", "))\(more), and that is no "
                + "tensor or plain container: refused, nothing was run",
            hint: "save the state_dict alone, or as safetensors", kind: .data)
    }

    private mutating func made(_ global: PickleGlobal, _ arguments: [PickleItem]) throws -> PickleItem {
        switch global {
        case .orderedDictionary:
            guard let list = arguments.first else { return .dictionary(try box()) }
            guard arguments.count == 1, let entries = list.items, entries.allSatisfy({ $0.items?.count == 2 }) else {
                throw damage("an ordered dictionary of \(list.kind)")
            }
            return .dictionary(try box(entries.flatMap { $0.items ?? [] }))
        case .size:
            guard arguments.count == 1, let sizes = arguments[0].items else {
                throw damage("a torch.Size of \(arguments.count) values")
            }
            return .list(try box(sizes))
        case .parameter:
            guard let inner = arguments.first else { throw damage("a parameter without tensor") }
            if case .foreign = inner { return inner }
            guard case .tensor = inner else { throw damage("a parameter without tensor") }
            return inner
        case .ofType:
            // (function, class, its arguments, attributes): the tensor behind a subclass, such as Buffer.
            guard arguments.count >= 3, case .global(let function) = arguments[0], let inner = arguments[2].items else {
                throw damage("a tensor of a class with unknown arguments")
            }
            switch function {
            case .tensorV1, .tensorV2, .tensorV3: return try tensor(inner, function)
            default: return .foreign(arguments[1].kind)
            }
        case .encodedBytes:
            guard let text = arguments.first?.string, arguments.dropFirst().first?.string == "latin1" else {
                throw damage("bytes in an unknown encoding")
            }
            try spend(text.utf8.count)
            return .bytes(
                try text.unicodeScalars.map { scalar in
                    guard let byte = UInt8(exactly: scalar.value) else { throw damage("bytes in an unknown encoding") }
                    return byte
                })
        case .tensorV1, .tensorV2, .tensorV3: return try tensor(arguments, global)
        case .storage, .dtype, .foreign: return .foreign(global.name)
        }
    }

    /// (storage, offset, size, stride, …, …, number type, …)
    private func tensor(_ arguments: [PickleItem], _ function: PickleGlobal) throws -> PickleItem {
        if case .foreign(let name)? = arguments.first { return .foreign(name) }
        guard arguments.count >= 4, case .storage(let storage) = arguments[0], let offset = arguments[1].int,
            let shape = arguments[2].sizes, let strides = arguments[3].sizes
        else { throw damage("a tensor with unknown arguments") }
        var type = storage.type
        if function == .tensorV3 {
            guard arguments.count >= 7, case .global(let name) = arguments[6] else {
                throw damage("a tensor with unknown arguments")
            }
            guard case .dtype(let named) = name else { return .foreign(name.name) }
            type = named
        }
        let scale = type.byteSize / storage.type.byteSize
        let (start, overflow) = offset.addingReportingOverflow(storage.offset)
        guard !overflow, scale > 0 else { throw damage("a tensor at an impossible offset") }
        return .tensor(
            try StoredTensor(
                type, shape: shape, strides: strides, offset: start, storageCount: storage.count / scale,
                name: "at byte \(at) of its pickle", file: file.source, storage: storage.read))
    }
}
